"""What one run of the generator is asked to do: a plan file, JSON, read by the child process.

The one idea: the plan and the seed fix every arrival, citizen and choice beforehand, so all arms of a round replay the same
demand. This module imports neither locust nor gevent: the harness's own process uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Plan:
    """One run's load. Times in seconds, `rate` in arrivals per second.

    `journeys` maps each journey to its weight in the mix; `ineligible` is the share of citizens who should be refused;
    `concurrency` caps journeys in flight (arrivals beyond it are shed and counted); `patience` is how long a citizen
    waits for one step; `journey_deadline` bounds a journey; `follow_up` bounds how long journeys intended to start in the
    window are followed after it closes; `parameters` (the scenario's) and `configuration` (the system's) reach the journeys unread.
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

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """The plan back from `to_json`'s data."""
        return cls(**data)
