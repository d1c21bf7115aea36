"""When a room is free, and what the audit holds a system to. Plain values in, plain values out.

The one idea: CalDAV itself does not keep two events from overlapping. What it does promise is that a PUT
with `If-None-Match: *` never replaces what is there. So a booking is stored under the name of its hour, and
that promise, a 412 for whoever comes second, is what keeps a room from being booked twice. The audit asks
for no more than was promised.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from caldav_text import HOUR, Event, utc

OPENS, CLOSES = 9, 21
"""Rooms are let by the hour between these two, every day, in UTC."""

# ── hours ───────────────────────────────────────────────────────────────────────────────────────────────────


def hours(first: date, days: int) -> list[datetime]:
    """Every hour (its start) that a room is let within `days` days from `first`."""
    return [
        datetime.combine(first + timedelta(days=day), time(hour), UTC)
        for day in range(days)
        for hour in range(OPENS, CLOSES)
    ]


def free_hours(first: date, days: int, events: Iterable[Event]) -> list[datetime]:
    """The hours of `hours` that no event overlaps, earliest first."""
    taken = [(event.start, event.end) for event in events]
    return [hour for hour in hours(first, days) if not any(a < hour + HOUR and hour < b for a, b in taken)]


def name_of(hour: datetime) -> str:
    """The resource name under which a booking of this hour is stored, whoever books it."""
    return f"{utc(hour)}.ics"


def earlier_bookings(room: str, count: int, first: date, days: int) -> dict[str, datetime]:
    """The bookings a room starts with, by UID: the same `count` hours in every run, spread over all the days.

    The UID is the hour's own name: a system that takes a whole calendar at once names each event after its
    UID.

    Raises:
        ValueError: more bookings than hours.
    """
    chosen = random.Random(f"earlier bookings of {room}").sample(hours(first, days), count)
    return {utc(hour): hour for hour in sorted(chosen)}


# ── the audit's rules ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Booking:
    """What one journey did.

    `state` is what the citizen knows: `unsure` when the journey did not end well, so that the system may
    hold the booking or not. `etag` is empty where the system gave none.
    """

    journey: int
    calendar: str
    name: str
    uid: str
    start: datetime
    etag: str
    state: Literal["booked", "cancelled", "unsure"]


@dataclass(frozen=True)
class Rule:
    """One rule's result: how many things it examined, which broke it (in words), whose journeys that
    spoils.
    """

    name: str
    examined: int
    broken: tuple[str, ...]
    journeys: frozenset[int]


def examine(
    bookings: Sequence[Booking],
    calendars: Mapping[str, Sequence[Event]],
    earlier: Mapping[str, Mapping[str, datetime]],
) -> tuple[Rule, ...]:
    """What the calendars hold, against what citizens were told and what was there before.

    `calendars` has each calendar's events as read after the window; a calendar that could not be found has
    none.
    """
    held = {calendar: _by_uid(events) for calendar, events in calendars.items()}
    return (
        _kept([b for b in bookings if b.state == "booked"], held),
        _gone([b for b in bookings if b.state == "cancelled"], held),
        _tagged([b for b in bookings if b.state == "booked" and b.etag], held),
        _never_twice(bookings, calendars),
        _undisturbed(earlier, held),
    )


def _by_uid(events: Sequence[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.uid, []).append(event)
    return found


_Held = Mapping[str, Mapping[str, Sequence[Event]]]


def _rule(name: str, examined: int, broken: Sequence[tuple[str, Iterable[int]]]) -> Rule:
    spoilt = frozenset(journey for _, journeys in broken for journey in journeys)
    return Rule(name, examined, tuple(words for words, _ in broken), spoilt)


def _kept(bookings: Sequence[Booking], held: _Held) -> Rule:
    broken = []
    for b in bookings:
        found = held.get(b.calendar, {}).get(b.uid, ())
        if len(found) != 1:
            broken.append((f"{b.uid} stands {len(found)} times in {b.calendar}", [b.journey]))
        elif (found[0].name, found[0].start, found[0].end) != (b.name, b.start, b.start + HOUR):
            broken.append((f"{b.uid} in {b.calendar} is not the hour that was booked", [b.journey]))
    return _rule("every booking stands once, at its hour", len(bookings), broken)


def _gone(bookings: Sequence[Booking], held: _Held) -> Rule:
    broken = [
        (f"{b.uid} is still in {b.calendar}", [b.journey])
        for b in bookings
        if held.get(b.calendar, {}).get(b.uid)
    ]
    return _rule("every cancelled booking is gone", len(bookings), broken)


def _tagged(bookings: Sequence[Booking], held: _Held) -> Rule:
    broken = [
        (f"{b.uid} was given the entity tag {b.etag} and has {event.etag}", [b.journey])
        for b in bookings
        for event in held.get(b.calendar, {}).get(b.uid, ())
        if event.etag != b.etag
    ]
    return _rule("every booking keeps the entity tag it was given", len(bookings), broken)


def _never_twice(bookings: Sequence[Booking], calendars: Mapping[str, Sequence[Event]]) -> Rule:
    owner = {(b.calendar, b.uid): b.journey for b in bookings}
    broken = []
    examined = 0
    for calendar, events in calendars.items():
        starts = Counter(event.start for event in events)
        examined += len(starts)
        for start in (start for start, count in starts.items() if count > 1):
            uids = [event.uid for event in events if event.start == start]
            mine = [owner[calendar, uid] for uid in uids if (calendar, uid) in owner]
            broken.append((f"{calendar} is booked {len(uids)} times at {utc(start)}", mine))
    return _rule("no hour of a calendar is booked twice", examined, broken)


def _undisturbed(earlier: Mapping[str, Mapping[str, datetime]], held: _Held) -> Rule:
    broken: list[tuple[str, Iterable[int]]] = [
        (f"{uid} of {calendar} is gone, moved or there twice", ())
        for calendar, bookings in earlier.items()
        for uid, start in bookings.items()
        if [event.start for event in held.get(calendar, {}).get(uid, ())] != [start]
    ]
    return _rule("every earlier booking is left alone", sum(map(len, earlier.values())), broken)
