"""What one run of the generator is asked to do: a plan file, JSON, read by the child process.

The one idea: the plan and the seed fix every arrival, citizen and choice beforehand, so all arms of a round
replay the same demand. This module imports neither locust nor gevent: the harness's own process uses it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Plan:
    """One run's load. Times in seconds, `rate` in arrivals per second.

    `journeys` maps each journey to its weight in the mix; `ineligible` is the share of citizens who should be
    refused; `concurrency` caps journeys in flight (arrivals beyond it are shed and counted); `patience` is
    how long a citizen waits for one step; `journey_deadline` bounds a journey; `follow_up` bounds how long
    journeys intended to start in the window are followed after it closes; `seed_deadline` and
    `audit_deadline` bound what the scenario does before and after; `parameters` (the scenario's) and
    `configuration` (the system's) reach the journeys unread.

    Raises:
        ValueError: a quantity that no run can have, named.
    """

    journeys_file: str
    interface: str
    host: str
    seed: int
    rate: float
    arrivals: Literal["poisson", "constant"]
    warm_up: float
    measure: float
    follow_up: float
    journeys: Mapping[str, float]
    ineligible: float = 0.0
    concurrency: int = 500
    patience: float = 10.0
    journey_deadline: float = 60.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    seed_deadline: float = 60.0
    audit_deadline: float = 60.0

    def __post_init__(self) -> None:
        for name in ("rate", "measure", "patience", "journey_deadline", "seed_deadline", "audit_deadline"):
            self._check(name, above_zero=True)
        for name in ("warm_up", "follow_up", "ineligible"):
            self._check(name, above_zero=False)
        if self.ineligible > 1:
            raise ValueError(f"plan: ineligible is a share from 0 to 1; found {self.ineligible}")
        if self.concurrency < 1:
            raise ValueError(f"plan: concurrency is at least 1; found {self.concurrency}")
        if self.arrivals not in ("poisson", "constant"):
            raise ValueError(f"plan: arrivals are poisson or constant; found {self.arrivals!r}")
        if not self.journeys or any(not math.isfinite(w) or w <= 0 for w in self.journeys.values()):
            raise ValueError(f"plan: journeys each have a weight above zero; found {dict(self.journeys)}")

    def _check(self, name: str, *, above_zero: bool) -> None:
        value = getattr(self, name)
        if not math.isfinite(value) or value < 0 or (above_zero and value == 0):
            raise ValueError(
                f"plan: {name} is a finite number {'above' if above_zero else 'from'} zero; found {value}"
            )

    @property
    def window(self) -> tuple[float, float]:
        """The measured window's ends in seconds from the start of the warm-up."""
        return self.warm_up, self.warm_up + self.measure

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """The plan back from `to_json`'s data."""
        return cls(**data)
