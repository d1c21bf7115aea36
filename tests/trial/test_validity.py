from __future__ import annotations

from dataclasses import replace

import pytest

from harness.judge.histogram import Histogram
from harness.load.result import GeneratorHealth, LoadResult
from harness.measure.types import MachineUse
from harness.trial.figures import counts, values
from harness.trial.validity import Limits, checks

HEALTH = GeneratorHealth(
    cpu_share=0.1,
    lateness_p99=0.001,
    lateness_max=0.002,
    stall_max=0.001,
    collections=0,
    collection_seconds=0.0,
)
QUIET = MachineUse(
    processors=2,
    busy_share=0.3,
    system_share=0.2,
    generator_share=0.05,
    harness_share=0.01,
    other_share=0.04,
    steal_share=0.0,
)


def load(completed: int = 96, failed: int = 4, abandoned: int = 0, **changes: object) -> LoadResult:
    times = Histogram.of([0.1] * completed)
    result = LoadResult(
        schedule_hash="x",
        scheduled=completed + failed + abandoned,
        sent=completed + failed + abandoned,
        shed=0,
        completed=completed,
        failed=failed,
        abandoned=abandoned,
        refused=0,
        incorrect=0,
        started_mix={"book": completed + failed + abandoned},
        planned_mix={"book": completed + failed + abandoned},
        journey_time=times,
        citizen_time=times,
        lateness=Histogram(),
        steps={},
        failures=(),
        audit=(),
        timeline=(),
        health=HEALTH,
        window=(0.0, 10.0),
        bound=10.0,
    )
    return replace(result, **changes)


def failed(result: LoadResult, machine: MachineUse | None = QUIET) -> list[str]:
    return [check.name for check in checks(result, machine, Limits()) if not check.passed]


def test_a_fair_run_passes_every_check() -> None:
    assert failed(load()) == []
    assert len(checks(load(), QUIET, Limits())) == 6


@pytest.mark.parametrize(
    ("name", "result", "machine"),
    [
        ("generator_lateness", load(lateness=Histogram.of([0.001] * 98 + [0.03] * 2)), QUIET),
        ("generator_cpu", load(health=replace(HEALTH, cpu_share=0.9)), QUIET),
        ("load_delivered", load(scheduled=102), QUIET),
        ("mix_as_planned", load(started_mix={"book": 98}, planned_mix={"book": 90, "cancel": 10}), QUIET),
        ("machine_quiet", load(), replace(QUIET, other_share=0.2)),
        ("machine_not_stolen", load(), replace(QUIET, steal_share=0.2)),
    ],
)
def test_each_check_withholds_its_own_run(name: str, result: LoadResult, machine: MachineUse) -> None:
    assert failed(result, machine) == [name]
    bad = next(check for check in checks(result, machine, Limits()) if not check.passed)
    assert bad.advice


def test_what_the_system_does_is_no_reason_to_repeat() -> None:
    """Arrivals shed because the system filled the cap, and failed journeys, are its result."""
    shed = load(
        completed=10,
        failed=40,
        abandoned=50,
        sent=60,
        shed=40,
        started_mix={"book": 60},
        planned_mix={"book": 100},
    )
    assert failed(shed) == []


def test_failed_journeys_rank_slowest_and_a_percentile_among_them_is_the_bound() -> None:
    fine = values(load(completed=96, failed=4), None, 1.0)
    assert fine["journey_time_p95"].value == pytest.approx(0.1, rel=0.004)
    assert not fine["journey_time_p95"].censored
    broken = values(load(completed=90, failed=10), None, 1.0)
    assert broken["journey_time_p95"].censored
    assert broken["journey_time_p95"].value == 10.0
    assert broken["completion_rate"].value == pytest.approx(0.9)


def test_a_percentile_is_given_only_where_the_sample_bears_it() -> None:
    assert "journey_time_p99" not in values(load(completed=90, failed=0), None, 1.0)
    assert "journey_time_p99" in values(load(completed=100, failed=0), None, 1.0)
    assert "journey_time_p95" not in values(load(completed=19, failed=0), None, 1.0)


def test_nothing_completed_has_no_correctness() -> None:
    figures = values(load(completed=0, failed=50), None, 1.0)
    assert "correctness" not in figures
    assert figures["completion_rate"].value == 0.0
    assert counts(load(incorrect=None)).get("correct") is None


def test_lateness_is_judged_by_a_percentile_that_the_sample_bears() -> None:
    """Below 100 journeys the 99th percentile would be the single latest one."""
    one_late_of_70 = load(lateness=Histogram.of([0.001] * 69 + [0.03]))
    assert failed(one_late_of_70) == []
    assert failed(load(lateness=Histogram.of([0.001] * 66 + [0.03] * 4))) == ["generator_lateness"]
