"""What citizens of both interfaces share: the two journeys, and how long they look at each screen.

The one idea: the two classes of `over_booking` and `over_forms` only speak different interfaces. Both see
the same screens in the same order and think at each for as long.
"""

from __future__ import annotations

from wishes import Earlier, Person, Wish

from harness.load import Citizen, SystemUnderTest, journey

# How long a citizen looks at each screen, in seconds (see scenario.yaml: 1.4 s at most in a journey).
START, FIRST_PERSON, SECOND_PERSON, CHOOSE, CHECK, FIND = (
    (0.05, 0.1),
    (0.2, 0.35),
    (0.15, 0.3),
    (0.08, 0.15),
    (0.1, 0.2),
    (0.2, 0.35),
)

ATTEMPTS = 5  # times that a citizen tries before giving up, when others are quicker


class AppointmentCitizen(Citizen):
    """What citizens of both interfaces share: the two journeys."""

    abstract = True
    earlier = 0
    """How many appointments `seed` made; without one (plain Locust) citizens cancel what they just booked."""

    @journey(weight=17)
    def book(self) -> None:
        """Get an appointment."""
        self.make(Wish.of(self))

    @journey(weight=3)
    def cancel(self) -> None:
        """Give one back."""
        if self.citizen < self.earlier:
            earlier = Earlier(self.citizen)
            reference, owner = earlier.reference, earlier.owner
        else:
            wish = Wish.of(self)
            reference, owner = self.make(wish), wish.first
        self.note(cancels=reference)
        self.give_back(reference, owner)

    def make(self, wish: Wish) -> str:
        """Book; the reference."""
        raise NotImplementedError

    def give_back(self, reference: str, owner: Person) -> None:
        """Cancel."""
        raise NotImplementedError

    def booked(self, wish: Wish, reference: str, office: str, start: str) -> str:
        """Note for the audit what this citizen was told."""
        self.note(
            reference=reference,
            office=office,
            start=start[:16],
            name=f"{wish.first.given_name} {wish.first.family_name}",
        )
        return reference


def authority(system: SystemUnderTest) -> dict[str, str]:
    """The header that opens the audit and import of a system under trial."""
    return {"Authorization": f"Bearer {system.configuration.get('trial_key', '')}"}
