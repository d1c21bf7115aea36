"""The audit itself: it passes a true record and catches each way of breaking one, at the right journey."""

from __future__ import annotations

import dataclasses
import random
import subprocess
import sys
from types import SimpleNamespace

import pytest
from commons_places import SCENARIO
from keeping import Kept, examine
from wishes import Earlier, Wish, earlier_slots, pick

from harness.load.outcome import JourneyRecord, Outcome

NINE, TEN, ELEVEN, NOON = (f"2027-01-04T{hour:02}:00" for hour in (9, 10, 11, 12))
BOOKED = {"reference": "R1", "office": "a", "start": NINE, "name": "Ann Lee", "email": "1@example.org"}


def earlier(number: int, start: str, *, made: bool = True) -> Kept:
    found = Earlier(number)
    return Kept(found.reference, "a", start, "Somebody Else", found.email, made, made)


def record() -> tuple[list[Kept], set[tuple[str, str]], list[JourneyRecord]]:
    """Ann booked at nine, Earlier(1) gave ten o'clock back, one was refused, Earlier(0) stands at eleven."""
    kept = [
        Kept("R1", "a", NINE, "Ann Lee", "1@example.org", True, True),
        earlier(0, ELEVEN),
        earlier(1, TEN, made=False),
    ]
    journeys = [
        JourneyRecord(1, "book", Outcome.COMPLETED, True, BOOKED),
        JourneyRecord(2, "cancel", Outcome.COMPLETED, True, {"cancels": Earlier(1).reference}),
        JourneyRecord(3, "book", Outcome.REFUSED, True, {"email": "3@example.org"}, eligible=False),
        JourneyRecord(4, "book", Outcome.ABANDONED, False, {"email": "4@example.org"}),
    ]
    return kept, {("a", TEN), ("a", NOON)}, journeys


def broken(
    kept: list[Kept], free: set[tuple[str, str]], journeys: list[JourneyRecord]
) -> tuple[list[str], set[int]]:
    audit = examine(kept, free, journeys, existing=2)
    return [i.name for i in audit.invariants if i.violations], set(audit.incorrect)


def test_a_true_record_passes_and_says_how_much_was_examined() -> None:
    audit = examine(*record(), existing=2)
    assert [(i.examined, i.violations) for i in audit.invariants] == [
        (2, 0),
        (2, 0),
        (1, 0),
        (1, 0),
        (1, 0),
        (1, 0),
    ]
    assert not audit.incorrect


def change(kept: list[Kept], place: int, **fields: object) -> list[Kept]:
    return [
        dataclasses.replace(item, **fields) if number == place else item for number, item in enumerate(kept)
    ]


def test_a_slot_booked_twice_is_caught() -> None:
    kept, free, journeys = record()
    kept = [*change(kept, 1, start=NINE)]
    assert broken(kept, free, journeys) == (["no slot is booked twice"], {1})


def test_a_booked_slot_on_offer_is_caught() -> None:
    kept, free, journeys = record()
    assert broken(kept, free | {("a", NINE)}, journeys)[0] == ["no booked slot is offered"]


@pytest.mark.parametrize(
    "fields",
    [
        {"start": NOON},
        {"office": "b"},
        {"name": "Bo Roy"},
        {"email": "x@example.org"},
        {"reference": "R2"},
        {"made": False},
    ],
)
def test_an_appointment_kept_otherwise_than_told_is_caught(fields: dict[str, object]) -> None:
    kept, free, journeys = record()
    names, incorrect = broken(change(kept, 0, **fields), free - {("a", NOON)}, journeys)
    assert "every appointment made is kept once, at its time, in its name" in names and incorrect == {1}


def test_an_appointment_lost_or_kept_twice_is_caught() -> None:
    kept, free, journeys = record()
    name = "every appointment made is kept once, at its time, in its name"
    assert broken(kept[1:], free, journeys) == ([name], {1})
    twice = dataclasses.replace(kept[0], start=NOON)
    assert broken([*kept, twice], free - {("a", NOON)}, journeys) == ([name], {1})


def test_a_cancellation_that_did_not_happen_is_caught() -> None:
    kept, free, journeys = record()
    name = "every appointment cancelled is gone and its slot free"
    assert broken(change(kept, 2, made=True, live=True), free - {("a", TEN)}, journeys) == ([name], {2})
    assert broken(kept, free - {("a", TEN)}, journeys) == ([name], {2})
    taken_again = Kept("R9", "a", TEN, "Bo Roy", "9@example.org", True, True)
    assert broken([*kept, taken_again], free - {("a", TEN)}, journeys) == ([], set())


def test_a_refused_citizen_with_an_appointment_is_caught() -> None:
    kept, free, journeys = record()
    let_in = Kept("R3", "a", NOON, "Too Young", "3@example.org", True, True)
    assert broken([*kept, let_in], free - {("a", NOON)}, journeys) == (
        ["nobody refused has an appointment"],
        {3},
    )


def test_an_earlier_appointment_that_vanished_is_caught() -> None:
    kept, free, journeys = record()
    name = "every appointment made earlier still stands"
    assert broken([kept[0], kept[2]], free, journeys) == ([name], set())
    assert broken(change(kept, 1, made=False, live=False), free, journeys) == ([name], set())


def test_an_unfinished_journey_may_or_may_not_have_left_an_appointment() -> None:
    kept, free, journeys = record()
    maybe = Kept("R4", "a", NOON, "Slow One", "4@example.org", True, True)
    assert broken([*kept, maybe], free - {("a", NOON)}, journeys) == ([], set())


def citizen(number: int, *, eligible: bool = True) -> SimpleNamespace:
    return SimpleNamespace(random=random.Random(number), eligible=eligible, citizen=number)


def test_a_wish_is_the_same_for_every_system_and_its_own_for_every_citizen() -> None:
    assert Wish.of(citizen(7)) == Wish.of(citizen(7))
    assert len({Wish.of(citizen(number)).email for number in range(100)}) == 100


def test_only_the_ineligible_are_under_age() -> None:
    from booking.people import age_on

    today = Wish.of(citizen(0)).first.born.today()
    for number in range(300):
        grown, young = Wish.of(citizen(number)), Wish.of(citizen(number, eligible=False))
        assert min(age_on(p.born, today) for p in (grown.first, grown.second)) >= 19
        assert age_on(young.second.born, today) in (16, 17)


@pytest.mark.parametrize("place", [0.0, 0.5, 0.999999, 1.0])
def test_a_place_is_always_an_option(place: float) -> None:
    assert pick([1, 2, 3], place) in (1, 2, 3)


def test_enough_slots_are_left_and_early_days_are_fuller() -> None:
    slots = [
        (office, f"2027-01-{day:02}T{hour:02}:00")
        for office in "ab"
        for day in range(1, 31)
        for hour in range(9, 17)
    ]

    def system(wanted: int) -> SimpleNamespace:
        return SimpleNamespace(parameters={"existing_bookings": wanted}, random=random.Random(1))

    made = earlier_slots(system(240), slots)
    assert len({(office, start) for _, office, start in made}) == 240
    assert made == earlier_slots(system(240), list(reversed(slots)))
    half = sum(start < "2027-01-16" for _, _, start in made)
    assert half > 140
    assert len(earlier_slots(system(10**6), slots)) == len(slots) * 3 // 5


def test_the_audit_needs_no_locust() -> None:
    code = "import sys, keeping; sys.exit('locust' in sys.modules or 'gevent' in sys.modules)"
    path = f"{SCENARIO}:{SCENARIO.parents[1]}"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=False).returncode == 0
