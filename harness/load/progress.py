"""What the generator says while it runs, as plain types that both of its ends know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Phase = Literal["seed", "warm_up", "measure", "follow_up", "audit"]

ErrorKind = Literal["scenario", "seed", "audit", "died", "timeout", "system_gone"]
"""Why a run gave no result. `scenario`: a bug in journeys.py. `seed`, `audit`: the system answered these
wrongly, or they raised. `system_gone`: it did not answer at all before the load began. `died`: the
generator ended by itself. `timeout`: it outlasted the plan's bound and was ended.
"""


@dataclass(frozen=True)
class Progress:
    """Where a run stands. Counts are of the journeys intended to start in the warm-up, from `measure` on in
    the window.

    `window` holds the CLOCK_MONOTONIC moments of its two ends, known from the start of the warm-up. `failed`
    includes the abandoned. `p95` is of the journey time in seconds, None where there is none or it falls
    among failed journeys.
    """

    phase: Phase
    window: tuple[float, float] | None
    sent: int
    completed: int
    failed: int
    in_flight: int
    p95: float | None
    lateness_p99: float

    def to_json(self) -> dict[str, Any]:
        """The progress as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Progress:
        """The progress back from `to_json`'s data."""
        window = data["window"]
        return cls(**{**data, "window": None if window is None else (window[0], window[1])})
