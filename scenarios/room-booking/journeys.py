"""Booking a community room over CalDAV (`caldav/v1`).

The one idea: the citizen looks at some days of each room's calendar by REPORT, takes a free hour and puts
the booking under that hour's name with `If-None-Match: *`. Whoever comes second gets 412 and looks again.
The front desk's account owns all calendars: the citizens of a run are its callers.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from secrets import token_hex
from types import MappingProxyType
from typing import Any, Literal

from caldav_text import (
    Event,
    UnreadableAnswerError,
    calendar_query,
    calendar_text,
    new_calendar,
    read_events,
    read_moment,
    utc,
)
from room_rules import Booking, earlier_bookings, examine, free_hours, hours, name_of

from harness.load import (
    Audit,
    Citizen,
    Invariant,
    JourneyRecord,
    Outcome,
    StepFailed,
    SystemUnderTest,
    journey,
)

LOOKS = 8
"""How often a citizen looks before giving up: days that are full or an hour lost to somebody else cost
one.
"""

PROBES = 20
"""How many bookings the audit tries to book over."""

RUN = token_hex(4)
"""Part of every name that citizens make up, since under plain Locust a system outlives a run."""


class CalDavCitizen(Citizen):
    interface = "caldav/v1"
    recognise_path = "/.well-known/caldav"
    # A body's account comes with its configuration. Plain Locust has none: run the system with this one.
    configuration: Mapping[str, Any] = MappingProxyType(
        {"user": "front-desk", "password": "scratch-only-northmoor"}
    )

    @journey(weight=6)
    def book_a_room(self) -> None:
        self._book()

    @journey(weight=3)
    def cancel_a_room(self) -> None:
        path, etag = self._book()
        self._think()
        with self.step("cancel"):
            condition = {"If-Match": etag} if etag else {}
            self.expect(self.delete(path, headers={**self._account(), **condition}), 200, 204)
        self.note(cancelled=True)

    @journey(weight=1)
    def open_a_calendar(self) -> None:
        calendar = f"club-{RUN}-{self.citizen}"
        with self.step("open a calendar"):
            answer = self.request(
                "MKCALENDAR",
                self._path(calendar),
                data=new_calendar(f"Club {self.citizen}"),
                headers={**self._account(), "Content-Type": "application/xml; charset=utf-8"},
            )
            self.expect(answer, 201)
        self._think()
        hour = self.random.choice(hours(self._first_day, self._days))
        if self._put(calendar, hour) is None:
            self.fail("taken", "an hour of a calendar that was opened just now")

    def _book(self) -> tuple[str, str]:
        """Find an hour in one of the rooms and book it; the booking's path and entity tag."""
        ahead = int(self.parameters["looks_ahead"])
        start = self._first_day + timedelta(days=self.random.randrange(self._days))
        for _ in range(LOOKS):
            with self.step("look for free time"):
                free = [
                    (room, hour)
                    for room in self.parameters["rooms"]
                    for hour in self._free(room, start, ahead)
                ]
            if not free:
                start += timedelta(days=ahead)
                continue
            self._think()
            room, hour = self.random.choice(free)
            etag = self._put(room, hour)
            if etag is not None:
                return self._path(room, name_of(hour)), etag
        raise StepFailed("no free hour", f"after {LOOKS} looks")

    def _free(self, room: str, start: date, days: int) -> list[datetime]:
        query = calendar_query(_midnight(start), _midnight(start + timedelta(days=days)))
        return free_hours(start, days, _report(self, self._path(room), self._account(), query))

    def _put(self, calendar: str, hour: datetime) -> str | None:
        """Put the booking under its hour's name; its entity tag ("" where none was given), None if the
        hour is taken.
        """
        uid = f"journey-{RUN}-{self.citizen}-{utc(hour)}"
        with self.step("book"):
            self.note(calendar=calendar, uid=uid, start=utc(hour))
            answer = self.put(
                self._path(calendar, name_of(hour)),
                data=calendar_text([(uid, hour, f"Caller {self.citizen}; one hour, {calendar}")]),
                headers={**self._account(), **_CREATE},
            )
            if answer.status_code == 412:
                return None
            self.expect(answer, 201)
            etag = str(answer.headers.get("ETag") or "")
            self.note(etag=etag)
        return etag

    def _think(self) -> None:
        self.think(*self.parameters["think"])

    @property
    def _first_day(self) -> date:
        return date.fromisoformat(self.parameters["first_day"])

    @property
    def _days(self) -> int:
        return int(self.parameters["days"])

    def _path(self, calendar: str, name: str = "") -> str:
        return _path(self.configuration, calendar, name)

    def _account(self) -> dict[str, str]:
        return _account(self.configuration)

    @classmethod
    def seed(cls, system: SystemUnderTest) -> None:
        for room in system.parameters["rooms"]:
            events = [(uid, hour, "Booked before") for uid, hour in _earlier(system, room).items()]
            # The whole calendar in one PUT: no part of RFC 4791, but Radicale's way of taking one in, which
            # spares it a look at all other events for each. Every one of them is audited.
            answer = system.put(
                _path(system.configuration, room),
                data=calendar_text(events),
                headers={**_account(system.configuration), "Content-Type": "text/calendar; charset=utf-8"},
            )
            system.expect(answer, 201)

    @classmethod
    def audit(cls, system: SystemUnderTest, journeys: Sequence[JourneyRecord]) -> Audit:
        bookings = [_booking(record) for record in journeys if "uid" in record.facts]
        rooms = {room: _earlier(system, room) for room in system.parameters["rooms"]}
        calendars = {name: _all_events(system, name) for name in {*rooms, *(b.calendar for b in bookings)}}
        rules = examine(bookings, calendars, rooms)
        invariants = [Invariant(r.name, r.examined, len(r.broken), "; ".join(r.broken[:3])) for r in rules]
        # Last, because a system that breaks this promise loses a booking by being asked.
        invariants.append(_second_put(system, [b for b in bookings if b.state == "booked"][:PROBES]))
        return Audit(tuple(invariants), frozenset[int]().union(*(rule.journeys for rule in rules)))


_CREATE = {"If-None-Match": "*", "Content-Type": "text/calendar; charset=utf-8"}


def _path(configuration: Mapping[str, Any], calendar: str, name: str = "") -> str:
    return f"/{configuration['user']}/{calendar}/{name}"


def _account(configuration: Mapping[str, Any]) -> dict[str, str]:
    pair = f"{configuration['user']}:{configuration['password']}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _earlier(system: SystemUnderTest, room: str) -> dict[str, datetime]:
    given = system.parameters
    first = date.fromisoformat(given["first_day"])
    return earlier_bookings(room, int(given["bookings_per_room"]), first, int(given["days"]))


def _report(
    asker: Citizen | SystemUnderTest, path: str, account: Mapping[str, str], query: bytes
) -> tuple[Event, ...]:
    headers = {**account, "Depth": "1", "Content-Type": "application/xml; charset=utf-8"}
    answer = asker.expect(asker.request("REPORT", path, data=query, headers=headers), 207)
    try:
        return read_events(answer.content)
    except UnreadableAnswerError as fault:
        raise StepFailed("unreadable answer", str(fault)) from fault


def _all_events(system: SystemUnderTest, calendar: str) -> tuple[Event, ...]:
    """Every event of a calendar; none where there is no such calendar, which the rules then say of its
    bookings.
    """
    path, account = _path(system.configuration, calendar), _account(system.configuration)
    if system.request("PROPFIND", path, headers={**account, "Depth": "0"}).status_code == 404:
        return ()
    return _report(system, path, account, calendar_query())


def _booking(record: JourneyRecord) -> Booking:
    facts = record.facts
    state: Literal["booked", "cancelled", "unsure"] = "unsure"
    if record.outcome is Outcome.COMPLETED:
        state = "cancelled" if facts.get("cancelled") else "booked"
    start = read_moment(facts["start"])
    return Booking(
        record.id, facts["calendar"], name_of(start), facts["uid"], start, facts.get("etag", ""), state
    )


def _second_put(system: SystemUnderTest, bookings: Sequence[Booking]) -> Invariant:
    account = _account(system.configuration)
    broken = []
    for b in bookings:
        answer = system.put(
            _path(system.configuration, b.calendar, b.name),
            data=calendar_text([(f"audit-{b.uid}", b.start, "Asked for twice")]),
            headers={**account, **_CREATE},
        )
        if answer.status_code != 412:
            broken.append(f"{b.uid}: status {answer.status_code}, not 412")
    return Invariant("an hour taken is refused (412)", len(bookings), len(broken), "; ".join(broken[:3]))
