"""The registry of metrics: the one place that says what a figure is called, what it counts and which way is
better.

CLI, judge, report and exporter read it; a new metric is one entry here and the line that fills it in
`trial.figures`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"


class Kind(StrEnum):
    """How two arms are compared (docs/method.md): as a ratio, as a difference, or as a cost with declared
    ranges.
    """

    RATIO = "ratio"
    DIFFERENCE = "difference"
    COST = "cost"


class Evidence(StrEnum):
    """Where a figure comes from, strongest first."""

    MEASURED = "measured"
    RECORDED = "recorded"
    ASSUMED = "assumed"
    DERIVED = "derived"


_STRENGTH = (Evidence.MEASURED, Evidence.RECORDED, Evidence.ASSUMED)


def weakest(classes: Iterable[Evidence]) -> Evidence:
    """The class of a figure derived from others: that of its weakest input (docs/method.md).

    Raises:
        ValueError: no inputs, or `derived` itself, which says nothing of what it was derived from.
    """
    found = list(classes)
    if not found or Evidence.DERIVED in found:
        raise ValueError(f"at least one input that is measured, recorded or assumed; found {found}")
    return max(found, key=_STRENGTH.index)


@dataclass(frozen=True)
class Metric:
    """One metric.

    `unit` is the unit of stored values: seconds, bytes, fraction, money per journey. `low_sample` is the
    least number of journeys in a run for its value to be given at all (a p99 from 30 journeys is not a p99).
    """

    name: str
    title: str
    unit: str
    direction: Direction
    kind: Kind
    evidence: Evidence
    meaning: str
    low_sample: int = 1


_LOWER, _HIGHER = Direction.LOWER, Direction.HIGHER
_RATIO, _DIFFERENCE, _COST = Kind.RATIO, Kind.DIFFERENCE, Kind.COST
_MEASURED = Evidence.MEASURED

_ALL = (
    Metric(
        "journey_time_p50", "Typical journey time", "seconds", _LOWER, _RATIO, _MEASURED,
        "Half of all journeys waited no longer than this for the system, think time left out.", 20,
    ),
    Metric(
        "journey_time_p95", "Journey time, 95th percentile", "seconds", _LOWER, _RATIO, _MEASURED,
        "19 in 20 journeys waited no longer than this for the system, think time left out.", 20,
    ),
    Metric(
        "journey_time_p99", "Journey time, 99th percentile", "seconds", _LOWER, _RATIO, _MEASURED,
        "99 in 100 journeys waited no longer than this for the system, think time left out.", 100,
    ),
    Metric(
        "citizen_time_p95", "Citizen's time, 95th percentile", "seconds", _LOWER, _RATIO, _MEASURED,
        "19 in 20 citizens were done within this time, think time included.", 20,
    ),
    Metric(
        "completion_rate", "Completion rate", "fraction", _HIGHER, _DIFFERENCE, _MEASURED,
        "Journeys that reached their end, a proper refusal included, of all that started.",
    ),
    Metric(
        "abandonment_rate", "Abandonment rate", "fraction", _LOWER, _DIFFERENCE, _MEASURED,
        "Journeys given up because a step outlasted the citizen's patience, of all that started.",
    ),
    Metric(
        "correctness", "Correctness", "fraction", _HIGHER, _DIFFERENCE, _MEASURED,
        "Completed journeys whose outcome the audit found right in the system, of all completed.",
    ),
    Metric(
        "cpu_per_journey", "Processor time per journey", "seconds", _LOWER, _RATIO, _MEASURED,
        "Processor time of the system's whole process tree in the window, per journey started.",
    ),
    Metric(
        "memory_mean", "Memory, mean", "bytes", _LOWER, _RATIO, _MEASURED,
        "Mean proportional set size of the system's whole process tree in the window.",
    ),
    Metric(
        "memory_peak", "Memory, peak", "bytes", _LOWER, _RATIO, _MEASURED,
        "Highest sampled proportional set size of the system's whole process tree in the window.",
    ),
    Metric(
        "disk_written_per_journey", "Written to disk per journey", "bytes", _LOWER, _RATIO, _MEASURED,
        "Bytes the system's process tree had written to storage in the window, per journey started.",
    ),
    Metric(
        "network_per_journey", "Network bytes per journey", "bytes", _LOWER, _RATIO, _MEASURED,
        "Bytes over the network interface the load used in the window, both ways, per journey started.",
    ),
    Metric(
        "time_to_deploy", "Time to deploy", "seconds", _LOWER, _RATIO, _MEASURED,
        "From configuration written to the system's first healthy answer.",
    ),
    Metric(
        "cost_per_transaction", "Cost per transaction", "money", _LOWER, _COST, Evidence.DERIVED,
        "All costs of the year, frontline, middle and overhead, per completed journey.",
    ),
    Metric(
        "cost_per_successful_outcome", "Cost per successful outcome", "money", _LOWER, _COST,
        Evidence.DERIVED,
        "All costs of the year and of failed journeys in another channel, per correct and completed journey.",
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric by name, in the order in which tables show them."""

ALWAYS_GUARDED = ("completion_rate", "correctness")
"""Metrics that guard every trial, whether its protocol names them or not (docs/method.md)."""
