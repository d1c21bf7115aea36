from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.load.outcome import Attempt, Audit, Outcome
from harness.load.plan import Plan
from harness.load.recorder import Recorder
from harness.load.result import FailureCount, GeneratorHealth, Invariant, LoadResult
from harness.load.schedule import Arrival, in_window

HEALTH = GeneratorHealth(0.1, 0.001, 0.002, 0.003, 1, 0.0005)
PLAN = Plan(
    journeys_file="journeys.py",
    interface="visit/v1",
    host="http://127.0.0.1:1",
    seed=1,
    rate=1.0,
    arrivals="poisson",
    warm_up=5.0,
    measure=10.0,
    follow_up=5.0,
    journeys={"look": 1.0, "never": 1.0},
)
START = 1000.0


def attempted(number: int, at: float, waits: list[float], outcome: Outcome, late: float = 0.0) -> Attempt:
    """A journey of one step a wait, each after a second of thinking."""
    arrival = Arrival(at, "look", number, number, True)
    attempt = Attempt(arrival, START + at, began=START + at + late)
    for step, wait in enumerate(waits):
        attempt.due += 1.0 if step else 0.0
        attempt.step_begins(f"step {step}")
        attempt.sent(attempt.due + late)
        attempt.step_ends(f"step {step}", attempt.due + late, attempt.due + late + wait, well=True)
    kind = "" if outcome in (Outcome.COMPLETED, Outcome.REFUSED) else f"{outcome} somehow"
    attempt.end(outcome, attempt.due, kind, "x" * 1000)
    return attempt


journeys = st.lists(
    st.tuples(
        st.floats(0, 19.99),
        st.lists(st.floats(0, 4), max_size=3),
        st.sampled_from([*Outcome, None]),
        st.floats(0, 0.1),
    ),
    max_size=40,
)


@given(journeys)
@settings(deadline=None)
def test_counts_and_histograms_agree_whatever_happened(
    found: list[tuple[float, list[float], Outcome | None, float]],
) -> None:
    arrivals = [
        Arrival(at, "look", n, n, True) for n, (at, *_) in enumerate(sorted(found, key=lambda f: f[0]))
    ]
    recorder = Recorder(PLAN, arrivals, START)
    for n, (at, waits, outcome, late) in enumerate(sorted(found, key=lambda f: f[0])):
        if outcome is None:
            recorder.shed(arrivals[n])
        else:
            recorder.sent(arrivals[n], START + at + late)
            recorder.ended(attempted(n, at, waits, outcome, late))
    result = recorder.result(HEALTH, None)
    inside = [entry for entry in found if in_window(PLAN, Arrival(entry[0], "", 0, 0, True))]
    assert result.scheduled == len(inside) == result.sent + result.shed
    assert result.completed + result.failed + result.abandoned + result.refused == result.scheduled
    well = [entry for entry in inside if entry[2] in (Outcome.COMPLETED, Outcome.REFUSED)]
    assert result.journey_time.count == result.citizen_time.count == len(well)
    assert result.lateness.count == result.sent
    assert result.started_mix == {"look": result.sent, "never": 0}
    assert sum(failure.count for failure in result.failures) == result.failed + result.abandoned - result.shed
    sent = [entry for entry in inside if entry[2] is not None]
    assert sum(times.response.count for times in result.steps.values()) == sum(len(e[1]) for e in sent)
    assert result.bound >= max([PLAN.follow_up, result.journey_time.maximum or 0])
    assert recorder.window_under_way == 0
    assert len(recorder.journeys()) == sum(entry[2] is not None for entry in found)


def test_response_runs_from_the_intended_start_and_leaves_think_time_out() -> None:
    recorder = Recorder(PLAN, [Arrival(6.0, "look", 0, 0, True)], START)
    recorder.sent(Arrival(6.0, "look", 0, 0, True), START + 6.2)
    recorder.ended(attempted(0, 6.0, [0.5, 0.25], Outcome.COMPLETED, late=0.2))
    result = recorder.result(HEALTH, None)
    assert result.journey_time.maximum == pytest.approx(0.5 + 0.25 + 2 * 0.2)
    assert result.citizen_time.maximum == pytest.approx(0.5 + 0.25 + 2 * 0.2 + 1.0)
    assert result.steps["step 0"].response.maximum == pytest.approx(0.7)
    assert result.steps["step 0"].service.maximum == pytest.approx(0.5)
    assert result.lateness.maximum == pytest.approx(0.2)


def test_a_journey_belongs_to_the_window_it_was_intended_for() -> None:
    arrivals = [Arrival(at, "look", n, 0, True) for n, at in enumerate([4.999, 5.0, 14.999, 15.0])]
    recorder = Recorder(PLAN, arrivals, START)
    for n, arrival in enumerate(arrivals):
        recorder.sent(arrival, START + arrival.at)
        recorder.ended(attempted(n, arrival.at, [3.0], Outcome.COMPLETED))
    result = recorder.result(HEALTH, None)
    assert (recorder.before.sent, result.sent, recorder.after.sent) == (1, 2, 1)
    assert [record.in_window for record in recorder.journeys()] == [False, True, True, False]
    ends = [(second.second, second.completed) for second in result.timeline if second.completed]
    assert ends == [(2, 1), (3, 1)]  # 4.999 + 3 and 5 + 3 seconds; the other two end after the window


def test_the_audit_counts_only_completed_journeys_of_the_window() -> None:
    endings = [Outcome.COMPLETED, Outcome.COMPLETED, Outcome.FAILED, Outcome.REFUSED, Outcome.COMPLETED]
    ats = [1.0, 6.0, 7.0, 8.0, 9.0]
    arrivals = [Arrival(at, "look", n, 0, True) for n, at in enumerate(ats)]
    recorder = Recorder(PLAN, arrivals, START)
    for n, (at, outcome) in enumerate(zip(ats, endings, strict=True)):
        recorder.sent(arrivals[n], START + at)
        recorder.ended(attempted(n, at, [0.1], outcome))
    invariants = (Invariant("no slot twice", 5, 1, "slot 3"),)
    result = recorder.result(HEALTH, Audit(invariants, frozenset({0, 1, 2, 3, 99})))
    assert (result.completed, result.incorrect, result.audit) == (2, 1, invariants)
    assert recorder.result(HEALTH, None).incorrect is None


def test_hostile_kinds_of_failure_do_not_fill_the_memory() -> None:
    recorder = Recorder(PLAN, [], START)
    for n in range(1000):
        arrival = Arrival(6.0, "look", n, 0, True)
        attempt = Attempt(arrival, START + 6.0, began=START + 6.0)
        attempt.end(Outcome.FAILED, START + 7.0, f"kind {n}", "y" * 10_000)
        recorder.sent(arrival, START + 6.0)
        recorder.ended(attempt)
    failures = recorder.result(HEALTH, None).failures
    assert len(failures) <= 201
    assert sum(failure.count for failure in failures) == 1000
    assert max(len(failure.example) for failure in failures) <= 300


def test_a_result_comes_back_from_its_file() -> None:
    arrivals = [Arrival(6.0 + n, "look", n, 0, True) for n in range(5)]
    recorder = Recorder(PLAN, arrivals, START)
    for n, arrival in enumerate(arrivals):
        recorder.sent(arrival, START + arrival.at)
        recorder.ended(attempted(n, arrival.at, [0.1 * n], Outcome.COMPLETED if n else Outcome.FAILED))
    silent = FailureCount("audit", "connection refused", 1, "nobody there")
    result = recorder.result(HEALTH, Audit((Invariant("a", 1, 0),), frozenset({1})), [silent])
    again = LoadResult.from_json(json.loads(json.dumps(result.to_json())))
    assert again == result
    assert again.journey_time.mean == result.journey_time.mean
    assert again.failures[-1] == silent


def test_a_failed_step_is_named_even_when_the_journey_went_on_after_another() -> None:
    attempt = Attempt(Arrival(6.0, "look", 0, 0, True), START)
    attempt.step_begins("first")
    attempt.step_ends("first", START, START + 1.0, well=False)
    attempt.step_begins("second")
    attempt.step_ends("second", START + 1.0, START + 3.0, well=True)
    attempt.end(Outcome.FAILED, START + 3.0, "no seat")
    assert attempt.failure == ("second", "no seat", "")
    assert attempt.journey_time == pytest.approx(3.0)
    assert [step.name for step in attempt.steps] == ["second"]
