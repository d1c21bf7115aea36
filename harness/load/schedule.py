"""Who arrives when: the seeded open-workload schedule of one run.

The one idea: arrivals come at their own times, however slow the system is, and everything about them (time,
journey, citizen, eligibility) follows from the plan's seed alone. Host, interface and configuration play no
part, so every arm of a round meets the same citizens. Pure; each property is drawn from a stream of its own,
so that a change of the mix leaves the arrival times alone.
"""

from __future__ import annotations

import hashlib
import math
import random
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.load.plan import Plan


@dataclass(frozen=True, slots=True)
class Arrival:
    """One citizen: intended start `at` in seconds from the start of the warm-up, the journey to try, the
    citizen's number (unique in the run), the seed of their own choices, and whether the system should
    accept them.
    """

    at: float
    journey: str
    citizen: int
    seed: int
    eligible: bool


def schedule(plan: Plan) -> tuple[Arrival, ...]:
    """Every arrival of the run in order of time, over warm-up, window and follow-up (load continues while
    followed).

    Poisson arrivals have independent exponential gaps of mean 1/rate; constant ones come every 1/rate
    seconds, the first at 0.
    """
    horizon = plan.warm_up + plan.measure + plan.follow_up
    names = sorted(plan.journeys)
    bounds = list(accumulate(plan.journeys[name] for name in names))
    mix, citizens, eligibility = (_stream(plan.seed, what) for what in ("mix", "citizen", "eligible"))
    return tuple(
        Arrival(
            at=at,
            journey=mix.choices(names, cum_weights=bounds)[0],
            citizen=number,
            seed=citizens.getrandbits(63),
            eligible=eligibility.random() >= plan.ineligible,
        )
        for number, at in enumerate(_times(plan, horizon))
    )


def in_window(plan: Plan, arrival: Arrival) -> bool:
    """Whether the citizen is intended to start inside the measured window."""
    return plan.warm_up <= arrival.at < plan.warm_up + plan.measure


def planned_mix(plan: Plan, arrivals: Iterable[Arrival]) -> dict[str, int]:
    """Journeys planned to start in the window, by kind, those with none included."""
    counts = Counter(arrival.journey for arrival in arrivals if in_window(plan, arrival))
    return {name: counts[name] for name in sorted(plan.journeys)}


def schedule_hash(arrivals: Iterable[Arrival]) -> str:
    """SHA-256 over every arrival: equal for arms that met the same citizens at the same intended times."""
    digest = hashlib.sha256()
    for a in arrivals:
        digest.update(struct.pack("<dQQ?", a.at, a.citizen, a.seed, a.eligible))
        digest.update(a.journey.encode() + b"\0")
    return digest.hexdigest()


def _times(plan: Plan, horizon: float) -> Iterator[float]:
    if plan.arrivals == "constant":
        yield from (number / plan.rate for number in range(math.ceil(horizon * plan.rate)))
        return
    gaps = _stream(plan.seed, "arrivals")
    at = gaps.expovariate(plan.rate)
    while at < horizon:
        yield at
        at += gaps.expovariate(plan.rate)


def _stream(seed: int, what: str) -> random.Random:
    """A stream of its own for each property; seeded through SHA-512, so the same on every machine."""
    return random.Random(f"{seed}/{what}")  # noqa: S311 - a reproducible schedule, no secret
