"""Opening hours turned into slots: pure functions of a configuration, a resource and a day.

The one idea: hours are written in local time, slots are kept as seconds since 1970 UTC. Local times are
converted once, at the ends of an opening interval; slots between are counted in elapsed time, so that
days on which clocks change are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from booking.configuration import Configuration, Resource


@dataclass(frozen=True)
class Slot:
    """One bookable length of time: seconds since 1970 UTC, and the same start as citizens read it."""

    starts_at: int
    ends_at: int
    start: str


class Calendar:
    """All resources' slots. Days outside the booking window have none."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        days = configuration.open_for_days * len(configuration.resources)
        self._slots_of = lru_cache(maxsize=2 * days)(self._compute)

    def window(self, now: float) -> tuple[date, date]:
        """First and last day that can be booked, seen from `now` (seconds since 1970)."""
        today = datetime.fromtimestamp(now, self._configuration.zone).date()
        first = today + timedelta(days=self._configuration.opens_after_days)
        return first, first + timedelta(days=self._configuration.open_for_days - 1)

    def slots(self, resource: Resource, day: date, now: float) -> tuple[Slot, ...]:
        """The slots of a day in order of time, those that have begun left out; booked ones included."""
        first, last = self.window(now)
        if not first <= day <= last:
            return ()
        slots = self._slots_of(resource.id, day)
        return (
            slots if not slots or slots[0].starts_at > now else tuple(s for s in slots if s.starts_at > now)
        )

    def slot_at(self, resource: Resource, starts_at: int, now: float) -> Slot | None:
        """The slot that starts at that second, or None."""
        try:
            day = datetime.fromtimestamp(starts_at, self._configuration.zone).date()
        except (OverflowError, ValueError, OSError):
            return None
        return next((s for s in self.slots(resource, day, now) if s.starts_at == starts_at), None)

    def local(self, seconds: int) -> str:
        """A moment as citizens read it: ISO 8601 in the body's time zone, with its offset."""
        return datetime.fromtimestamp(seconds, self._configuration.zone).isoformat()

    def _compute(self, resource_id: str, day: date) -> tuple[Slot, ...]:
        if day in self._configuration.closed:
            return ()
        length = self._configuration.slot_seconds
        slots: list[Slot] = []
        for opens, closes in self._configuration.resources[resource_id].hours.get(day.weekday(), ()):
            start, end = self._seconds(day, opens), self._seconds(day, closes)
            while start + length <= end:
                slots.append(Slot(start, start + length, self.local(start)))
                start += length
        return tuple(slots)

    def _seconds(self, day: date, at: time) -> int:
        local = datetime.combine(day, at, self._configuration.zone)
        return int(local.astimezone(UTC).timestamp())
