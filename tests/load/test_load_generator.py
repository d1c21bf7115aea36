"""Runs of a real generator against a real server whose faults the tests choose."""

from __future__ import annotations

import os
from collections import Counter as Count
from collections.abc import Callable
from typing import Any

import pytest

from harness.load.driver import Progress
from harness.load.plan import Plan
from harness.load.result import LoadResult
from harness.load.schedule import planned_mix, schedule, schedule_hash

Run = Callable[..., LoadResult]
MakePlan = Callable[..., Plan]


def kinds(result: LoadResult) -> dict[str, int]:
    found: Count[str] = Count()
    for failure in result.failures:
        found[failure.kind] += failure.count
    return dict(found)


def test_a_run_sends_its_schedule_and_brings_everything_back(run: Run, plan: MakePlan, counter: Any) -> None:
    asked = plan(journeys={"look": 3.0, "decide": 1.0}, rate=100.0, measure=2.0, parameters={"audit": "/ok"})
    seen: list[Progress] = []
    result = run(asked, seen.append)
    arrivals = schedule(asked)
    assert result.schedule_hash == schedule_hash(arrivals)
    assert result.sent == result.scheduled == result.completed
    assert result.started_mix == result.planned_mix == planned_mix(asked, arrivals)
    assert result.steps["look"].response.count == result.sent
    assert result.steps["decide"].response.count == result.started_mix["decide"]
    assert result.incorrect is not None and 0 < result.incorrect <= result.sent / 9
    assert result.audit[0].examined >= result.sent
    assert result.health.lateness_p99 < 0.5
    assert 0 < result.health.cpu_share < 0.9
    assert len(result.timeline) == 2
    assert sum(second.sent for second in result.timeline) == pytest.approx(result.sent, abs=3)
    # think time is in the citizen's time only
    assert result.citizen_time.maximum > 0.05 + result.journey_time.percentile(50)
    assert result.journey_time.percentile(50) < 0.05

    phases = [progress.phase for progress in seen]
    assert sorted(set(phases), key=phases.index) == ["seed", "warm_up", "measure", "follow_up", "audit"]
    first = next(progress for progress in seen if progress.phase == "warm_up")
    assert first.window == result.window
    assert result.window[1] - result.window[0] == pytest.approx(2.0)
    assert len(seen) >= 4 * 2
    last = seen[-1]
    assert (last.sent, last.completed, last.failed) == (result.sent, result.completed, 0)
    assert last.p95 is not None


def test_the_same_citizens_come_to_every_host(run: Run, plan: MakePlan, counter: Any) -> None:
    first = run(plan())
    second = run(plan(host=counter.host.replace("127.0.0.1", "localhost"), configuration={"desks": 2}))
    assert first.schedule_hash == second.schedule_hash
    assert first.started_mix == second.started_mix


def test_a_system_that_answers_with_errors_fails_its_journeys(run: Run, plan: MakePlan) -> None:
    result = run(plan(parameters={"path": "/error"}))
    assert result.failed == result.sent > 0
    assert kinds(result) == {"status 500": result.sent}
    assert "out of order" in result.failures[0].example
    assert result.failures[0].step == "look"
    assert result.steps == {}


def test_a_silent_system_is_abandoned_after_the_patience(run: Run, plan: MakePlan) -> None:
    result = run(plan(parameters={"path": "/silent"}, patience=0.3))
    assert result.abandoned == result.sent > 0
    assert kinds(result) == {"patience": result.sent}


def test_refusals_are_proper_for_the_ineligible_only(run: Run, plan: MakePlan) -> None:
    asked = plan(journeys={"apply": 1.0}, ineligible=0.4)
    result = run(asked)
    ineligible = sum(not a.eligible for a in schedule(asked) if 0.3 <= a.at < 1.3)
    assert 0 < result.refused == ineligible < result.sent
    assert result.completed == result.sent - ineligible
    assert result.failures == ()

    result = run(plan(journeys={"apply": 1.0}, ineligible=0.4, parameters={"refuse_all": True}))
    assert result.refused == ineligible
    assert kinds(result) == {"refused although eligible": result.sent - ineligible}


def test_arrivals_beyond_the_cap_are_shed_and_counted(run: Run, plan: MakePlan) -> None:
    result = run(plan(parameters={"path": "/silent"}, concurrency=5, patience=0.5))
    assert result.shed > 0
    assert result.sent + result.shed == result.scheduled
    assert result.abandoned == result.scheduled
    assert kinds(result) == {"patience": result.sent}


def test_journeys_that_never_end_are_bounded(run: Run, plan: MakePlan) -> None:
    result = run(plan(journeys={"endless": 1.0}, journey_deadline=0.6))
    assert kinds(result) == {"journey deadline": result.sent}
    assert result.abandoned == result.sent

    result = run(plan(journeys={"endless": 1.0}, journey_deadline=60.0, follow_up=0.3))
    assert kinds(result) == {"unfinished": result.sent}
    assert result.steps["again"].response.count > result.sent


def test_load_goes_on_while_the_windows_journeys_are_followed(run: Run, plan: MakePlan, counter: Any) -> None:
    """A system that stalls is still under load while the window's last journeys are awaited."""
    seen: list[tuple[str, int]] = []

    def on_progress(progress: Progress) -> None:
        seen.append((progress.phase, counter.requests))
        if progress.phase == "measure" and counter.gate.is_set() and not counter.stalled:
            counter.stalled = True
            counter.stall(2.0)

    result = run(plan(patience=4.0, journey_deadline=5.0, follow_up=4.0), on_progress)
    followed = [requests for phase, requests in seen if phase == "follow_up"]
    assert followed[-1] > followed[0]
    assert result.completed == result.sent


def test_a_stall_is_charged_to_everybody_who_arrived_in_it(run: Run, plan: MakePlan, counter: Any) -> None:
    """Coordinated omission: at 50/s a stall of 1 s delays 50 citizens; a closed model shows one a user."""
    rate, stall = 50.0, 1.0
    counter.on_request = lambda number: counter.stall(stall) if number == 50 else None
    asked = plan(arrivals="constant", rate=rate, measure=2.5, patience=3.0)
    result = run(asked)
    slow = result.journey_time.count - dict(_at_or_below(result, 0.1))[0.1]
    assert result.completed == result.sent == 125
    assert stall <= result.journey_time.maximum < stall + 0.5
    assert slow == pytest.approx(rate * (stall - 0.1), rel=0.2)
    # uniform arrivals into a stall wait uniformly: the mean of those who waited is half the stall
    assert result.journey_time.mean * 125 == pytest.approx(rate * stall**2 / 2, rel=0.25)


def test_a_generator_that_is_busy_counts_the_wait_as_response_time(run: Run, plan: MakePlan) -> None:
    """Half a second of the generator's own work delays the sends: response time shows it, service time
    alone would not.
    """
    result = run(
        plan(journeys={"burn": 1.0}, arrivals="constant", rate=50.0, measure=1.5, parameters={"burner": 40})
    )
    times = result.steps["look"]
    late = result.lateness.count - dict(_at_or_below(result, 0.1, "lateness"))[0.1]
    assert late == pytest.approx(50 * 0.4, abs=8)
    assert 0.4 < result.lateness.maximum < 1.0
    assert times.response.maximum > 0.4
    assert times.service.percentile(90) < 0.1
    assert result.health.lateness_p99 > 0.3
    assert result.health.stall_max > 0.4
    assert result.health.cpu_share > 0.05


def _at_or_below(result: LoadResult, seconds: float, series: str = "journey_time") -> list[tuple[float, int]]:
    counts = [count for value, count in getattr(result, series).cumulative() if value <= seconds]
    return [(seconds, counts[-1] if counts else 0)]


def test_a_system_that_dies_mid_run_fails_the_rest_and_the_run_goes_on(
    run: Run, plan: MakePlan, counter: Any
) -> None:
    def on_progress(progress: Progress) -> None:
        if progress.phase == "measure" and progress.completed >= 10:
            counter.die()

    result = run(plan(measure=2.0, parameters={"audit": "/ok"}), on_progress)
    assert result.sent == result.scheduled
    assert result.completed >= 10 and result.failed > 10
    assert result.completed + result.failed == result.sent
    assert set(kinds(result)) <= {"connection refused", "connection reset", "connection closed"}
    assert result.incorrect is None
    assert result.failures[-1].step == "audit"
    assert result.failures[-1].kind == "connection refused"


def test_the_next_citizen_is_somebody_else(run: Run, plan: MakePlan) -> None:
    result = run(plan(journeys={"login": 1.0}))
    assert result.completed == result.sent > 10


FAULTS = {
    "ok": "ok",
    "gzip": "ok",
    "redirected": "ok",
    "error": "status 500",
    "reset": "connection reset",
    "closed": "connection closed",
    "garbage": "malformed answer",
    "truncated": "malformed answer",
    "bad-chunk": "malformed answer",
    "not-gzip": "malformed answer",
    "odd-encoding": "malformed answer",
    "not-json": "malformed answer",
    "json-list": "malformed answer",
    "json-object": "malformed answer",
    "bad-location": "malformed answer",
    "bomb": "answer too large",
    "huge": "answer too large",
    "endless-headers": "answer too large",
    "endless-body": "answer too large",
    "elsewhere": "redirected elsewhere",
    "loop": "redirected too often",
}


def test_every_fault_is_a_named_failure_of_its_step_and_the_generator_lives_on(
    run: Run, plan: MakePlan
) -> None:
    result = run(
        plan(
            journeys={"tour": 1.0},
            arrivals="constant",
            rate=2.0,
            measure=1.0,
            warm_up=0.0,
            follow_up=10.0,
            journey_deadline=20.0,
            patience=5.0,
            parameters={"faults": list(FAULTS), "audit": "facts"},
        )
    )
    assert result.completed == result.sent == 2, result.failures
    found = {invariant.name: invariant.detail for invariant in result.audit}
    told = {fault: eval(found[fault])[0] for fault in FAULTS}  # a repr of a list of our own making
    assert told == FAULTS
    assert eval(found["gzip"]) == ["ok", 5000]
    unanswered = {fault for fault in FAULTS if eval(found[fault])[1] is True}
    assert unanswered == {"reset", "closed"}
    assert set(result.steps) == {fault for fault, kind in FAULTS.items() if kind == "ok"}


def test_a_reset_is_not_retried_behind_the_measurements_back(run: Run, plan: MakePlan, counter: Any) -> None:
    result = run(plan(parameters={"path": "/reset"}, rate=20.0))
    assert kinds(result) == {"connection reset": result.sent}
    assert counter.hits["/reset"] <= result.sent + 30  # warm-up and follow-up journeys


def test_the_child_sees_no_secrets_and_no_proxies(
    run: Run, plan: MakePlan, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_GRAFANA_TOKEN", "secret-token")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    file = tmp_path / "journeys.py"
    file.write_text(
        "import os\n"
        "from harness.load import Citizen, journey\n"
        "print(sorted(os.environ))\n"
        "class Visitor(Citizen):\n"
        "    interface = 'visit/v1'\n"
        "    @journey\n"
        "    def look(self):\n"
        "        with self.step('look'):\n"
        "            self.expect(self.get('/ok'), 200)\n"
    )
    result = run(plan(journeys_file=str(file), rate=20.0))
    assert result.completed == result.sent
    log = (tmp_path / "run" / "generator.log").read_text()
    assert "'PATH'" in log
    assert "HARNESS" not in log and "proxy" not in log.lower()
    assert "secret-token" not in log
    assert os.environ["HARNESS_GRAFANA_TOKEN"] == "secret-token"
