"""What was not measured, or cannot be compared, has a verdict of its own and is never a pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.judge import Pair, judge_metric
from harness.judge.metrics import METRICS, Direction, Evidence, Kind, Metric
from harness.judge.results import GuardrailState, Role, Verdict

TIME, RATE = METRICS["journey_time_p95"], METRICS["completion_rate"]
SPEED = Metric(
    "speed", "Speed", "per second", Direction.HIGHER, Kind.RATIO, Evidence.MEASURED, "higher is better"
)
PASSES = (Verdict.BETTER, Verdict.EQUIVALENT, Verdict.NO_WORSE)


def judge(pairs, metric=TIME, role=Role.GUARDRAIL, margin=0.1):
    return judge_metric(metric, pairs, margin=margin, margin_text="10%", role=role, alpha=0.05)


def rounds(before, after):
    return [Pair(i, b, a) for i, (b, a) in enumerate(zip(before, after, strict=True))]


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("before", "after", "verdict", "code"),
    [
        ([], [], Verdict.NO_DATA, "no_rounds"),
        ([1.0], [0.5], Verdict.NO_DATA, "too_few_rounds"),
        ([1.0, 1.1, 0.9], [0.0, 0.0, 0.0], Verdict.INVALID, "not_positive"),
        ([0.0, 0.0, 0.0], [1.0, 1.1, 0.9], Verdict.INVALID, "zero_baseline"),
        ([1.0, -1.1, 0.9], [1.0, 1.1, 0.9], Verdict.INVALID, "not_positive"),
        ([1.0, 1.1, 0.9], [1.0, 1.1, 0.9], Verdict.NO_DATA, "no_spread"),
        ([1.0, 1.0, 1.0], [0.5, 0.5, 0.5], Verdict.NO_DATA, "no_spread"),
        ([0.1, 0.7, 1.1], [0.13, 0.91, 1.43], Verdict.NO_DATA, "no_spread"),
        ([1.0, 1.1, NAN], [1.0, 1.1, 0.9], Verdict.INVALID, "not_finite"),
        ([1.0, 1.1, 0.9], [1.0, INF, 0.9], Verdict.INVALID, "not_finite"),
        ([None, None, None], [1.0, 1.1, 0.9], Verdict.NO_DATA, "no_value_before"),
        ([1.0, 1.1, 0.9], [None, None, None], Verdict.NO_DATA, "no_value_after"),
        ([None, None], [None, None], Verdict.NO_DATA, "no_value"),
    ],
)
def test_each_case_has_its_stated_verdict(before, after, verdict, code) -> None:
    judged = judge(rounds(before, after))
    assert judged.verdict is verdict
    assert judged.reasons[0].code == code
    assert judged.guardrail is GuardrailState.NOT_SHOWN
    assert judged.effect is judged.interval is judged.p_value is None


@pytest.mark.parametrize(
    ("pair", "code"),
    [
        (Pair(1, 0.5, 0.5, False, False, 11, 10, 5, 10), "bad_counts"),
        (Pair(1, 0.5, 0.5, False, False, -1, 10, 5, 10), "bad_counts"),
        (Pair(1, 0.9, 0.5, False, False, 5, 10, 5, 10), "bad_counts"),
        (Pair(0, 0.5, 0.5, False, False, 5, 10, 5, 10), "duplicate_round"),
    ],
)
def test_counts_that_do_not_fit_are_invalid(pair, code) -> None:
    judged = judge([Pair(0, 0.5, 0.5, False, False, 5, 10, 5, 10), pair], RATE)
    assert (judged.verdict, judged.reasons[0].code) == (Verdict.INVALID, code)


def test_proportions_without_counts_or_spread_have_no_data() -> None:
    assert judge(rounds([1.0] * 6, [1.0] * 6), RATE).verdict is Verdict.NO_DATA
    wobbly = judge(rounds([1.0, 0.99, 1.0], [0.98, 0.97, 1.0]), RATE, margin=0.2)
    assert "no_counts" in {w.code for w in wobbly.warnings}


# ── what was not seen ────────────────────────────────────────────────────────────

BEFORE = [1.00, 1.05, 0.95, 1.02, 0.98, 1.01]
FASTER = [0.50, 0.51, 0.49, 0.50, 0.52, 0.49]
SLOWER = [2.00, 2.10, 1.95, 2.02, 2.05, 1.99]


def test_a_candidate_at_the_bound_can_be_worse_but_never_pass() -> None:
    late = [Pair(i, b, 10.0, after_censored=True) for i, b in enumerate(BEFORE)]
    judged = judge(late)
    assert judged.verdict is Verdict.WORSE
    assert judged.guardrail is GuardrailState.BROKEN
    assert judged.censored == ("after",)
    assert judged.benefit.low_open
    assert not judged.benefit.high_open
    assert judged.interval.high_open  # the ratio after/before: at least this
    assert judged.interval.highest == math.inf
    assert judged.p_value is None
    one = [Pair(i, b, a, after_censored=i == 2) for i, (b, a) in enumerate(zip(BEFORE, FASTER, strict=True))]
    assert judge(one).verdict is Verdict.INCONCLUSIVE


def test_an_incumbent_at_the_bound_can_lose_but_never_win() -> None:
    late = [Pair(i, 10.0, a, before_censored=True) for i, a in enumerate(FASTER)]
    assert judge(late).verdict is Verdict.BETTER
    assert judge(late).interval.low_open
    slow = [Pair(i, 1.0, a, before_censored=i == 0) for i, a in enumerate(SLOWER)]
    assert judge(slow).verdict is Verdict.INCONCLUSIVE


def test_a_bound_means_the_opposite_where_higher_is_better() -> None:
    fast = [Pair(i, b, 10.0, after_censored=True) for i, b in enumerate(BEFORE)]
    judged = judge(fast, SPEED)
    assert judged.verdict is Verdict.BETTER
    assert judged.benefit.high_open
    held = [Pair(i, 10.0, b, before_censored=True) for i, b in enumerate(BEFORE)]
    assert judge(held, SPEED).verdict is Verdict.WORSE


def test_both_at_the_bound_says_nothing() -> None:
    both = [Pair(i, 10.0, 10.0, True, True) for i in range(6)]
    judged = judge(both)
    assert (judged.verdict, judged.reasons[0].code) == (Verdict.NO_DATA, "both_censored")
    mixed = rounds(BEFORE, FASTER)[:5] + both[5:]
    judged = judge(mixed)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert "both_censored" in {w.code for w in judged.warnings}
    assert judge(rounds(BEFORE, SLOWER)[:5] + both[5:]).verdict is Verdict.WORSE


def test_a_candidate_that_did_not_get_ready_is_not_left_out() -> None:
    pairs = [*rounds(BEFORE, FASTER)[:5], Pair(5, 1.0, None)]
    judged = judge(pairs)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.guardrail is GuardrailState.NOT_SHOWN
    assert judged.rounds == 6
    assert len(judged.pairs) == 5
    assert "1 of 6 rounds" in judged.warnings[0].text
    slower = judge([*rounds(BEFORE, SLOWER)[:5], Pair(5, 1.0, None)])
    assert slower.verdict is Verdict.WORSE
    logs = [math.log(a / b) for b, a in zip(BEFORE, SLOWER, strict=True)][:5]
    assert slower.effect == pytest.approx(math.exp((sum(logs) + max(logs)) / 6))
    # better everywhere it ran: the round counts as worse by the margin, and weighs on the effect
    logs = [math.log(a / b) for b, a in zip(BEFORE, FASTER, strict=True)][:5]
    assert judged.effect == pytest.approx(math.exp((sum(logs) + math.log(1.1)) / 6))


def test_an_incumbent_that_did_not_get_ready_is_no_merit_of_the_candidate() -> None:
    assert judge([*rounds(BEFORE, FASTER)[:5], Pair(5, None, 0.5)]).verdict is Verdict.INCONCLUSIVE
    slower = judge([*rounds(BEFORE, SLOWER)[:5], Pair(5, None, 0.5)])
    assert slower.verdict is Verdict.WORSE
    logs = [math.log(a / b) for b, a in zip(BEFORE, SLOWER, strict=True)][:5]
    assert slower.effect == pytest.approx(math.exp((sum(logs) - math.log(1.1)) / 6))


def test_rounds_without_any_value_are_left_out_and_said() -> None:
    judged = judge([*rounds(BEFORE, FASTER), Pair(6, None, None)])
    assert judged.verdict is Verdict.BETTER
    assert judged.rounds == 6
    assert "no_value" in {w.code for w in judged.warnings}


def test_a_candidate_that_did_not_get_ready_completed_nothing() -> None:
    good = [Pair(i, 1.0, 1.0, False, False, 64, 64, 64, 64) for i in range(5)]
    judged = judge([*good, Pair(5, 1.0, None, False, False, 64, 64)], RATE, margin=0.01)
    assert judged.after == pytest.approx(5 / 6)
    assert judged.guardrail is GuardrailState.NOT_SHOWN
    never = [Pair(i, 1.0, 0.0, False, False, 64, 64, 0, 64) for i in range(6)]
    assert judge(never, RATE, margin=0.01).guardrail is GuardrailState.BROKEN
    away = [Pair(i, 0.0, None, False, False, 0, 64) for i in range(6)]
    assert judge(away, METRICS["abandonment_rate"], margin=0.01).guardrail is GuardrailState.BROKEN


HOLES = st.lists(
    st.tuples(
        st.floats(min_value=0.1, max_value=10),
        st.floats(min_value=0.1, max_value=10),
        st.sampled_from("xabABC"),
    ),
    min_size=2,
    max_size=10,
)


@given(HOLES)
def test_no_arm_passes_on_what_was_not_seen(rows) -> None:
    """x both seen, a/b after/before censored, C both; A/B after/before without a value."""
    pairs = [
        Pair(
            i,
            None if hole == "B" else b,
            None if hole == "A" else a,
            before_censored=hole in "bC",
            after_censored=hole in "aC",
        )
        for i, (b, a, hole) in enumerate(rows)
    ]
    judged = judge(pairs)
    holes = {hole for _, _, hole in rows}
    if holes & set("aABC"):
        assert judged.verdict not in PASSES
        assert judged.guardrail is not GuardrailState.HOLDS
    if "b" in holes:
        assert judged.verdict is not Verdict.WORSE
        assert judged.guardrail is not GuardrailState.BROKEN


def test_censoring_never_turns_the_truth_round() -> None:
    """Cutting the slow rounds of a candidate that is no worse at a bound does not have it called worse."""
    rng = np.random.default_rng(20_090_314)
    trials, wrong = 1000, 0
    for _ in range(trials):
        before = np.exp(rng.normal(0, 0.2, 8))
        after = np.exp(rng.normal(0, 0.2, 8))
        bound = 1.1
        pairs = [
            Pair(i, min(b, 9.0), min(a, bound), after_censored=a > bound)
            for i, (b, a) in enumerate(zip(before, after, strict=True))
        ]
        wrong += judge(pairs).verdict is Verdict.WORSE
    assert wrong / trials <= 0.03
