"""What citizens want, and the appointments that were made before the trial. Everybody is invented.

The one idea: a wish is drawn before the first request, from the citizen's own seed, and is the same
whatever the system; so both systems of a trial serve the same people.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.load import Citizen, SystemUnderTest

GIVEN = (
    "Amara",
    "Ben",
    "Chidi",
    "Dilys",
    "Eilidh",
    "Farah",
    "Gwen",
    "Harry",
    "Imogen",
    "Joseph",
    "Kezia",
    "Lewis",
    "Mei",
    "Noor",
    "Olga",
    "Priya",
)
FAMILY = (
    "Adeyemi",
    "Brown",
    "Clarke",
    "Davies",
    "Evans",
    "Fraser",
    "Green",
    "Hussain",
    "Iqbal",
    "Jones",
    "Khan",
    "Lewis",
    "Morgan",
    "O'Neill",
    "Patel",
    "Roberts",
)


@dataclass(frozen=True)
class Person:
    """Somebody named in a booking."""

    given_name: str
    family_name: str
    born: date

    @classmethod
    def some(cls, chance: random.Random, youngest: int, oldest: int) -> Person:
        """An invented person between two ages, both in years."""
        born = date.today() - timedelta(days=int(365.25 * chance.uniform(youngest + 0.1, oldest)))
        return cls(chance.choice(GIVEN), chance.choice(FAMILY), born)


@dataclass(frozen=True)
class Wish:
    """What one citizen wants. `office`, `day`, `time`: places in the lists offered, from 0 to 1."""

    first: Person
    second: Person
    email: str
    office: float
    day: float
    time: float

    @classmethod
    def of(cls, citizen: Citizen) -> Wish:
        """The wish of a citizen; one of an ineligible couple is 16 or 17. Early days are asked for most."""
        chance = citizen.random
        first, second = Person.some(chance, 19, 80), Person.some(chance, 19, 80)
        if not citizen.eligible:
            second = Person.some(chance, 16, 17)
        return cls(
            first,
            second,
            f"citizen-{citizen.citizen}@example.org",
            chance.random(),
            chance.random() ** 2,
            chance.random(),
        )


@dataclass(frozen=True)
class Earlier:
    """An appointment made before the trial: the `number`th."""

    number: int

    @property
    def reference(self) -> str:
        """Its reference."""
        return f"EARLIER{self.number:06}"

    @property
    def email(self) -> str:
        """Its owner's address."""
        return f"earlier-{self.number}@example.org"

    @property
    def owner(self) -> Person:
        """Who made it."""
        return Person(
            GIVEN[self.number % len(GIVEN)],
            FAMILY[self.number // len(GIVEN) % len(FAMILY)],
            date(1980, 5, 17),
        )


def pick(options: Sequence[Any], place: float) -> Any:
    """The option at a place from 0 to 1."""
    return options[min(int(place * len(options)), len(options) - 1)]


def earlier_slots(system: SystemUnderTest, slots: list[tuple[str, str]]) -> list[tuple[Earlier, str, str]]:
    """Which of all free slots (office, start) were booked earlier: early ones are fuller.

    At most three in five, so that the trial finds times left.
    """
    wanted = min(int(system.parameters.get("existing_bookings", 0)), len(slots) * 3 // 5)
    ordered = sorted(slots, key=lambda slot: (slot[1], slot[0]))
    drawn = sorted(
        range(len(ordered)), key=lambda place: system.random.random() + 0.5 * place / len(ordered)
    )[:wanted]
    return [(Earlier(number), *ordered[place]) for number, place in enumerate(sorted(drawn))]
