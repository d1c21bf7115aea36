"""The book: every booking of one body, in SQLite.

The one idea: that a slot is given once is promised by the database (schema.sql), not by the order in
which this code runs. Every write is one immediate transaction, which also records the answer given under
the request's idempotency key; so a write is done and remembered, or neither.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from booking.calendars import Calendar, Slot
from booking.configuration import Configuration, Resource
from booking.people import Details
from booking.problems import Problem, not_a_slot, slot_taken, unknown

Answer = tuple[int, dict[str, Any]]
"""Status and JSON body."""

ANSWERS_KEPT = 24 * 3600.0
"""Seconds for which a repeated write is recognised."""

_LIVE = "state IN ('held', 'confirmed') AND (state = 'confirmed' OR expires_at > :now)"
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def initialise(path: Path) -> None:
    """Make an empty book. Raises sqlite3.Error if there is one already."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))
    finally:
        connection.close()


class Book:
    """One connection to the book; belongs to one thread at a time. `clock` gives seconds since 1970."""

    def __init__(self, path: Path, configuration: Configuration, clock: Callable[[], float]) -> None:
        self._configuration = configuration
        self._calendar = Calendar(configuration)
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        self._db.row_factory = sqlite3.Row
        self._db.execute(f"PRAGMA synchronous = {'FULL' if configuration.durability == 'full' else 'NORMAL'}")

    def close(self) -> None:
        """Let the database go."""
        self._db.close()

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────

    def today(self) -> date:
        """The local date."""
        return datetime.fromtimestamp(self._clock(), self._configuration.zone).date()

    def window(self) -> tuple[date, date]:
        """First and last day that can be booked."""
        return self._calendar.window(self._clock())

    def days(self, resource: Resource) -> list[dict[str, Any]]:
        """Days with slots and how many are free, counting one booking a slot (`slots` looks closer)."""
        now = self._clock()
        first, last = self._calendar.window(now)
        taken: dict[str, int] = dict(
            self._db.execute(
                "SELECT day, count(*) FROM bookings"
                f" WHERE resource = :resource AND day BETWEEN :first AND :last AND {_LIVE} GROUP BY day",
                {"resource": resource.id, "first": first.isoformat(), "last": last.isoformat(), "now": now},
            ).fetchall()
        )
        days = []
        for ordinal in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            if slots := self._calendar.slots(resource, day, now):
                written = day.isoformat()
                days.append({"day": written, "free": max(0, len(slots) - taken.get(written, 0))})
        return days

    def free(self, resource: Resource, first: date, last: date) -> list[Slot]:
        """The free slots of the days from `first` to `last`, in order of time."""
        now = self._clock()
        opens, closes = self._calendar.window(now)
        days = range(max(first, opens).toordinal(), min(last, closes).toordinal() + 1)
        slots = [
            slot
            for ordinal in days
            for slot in self._calendar.slots(resource, date.fromordinal(ordinal), now)
        ]
        if not slots:
            return []
        taken = self._db.execute(
            "SELECT starts_at, ends_at FROM bookings WHERE resource = :resource"
            f" AND starts_at > :first - 86400 AND starts_at < :last AND {_LIVE} ORDER BY starts_at",
            {"resource": resource.id, "first": slots[0].starts_at, "last": slots[-1].ends_at, "now": now},
        ).fetchall()
        starts, ends = [row[0] for row in taken], [row[1] for row in taken]

        def is_free(slot: Slot) -> bool:
            # Live bookings of a resource never overlap: only the last that starts before the slot's end
            # can meet it.
            before = bisect_left(starts, slot.ends_at)
            return before == 0 or ends[before - 1] <= slot.starts_at

        return [slot for slot in slots if is_free(slot)]

    def get(self, booking_id: str) -> dict[str, Any]:
        """A booking by its id. Raises Problem 404."""
        return self._shown(self._row(booking_id))

    def search(self, reference: str, family_name: str) -> dict[str, Any]:
        """A confirmed booking by the two things a citizen knows. Raises Problem 404."""
        row = self._db.execute(
            "SELECT * FROM bookings WHERE reference = ?", (reference.strip().upper(),)
        ).fetchone()
        if (
            row is None
            or row["state"] != "confirmed"
            or row["family_name"].casefold() != family_name.strip().casefold()
        ):
            raise unknown("booking")
        return self._shown(row)

    def audit(self, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
        """Up to `limit` bookings numbered above `after`, and where to go on (None: that was all)."""
        rows = self._db.execute(
            "SELECT * FROM bookings WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
        ).fetchall()
        shown = [
            self._shown(row)
            | {"email": row["email"], "people": json.loads(row["people"] or "[]"), "number": row["number"]}
            for row in rows
        ]
        return shown, rows[-1]["number"] if len(rows) == limit else None

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────

    def hold(self, resource: Resource, starts_at: int) -> Answer:
        """Keep a slot for a citizen who is still filling in. Raises Problem: no such slot, slot taken."""
        now = self._clock()
        slot = self._calendar.slot_at(resource, starts_at, now)
        if slot is None:
            raise not_a_slot()
        self._expire(resource.id, slot.starts_at, slot.ends_at, now)
        identity = secrets.token_urlsafe(16)
        self._insert(
            {
                "id": identity,
                "reference": self._reference(),
                "resource": resource.id,
                "slot": slot,
                "state": "held",
                "expires_at": now + self._configuration.hold_seconds,
            },
            now,
        )
        return 201, self.get(identity)

    def confirm(self, booking_id: str, details: Details) -> Answer:
        """Turn a hold into a booking. Raises Problem: no such booking, hold over, not held."""
        now = self._clock()
        row = self._row(booking_id)
        if row["state"] == "expired" or (row["state"] == "held" and row["expires_at"] <= now):
            raise Problem(
                409, "hold-over", "The time was kept too long", "Hold a time again; this one may be gone."
            )
        if row["state"] != "held":
            raise Problem(409, "not-held", f"This booking is {row['state']}")
        people = details.people_as_json()
        self._db.execute(
            "UPDATE bookings SET state = 'confirmed', expires_at = NULL, people = ?, family_name = ?,"
            " email = ?, telephone = ?, changed_at = ? WHERE number = ?",
            (
                *(people, details.people[0].family_name, details.email, details.telephone),
                *(now, row["number"]),
            ),
        )
        return 200, self.get(booking_id)

    def cancel(self, booking_id: str) -> Answer:
        """Give a held or confirmed slot back. Raises Problem: no such booking, not live, already begun."""
        now = self._clock()
        row = self._row(booking_id)
        if row["state"] not in ("held", "confirmed"):
            raise Problem(409, "not-live", f"This booking is {row['state']} already")
        if row["starts_at"] <= now:
            raise Problem(409, "begun", "This appointment has begun")
        self._db.execute(
            "UPDATE bookings SET state = 'cancelled', expires_at = NULL, changed_at = ? WHERE number = ?",
            (now, row["number"]),
        )
        return 200, self.get(booking_id)

    def take_over(self, bookings: Iterable[tuple[Resource, int, str, Details]]) -> Answer:
        """Confirmed bookings from elsewhere: resource, start, reference, details. All or none."""
        now = self._clock()
        count = 0
        for resource, starts_at, reference, details in bookings:
            slot = self._calendar.slot_at(resource, starts_at, now)
            if slot is None:
                raise not_a_slot()
            self._insert(
                {
                    "id": secrets.token_urlsafe(16),
                    "reference": reference,
                    "resource": resource.id,
                    "slot": slot,
                    "state": "confirmed",
                    "people": details.people_as_json(),
                    "family_name": details.people[0].family_name,
                    "email": details.email,
                    "telephone": details.telephone,
                },
                now,
            )
            count += 1
        return 201, {"imported": count}

    def once(self, key: str, fingerprint: str, action: Callable[[], Answer]) -> Answer:
        """Do `action` and remember its answer under `key`, or give the answer remembered.

        A refused action leaves nothing behind, its key included, so that it can be tried again.

        Raises:
            Problem: 422 for a key that another request has used, 503 when the book stays locked too long, and
                what `action` raises.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise Problem(503, "busy", "The service is busy", "Try again.") from error
        try:
            now = self._clock()
            row = self._db.execute(
                "SELECT fingerprint, status, body FROM answers WHERE key = ?", (key,)
            ).fetchone()
            if row is not None:
                if row["fingerprint"] != fingerprint:
                    raise Problem(422, "key-reused", "This Idempotency-Key belongs to another request")
                answer: Answer = row["status"], json.loads(row["body"])
            else:
                answer = action()
                self._db.execute("DELETE FROM answers WHERE given_at < ?", (now - ANSWERS_KEPT,))
                self._db.execute(
                    "INSERT INTO answers VALUES (?, ?, ?, ?, ?)",
                    (key, fingerprint, answer[0], json.dumps(answer[1]), now),
                )
            self._db.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            self._db.execute("ROLLBACK")
            if "reference" in str(error):
                raise Problem(409, "reference-used", "A reference is in use already") from error
            raise slot_taken() from error
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return answer

    # ── within ──────────────────────────────────────────────────────────────────────────────────────────

    def _row(self, booking_id: str) -> sqlite3.Row:
        row = self._db.execute("SELECT * FROM bookings WHERE id = ?", (booking_id,)).fetchone()
        if row is None:
            raise unknown("booking")
        assert isinstance(row, sqlite3.Row)
        return row

    def _expire(self, resource: str, starts_at: int, ends_at: int, now: float) -> None:
        self._db.execute(
            "UPDATE bookings SET state = 'expired', changed_at = :now WHERE resource = :resource"
            " AND state = 'held' AND expires_at <= :now AND state IN ('held', 'confirmed')"
            " AND starts_at > :starts_at - 86400 AND starts_at < :ends_at AND ends_at > :starts_at",
            {"resource": resource, "starts_at": starts_at, "ends_at": ends_at, "now": now},
        )

    def _insert(self, booking: Mapping[str, Any], now: float) -> None:
        slot: Slot = booking["slot"]
        columns = (
            "id",
            "reference",
            "resource",
            "state",
            "expires_at",
            "people",
            "family_name",
            "email",
            "telephone",
        )
        self._db.execute(
            f"INSERT INTO bookings ({', '.join(columns)}, starts_at, ends_at, day, created_at, changed_at)"
            f" VALUES ({', '.join('?' * 14)})",
            (
                *(booking.get(column) for column in columns),
                slot.starts_at,
                slot.ends_at,
                slot.start[:10],
                now,
                now,
            ),
        )

    def _reference(self) -> str:
        return self._configuration.reference_prefix + "".join(secrets.choice(_ALPHABET) for _ in range(8))

    def _shown(self, row: sqlite3.Row) -> dict[str, Any]:
        state = row["state"]
        if state == "held" and row["expires_at"] <= self._clock():
            state = "expired"
        shown = {
            "id": row["id"],
            "reference": row["reference"],
            "resource": row["resource"],
            "start": self._calendar.local(row["starts_at"]),
            "end": self._calendar.local(row["ends_at"]),
            "state": state,
        }
        if state == "held":
            shown["held_until"] = self._calendar.local(int(row["expires_at"]))
        return shown
