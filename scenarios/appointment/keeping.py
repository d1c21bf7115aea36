"""The audit: what the system keeps, held against what citizens were told. Pure; both interfaces share it.

The one idea: a citizen who was told "booked" has exactly one appointment, at that time and in that name;
whoever was told anything else has none; and nothing else has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from wishes import Earlier

from harness.load import Audit, Invariant, JourneyRecord, Outcome


@dataclass(frozen=True)
class Kept:
    """One appointment as the system keeps it. `start` is local: 2027-01-04T09:00. `made`: confirmed and not
    cancelled; `live`: its slot is not free for others.
    """

    reference: str
    office: str
    start: str
    name: str
    email: str
    made: bool
    live: bool


def examine(
    kept: Sequence[Kept], free: set[tuple[str, str]], journeys: Sequence[JourneyRecord], existing: int
) -> Audit:
    """Hold what the system keeps against what citizens were told; `existing` were made earlier."""
    incorrect: set[int] = set()
    by_reference: dict[str, list[Kept]] = {}
    for item in kept:
        by_reference.setdefault(item.reference, []).append(item)
    live = Counter((item.office, item.start) for item in kept if item.live)
    made_for = {item.email for item in kept if item.made}
    touched = {record.facts.get("cancels") for record in journeys}
    untouched = [e for e in map(Earlier, range(existing)) if e.reference not in touched]
    booked = [r for r in journeys if r.journey == "book" and r.outcome is Outcome.COMPLETED]
    cancelled = [r for r in journeys if r.journey == "cancel" and r.outcome is Outcome.COMPLETED]
    refused = [r for r in journeys if r.outcome is Outcome.REFUSED]

    def invariant(name: str, examined: int, violations: Sequence[str]) -> Invariant:
        return Invariant(name, examined, len(violations), "; ".join(violations[:3]))

    twice = [f"{office} {start}: {count} bookings" for (office, start), count in live.items() if count > 1]
    offered = [f"{office} {start}" for office, start in live if (office, start) in free]
    wrong, not_free, let_in = [], [], []
    for record in booked:
        facts = record.facts
        expected = [(facts["office"], facts["start"], facts["name"], facts["email"], True)]
        found = [
            (k.office, k.start, k.name, k.email, k.made) for k in by_reference.get(facts["reference"], [])
        ]
        double = live[(facts["office"], facts["start"])] > 1
        if found != expected:
            wrong.append(f"{facts['reference']}: told {expected[0][:2]}, kept {found[:2]}")
        if found != expected or double:
            incorrect.add(record.id)
    for record in cancelled:
        found_kept = by_reference.get(record.facts["cancels"], [])
        gone = len(found_kept) == 1 and not found_kept[0].live
        slot = (found_kept[0].office, found_kept[0].start) if found_kept else ("", "")
        if not gone or (slot not in free and live[slot] != 1):
            not_free.append(
                f"{record.facts['cancels']}: {'its slot is not free' if gone else 'still stands'}"
            )
            incorrect.add(record.id)
    for record in refused:
        if record.facts.get("email") in made_for:
            let_in.append(str(record.facts["email"]))
            incorrect.add(record.id)
    lost = []
    for earlier in untouched:
        stands = [k for k in by_reference.get(earlier.reference, []) if k.made and k.email == earlier.email]
        if len(stands) != 1:
            lost.append(earlier.reference)
    return Audit(
        (
            invariant("no slot is booked twice", len(live), twice),
            invariant("no booked slot is offered", len(live), offered),
            invariant("every appointment made is kept once, at its time, in its name", len(booked), wrong),
            invariant("every appointment cancelled is gone and its slot free", len(cancelled), not_free),
            invariant("nobody refused has an appointment", len(refused), let_in),
            invariant("every appointment made earlier still stands", len(untouched), lost),
        ),
        frozenset(incorrect),
    )
