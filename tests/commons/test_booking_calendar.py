"""Slots of a calendar: hours are local, slots are moments, days on which clocks change included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from booking.calendars import Calendar
from booking.configuration import Configuration, ConfigurationError, configure
from hypothesis import given
from hypothesis import strategies as st

RESOURCES = [{"id": "desk", "title": "Desk"}]
ALL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def configuration(**keys: object) -> Configuration:
    return configure({"organisation": "Town", "resources": RESOURCES} | keys)


def midnight_before(day: date, zone: str) -> float:
    return datetime.combine(day - timedelta(days=1), time(12), ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 10, 25), 4), (date(2027, 3, 28), 2), (date(2027, 3, 29), 3)],
    ids=["clocks go back: 00:00 to 03:00 lasts four hours", "forward: two", "an ordinary night: three"],
)
def test_days_on_which_clocks_change_have_the_hours_that_pass(day: date, hours: int) -> None:
    set_up = configuration(opening_hours={name: [["00:00", "03:00"]] for name in ALL_DAYS})
    slots = Calendar(set_up).slots(set_up.resources["desk"], day, midnight_before(day, "Europe/London"))
    assert len(slots) == hours * 2
    assert {slot.ends_at - slot.starts_at for slot in slots} == {1800}


@given(
    day=st.dates(date(2025, 1, 1), date(2030, 12, 31)),
    zone=st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    opens=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    closes=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    minutes=st.integers(5, 480),
)
def test_slots_follow_one_another_within_the_hours(
    day: date, zone: str, opens: time, closes: time, minutes: int
) -> None:
    if opens >= closes:
        opens, closes = closes, opens
    if opens == closes:
        return
    hours = [[f"{opens:%H:%M}", f"{closes:%H:%M}"]]
    set_up = configuration(time_zone=zone, slot_minutes=minutes, opening_hours=dict.fromkeys(ALL_DAYS, hours))
    slots = Calendar(set_up).slots(set_up.resources["desk"], day, midnight_before(day, zone))
    local = ZoneInfo(zone)
    first = datetime.combine(day, opens, local).astimezone(UTC).timestamp()
    last = datetime.combine(day, closes, local).astimezone(UTC).timestamp()
    assert all(first <= slot.starts_at and slot.ends_at <= last for slot in slots)
    assert all(a.ends_at == b.starts_at for a, b in pairwise(slots))
    assert len(slots) == max(0, int((last - first) // (minutes * 60)))
    assert all(datetime.fromisoformat(slot.start).timestamp() == slot.starts_at for slot in slots)


def test_days_outside_the_window_closed_days_and_begun_slots_are_not_offered() -> None:
    set_up = configuration(closed_dates=["2027-01-06"], window={"opens_after_days": 0, "open_for_days": 7})
    calendar, desk = Calendar(set_up), set_up.resources["desk"]
    now = datetime(2027, 1, 4, 9, 15, tzinfo=ZoneInfo("Europe/London")).timestamp()
    assert calendar.slots(desk, date(2027, 1, 3), now) == ()
    assert calendar.slots(desk, date(2027, 1, 11), now) == ()
    assert calendar.slots(desk, date(2027, 1, 6), now) == ()
    assert calendar.slots(desk, date(2027, 1, 9), now) == ()  # a Saturday
    assert calendar.slots(desk, date(2027, 1, 4), now)[0].start == "2027-01-04T09:30:00+00:00"
    assert len(calendar.slots(desk, date(2027, 1, 5), now)) == 16
    nine = int(datetime(2027, 1, 5, 9, tzinfo=UTC).timestamp())
    assert calendar.slot_at(desk, nine, now) is not None
    assert calendar.slot_at(desk, nine + 1, now) is None
    assert calendar.slot_at(desk, 10**18, now) is None


@pytest.mark.parametrize(
    "keys",
    [
        {"opening_hours": {"monday": [["09:00", "08:00"]]}},
        {"opening_hours": {"monday": [["09:00", "12:00"], ["11:00", "13:00"]]}},
        {"opening_hours": {"someday": []}},
        {"time_zone": "Europe/Nowhere"},
        {"resources": RESOURCES * 2},
        {"people": {"minimum": 3, "maximum": 2}},
        {"slot_minuets": 20},
        {"window": {"open": 1}},
        {"closed_dates": ["2027-02-30"]},
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        configuration(**keys)
