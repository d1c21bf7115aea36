"""From what one run yielded to its record: figures by metric, counts, histograms, failures.

The one idea: a figure is given only where the sample bears it, and a percentile that falls among failed or abandoned
journeys is the follow-up bound, marked censored ("at least this"), never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.judge.histogram import Histogram
from harness.judge.metrics import METRICS
from harness.load.result import LoadResult
from harness.measure.types import MachineUse, ResourceUse
from harness.store.records import AuditCheck, Failure, Value

_PERCENTILES = {
    "journey_time_p50": ("journey", 50.0),
    "journey_time_p95": ("journey", 95.0),
    "journey_time_p99": ("journey", 99.0),
    "citizen_time_p95": ("citizen", 95.0),
}


def values(result: LoadResult, use: ResourceUse | None, ready_after: float) -> dict[str, Value]:
    """Figures by metric name (docs/method.md), in the registry's units."""
    ended = result.completed + result.failed + result.abandoned + result.refused
    slower = result.failed + result.abandoned
    figures: dict[str, Value] = {"time_to_deploy": Value(ready_after)}
    for name, (series, percent) in _PERCENTILES.items():
        if ended < METRICS[name].low_sample:
            continue
        histogram = result.journey_time if series == "journey" else result.citizen_time
        found = histogram.percentile(percent, slower=slower)
        figures[name] = Value(result.bound, censored=True) if found is None else Value(found)
    if ended:
        figures["completion_rate"] = Value((result.completed + result.refused) / ended)
        figures["abandonment_rate"] = Value(result.abandoned / ended)
    if result.completed and result.incorrect is not None:
        figures["correctness"] = Value((result.completed - result.incorrect) / result.completed)
    if use is not None and result.sent:
        figures["cpu_per_journey"] = Value(use.cpu_seconds / result.sent)
        per_journey = {
            "disk_written_per_journey": use.disk_written,
            "network_per_journey": use.network_received,
        }
        figures |= {n: Value(total / result.sent) for n, total in per_journey.items() if total is not None}
        memory = {"memory_mean": use.memory_mean, "memory_peak": use.memory_peak}
        figures |= {name: Value(size) for name, size in memory.items() if size is not None}
    return figures


def counts(result: LoadResult) -> dict[str, int]:
    """Journeys of the window by what became of them."""
    found = {
        "scheduled": result.scheduled,
        "sent": result.sent,
        "shed": result.shed,
        "completed": result.completed,
        "failed": result.failed,
        "abandoned": result.abandoned,
        "refused": result.refused,
    }
    if result.incorrect is not None:
        found["correct"] = result.completed - result.incorrect
    return found


def histograms(result: LoadResult) -> dict[str, bytes]:
    """Every series of times, compressed."""
    series: dict[str, Histogram] = {
        "journey": result.journey_time,
        "citizen": result.citizen_time,
        "lateness": result.lateness,
    }
    for step, times in result.steps.items():
        series[f"step/{step}/response"] = times.response
        series[f"step/{step}/service"] = times.service
    return {name: histogram.to_bytes() for name, histogram in series.items()}


def failures(result: LoadResult) -> tuple[Failure, ...]:
    """What went wrong by step and kind."""
    return tuple(Failure(f.step, f.kind, f.count, f.example) for f in result.failures)


def audit(result: LoadResult) -> tuple[AuditCheck, ...]:
    """What the scenario's audit examined."""
    return tuple(AuditCheck(i.name, i.examined, i.violations, i.detail) for i in result.audit)


def timeline(result: LoadResult) -> tuple[Mapping[str, float], ...]:
    """One mapping a second of the window; percentiles only where a journey ended in it."""
    rows: list[Mapping[str, float]] = []
    for second in result.timeline:
        row: dict[str, float] = {
            "second": second.second,
            "sent": second.sent,
            "completed": second.completed,
            "failed": second.failed,
        }
        row |= {n: v for n, v in (("p50", second.p50), ("p95", second.p95)) if v is not None}
        rows.append(row)
    return tuple(rows)


def resources(use: ResourceUse | None) -> dict[str, float | None]:
    """The system's use of the machine in the window."""
    if use is None:
        return {}
    return {
        "window": use.window,
        "cpu_seconds": use.cpu_seconds,
        "memory_mean": use.memory_mean,
        "memory_peak": use.memory_peak,
        "disk_read": use.disk_read,
        "disk_written": use.disk_written,
        "network_received": use.network_received,
        "network_sent": use.network_sent,
        "processes_peak": float(use.processes_peak),
    }


def health(result: LoadResult, machine: MachineUse | None) -> dict[str, float]:
    """The generator's own figures and the machine's."""
    generator = result.health
    found = {
        "generator_cpu_share": generator.cpu_share,
        "lateness_p99": generator.lateness_p99,
        "lateness_max": generator.lateness_max,
        "stall_max": generator.stall_max,
        "collections": float(generator.collections),
        "collection_seconds": generator.collection_seconds,
        "bound": result.bound,
    }
    if machine is not None:
        found |= {
            "machine_busy_share": machine.busy_share,
            "system_share": machine.system_share,
            "generator_share": machine.generator_share,
            "harness_share": machine.harness_share,
            "other_share": machine.other_share,
            "steal_share": machine.steal_share,
        }
    return found
