"""What one run of the generator answers with: a result file, read by the driver.

The one idea: nothing in it is an average of averages; times are mergeable histograms, everything else is
counts. Imports neither locust nor gevent.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from harness.judge.histogram import Histogram


@dataclass(frozen=True)
class StepTimes:
    """One step of the window's journeys: response time from the intended start, service time from the actual
    send.
    """

    response: Histogram
    service: Histogram


@dataclass(frozen=True)
class FailureCount:
    """How often one step failed in one way, with one example message."""

    step: str
    kind: str
    count: int
    example: str


@dataclass(frozen=True)
class Invariant:
    """One thing the audit examined over the system's own API; `violations` of `examined`."""

    name: str
    examined: int
    violations: int
    detail: str = ""


@dataclass(frozen=True)
class Second:
    """One second of the window: arrivals sent, ends by outcome, journey-time percentiles of those that ended
    (None: none).
    """

    second: int
    sent: int
    completed: int
    failed: int
    p50: float | None
    p95: float | None


@dataclass(frozen=True)
class GeneratorHealth:
    """The generator's own figures in the window: `cpu_share` of one core, lateness of sends in seconds,
    longest stall of its event loop, time in garbage collection.
    """

    cpu_share: float
    lateness_p99: float
    lateness_max: float
    stall_max: float
    collections: int
    collection_seconds: float


@dataclass(frozen=True)
class LoadResult:
    """One run. Counts are of journeys intended to start in the window.

    `scheduled` arrivals, `sent` of them started, `shed` turned away at the concurrency cap. Outcomes:
    `completed`, `failed`, `abandoned` (a step outlasted the citizen's patience, or unfinished when the
    follow-up ended; shed ones are counted here too), `refused` (properly). completed + failed + abandoned +
    refused = sent + shed. `incorrect` of the completed were found wrong by the audit; None when there was no
    audit. `journey_time` and `citizen_time` hold completed and refused journeys; the others rank slowest and
    are only counted. `window` is CLOCK_MONOTONIC seconds of its two ends. `bound` stands for a percentile
    that falls among them: the follow-up's bound, or the slowest completed journey if longer, so that a
    failure never looks faster than a success.
    """

    schedule_hash: str
    scheduled: int
    sent: int
    shed: int
    completed: int
    failed: int
    abandoned: int
    refused: int
    incorrect: int | None
    started_mix: Mapping[str, int]
    planned_mix: Mapping[str, int]
    journey_time: Histogram
    citizen_time: Histogram
    lateness: Histogram
    steps: Mapping[str, StepTimes]
    failures: tuple[FailureCount, ...]
    audit: tuple[Invariant, ...]
    timeline: tuple[Second, ...]
    health: GeneratorHealth
    window: tuple[float, float]
    bound: float

    def to_json(self) -> dict[str, Any]:
        """The result as JSON-ready data; histograms as base64 of their compact form."""
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in _HISTOGRAMS:
            data[name] = _packed(data[name])
        data["steps"] = {
            name: {"response": _packed(times.response), "service": _packed(times.service)}
            for name, times in self.steps.items()
        }
        for name in ("failures", "audit", "timeline"):
            data[name] = [asdict(entry) for entry in data[name]]
        data["health"] = asdict(self.health)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LoadResult:
        """The result back from `to_json`'s data.

        Raises:
            ValueError, KeyError, TypeError: not such data.
        """
        values = dict(data)
        for name in _HISTOGRAMS:
            values[name] = _unpacked(values[name])
        values["steps"] = {
            name: StepTimes(_unpacked(times["response"]), _unpacked(times["service"]))
            for name, times in values["steps"].items()
        }
        values["failures"] = tuple(FailureCount(**entry) for entry in values["failures"])
        values["audit"] = tuple(Invariant(**entry) for entry in values["audit"])
        values["timeline"] = tuple(Second(**entry) for entry in values["timeline"])
        values["health"] = GeneratorHealth(**values["health"])
        opens, closes = values["window"]
        values["window"] = (opens, closes)
        return cls(**values)


_HISTOGRAMS = ("journey_time", "citizen_time", "lateness")


def _packed(histogram: Histogram) -> str:
    return b64encode(histogram.to_bytes()).decode()


def _unpacked(text: str) -> Histogram:
    return Histogram.from_bytes(b64decode(text, validate=True))
