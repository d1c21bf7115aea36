"""The verdict is the table of METHOD read off the interval, whatever the data."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from harness.judge.judge import (
    Pair,
    break_guardrail,
    guardrail_of,
    holm,
    judge_metric,
    on_scale,
    verdict_of,
)
from harness.judge.metrics import METRICS, Kind
from harness.judge.results import GuardrailState, Role, Verdict

TIME, RATE = METRICS["journey_time_p95"], METRICS["completion_rate"]
MARGIN = math.log(1.1)
RANK = {  # how good a verdict is, for "moving the interval up never makes it worse"
    Verdict.WORSE: 0,
    Verdict.INCONCLUSIVE: 1,
    Verdict.NO_WORSE: 2,
    Verdict.EQUIVALENT: 2,
    Verdict.BETTER: 3,
}
END = st.floats(min_value=-1, max_value=1, allow_nan=False) | st.sampled_from([-MARGIN, 0.0, MARGIN])


def judge(before, after, *, metric=TIME, role=Role.PRIMARY, margin=0.1, alpha=0.05, candidates=1):
    pairs = [Pair(i, b, a) for i, (b, a) in enumerate(zip(before, after, strict=True))]
    return judge_metric(
        metric, pairs, margin=margin, margin_text="10%", role=role, alpha=alpha, candidates=candidates
    )


@given(END, END)
def test_every_position_of_the_interval_gives_exactly_the_rules_verdict(a, b) -> None:
    lo, hi, m = min(a, b), max(a, b), MARGIN
    equivalent = -m < lo and hi < m
    rules = {
        Verdict.EQUIVALENT: equivalent,
        Verdict.BETTER: lo > 0 and not equivalent,
        Verdict.WORSE: hi < 0 and not equivalent,
        Verdict.NO_WORSE: -m < lo <= 0 and hi >= m,
    }
    matching = [verdict for verdict, holds in rules.items() if holds]
    assert len(matching) <= 1
    assert verdict_of(lo, hi, m) is (matching[0] if matching else Verdict.INCONCLUSIVE)
    state = guardrail_of(lo, hi, m)
    assert (state is GuardrailState.HOLDS) == (lo > -m)
    assert (state is GuardrailState.BROKEN) == (hi < -m)


@pytest.mark.parametrize(
    ("lo", "hi", "verdict"),
    [
        (-0.05, 0.05, Verdict.EQUIVALENT),
        (0.01, 0.09, Verdict.EQUIVALENT),  # better, but by too little to matter
        (-0.09, -0.01, Verdict.EQUIVALENT),
        (0.01, 0.2, Verdict.BETTER),
        (0.2, 0.3, Verdict.BETTER),
        (-0.2, -0.01, Verdict.WORSE),
        (-0.3, -0.2, Verdict.WORSE),
        (-0.05, 0.2, Verdict.NO_WORSE),
        (0.0, 0.1, Verdict.NO_WORSE),
        (-0.2, 0.05, Verdict.INCONCLUSIVE),
        (-0.2, 0.2, Verdict.INCONCLUSIVE),
        (-0.1, 0.05, Verdict.INCONCLUSIVE),  # an end on the margin is not within it
        (-0.1, 0.0, Verdict.INCONCLUSIVE),
        (-math.inf, -0.1, Verdict.WORSE),
        (-math.inf, 0.05, Verdict.INCONCLUSIVE),
        (0.01, math.inf, Verdict.BETTER),
        (-0.05, math.inf, Verdict.NO_WORSE),
        (-math.inf, math.inf, Verdict.INCONCLUSIVE),
    ],
)
def test_the_table_by_example(lo, hi, verdict) -> None:
    assert verdict_of(lo, hi, 0.1) is verdict


@given(END, END, st.floats(min_value=0, max_value=1))
def test_moving_the_interval_up_never_makes_the_verdict_worse(a, b, shift) -> None:
    lo, hi = min(a, b), max(a, b)
    assert RANK[verdict_of(lo + shift, hi + shift, MARGIN)] >= RANK[verdict_of(lo, hi, MARGIN)]


LOGS = st.lists(st.floats(min_value=-0.5, max_value=0.5), min_size=2, max_size=10)
FLIP = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER, Verdict.EQUIVALENT: Verdict.EQUIVALENT}


@given(LOGS, st.floats(min_value=-0.4, max_value=0.4), st.data())
def test_swapping_the_arms_flips_the_verdict(logs, shift, data) -> None:
    before = [0.3 * math.exp(x) for x in logs]
    after = [b * math.exp(shift + data.draw(st.floats(min_value=-0.1, max_value=0.1))) for b in before]
    there, back = judge(before, after), judge(after, before)
    assume(there.verdict is not Verdict.NO_DATA)
    assert there.effect == pytest.approx(1 / back.effect)
    assert (there.benefit.low, there.benefit.high) == pytest.approx((-back.benefit.high, -back.benefit.low))
    near = min(abs(abs(x) - edge) for x in (there.benefit.low, there.benefit.high) for edge in (0, MARGIN))
    assume(near > 1e-9)
    if there.verdict in FLIP:
        assert back.verdict is FLIP[there.verdict]
    else:
        assert back.verdict in (Verdict.NO_WORSE, Verdict.INCONCLUSIVE)
    assert there.p_value == pytest.approx(back.p_value)


@given(LOGS.filter(lambda x: max(x) - min(x) > 1e-3), st.sampled_from([0.01, 0.05, 0.1]), st.integers(1, 4))
def test_interval_is_scipys_paired_t_on_logs_at_the_candidates_level(logs, alpha, candidates) -> None:
    before = [0.2 + 0.01 * i for i in range(len(logs))]
    after = [b * math.exp(x) for b, x in zip(before, logs, strict=True)]
    judged = judge(before, after, alpha=alpha, candidates=candidates)
    expected = stats.ttest_rel(np.log(after), np.log(before)).confidence_interval(1 - alpha / candidates)
    assert judged.interval.low == pytest.approx(math.exp(expected.low), rel=1e-6)
    assert judged.interval.high == pytest.approx(math.exp(expected.high), rel=1e-6)
    assert judged.interval.level == pytest.approx(1 - alpha / candidates)
    assert judged.effect == pytest.approx(judged.after / judged.before)
    guard = judge(before, after, alpha=alpha, candidates=candidates, role=Role.GUARDRAIL)
    assert guard.interval.level == pytest.approx(1 - alpha)


@given(st.integers(0, 10_000))
def test_equivalence_agrees_with_two_one_sided_tests(seed) -> None:
    """The 95% interval inside the margin is TOST at 2.5% a side."""
    rng = np.random.default_rng(seed)
    before = np.exp(rng.normal(-1, 0.1, 8))
    after = before * np.exp(rng.normal(0.02, 0.07, 8))
    p = ttost_paired(np.log(after), np.log(before), -MARGIN, MARGIN)[0]
    assume(abs(p - 0.025) > 1e-9)
    assert (judge(before, after).verdict is Verdict.EQUIVALENT) == (p < 0.025)


def test_lower_and_higher_is_better_are_told_apart() -> None:
    slow, fast = [1.0, 1.1, 0.9, 1.05, 0.98, 1.02], [0.5, 0.56, 0.46, 0.5, 0.5, 0.52]
    assert judge(slow, fast).verdict is Verdict.BETTER
    assert judge(fast, slow).verdict is Verdict.WORSE
    low, high = [0.80, 0.82, 0.81, 0.79, 0.80, 0.83], [0.95, 0.97, 0.96, 0.94, 0.96, 0.97]
    judged = judge(low, high, metric=RATE, margin=0.01)
    assert judged.verdict is Verdict.BETTER
    assert judged.effect == pytest.approx(0.15, abs=0.001)
    assert judge(high, low, metric=RATE, margin=0.01).verdict is Verdict.WORSE
    abandoned = METRICS["abandonment_rate"]
    assert judge(high, low, metric=abandoned, margin=0.01).verdict is Verdict.BETTER


def proportions(successes, trials=64):
    return [
        Pair(i, b / trials, a / trials, False, False, b, trials, a, trials)
        for i, (b, a) in enumerate(successes)
    ]


def guard(pairs, margin=0.01, metric=RATE, role=Role.GUARDRAIL):
    return judge_metric(metric, pairs, margin=margin, margin_text="1pp", role=role, alpha=0.05)


def test_all_completed_everywhere_is_judged_by_its_counts() -> None:
    """384 journeys an arm, none failed: a margin of one percentage point holds, half of one does not."""
    pairs = proportions([(64, 64)] * 6)
    judged = guard(pairs)
    assert judged.guardrail is GuardrailState.HOLDS
    assert judged.verdict is Verdict.EQUIVALENT
    assert judged.interval.low == pytest.approx(-3.841459 / (384 + 3.841459), abs=1e-6)
    assert "no_spread_over_rounds" in {w.code for w in judged.warnings}
    assert judged.mde is None
    assert guard(pairs, margin=0.005).guardrail is GuardrailState.NOT_SHOWN


def test_a_proportions_interval_holds_both_intervals() -> None:
    pairs = proportions([(64, 60), (64, 61), (63, 60), (64, 58), (64, 62), (62, 60)])
    judged = guard(pairs)
    d = [p.after - p.before for p in pairs]
    t = stats.ttest_1samp(d, 0).confidence_interval(0.95)
    from statsmodels.stats.proportion import confint_proportions_2indep

    a, b = sum(p.after_successes for p in pairs), sum(p.before_successes for p in pairs)
    score = confint_proportions_2indep(a, 384, b, 384, method="newcomb", compare="diff")
    assert judged.interval.low == pytest.approx(min(t.low, score[0]))
    assert judged.interval.high == pytest.approx(max(t.high, score[1]))
    assert judged.guardrail is GuardrailState.BROKEN
    mirrored = guard(pairs, metric=METRICS["abandonment_rate"])
    assert (mirrored.benefit.low, mirrored.benefit.high) == pytest.approx(
        (-judged.benefit.high, -judged.benefit.low)
    )


def test_figures_and_warnings_stand_beside_the_verdict() -> None:
    rng = np.random.default_rng(1)
    before, after = np.exp(rng.normal(0, 0.02, 8)), np.exp(rng.normal(-0.2, 0.3, 8))
    judged = judge(before, after)
    codes = {w.code for w in judged.warnings}
    assert {"margin_within_noise", "spread_differs"} <= codes
    assert judged.spread_ratio == pytest.approx(
        np.std(np.log(after), ddof=1) / np.std(np.log(before), ddof=1)
    )
    assert judged.noise_floor == pytest.approx(np.std(np.log(after / before), ddof=1))
    assert judged.mde > judged.margin
    few = judge(before[:3], after[:3])
    assert {"few_rounds", "alpha_not_attainable"} <= {w.code for w in few.warnings}
    six = judge(before[:6], after[:6])
    assert "alpha_not_attainable" not in {w.code for w in six.warnings}
    assert "alpha_not_attainable" in {w.code for w in judge(before[:6], after[:6], candidates=2).warnings}
    many = judge(np.resize(before, 40) * np.linspace(1, 1.1, 40), np.resize(after, 40))
    assert "p_sampled" in {w.code for w in many.warnings}


def test_every_verdict_gives_a_reason() -> None:
    for lo, hi in itertools.product((-0.3, -0.05, 0.05), (-0.2, 0.06, 0.3)):
        if lo < hi:
            d = np.array([lo, hi] * 4)
            judged = judge(np.ones(8), np.exp(-d))
            assert judged.reasons
            assert all(reason.text for reason in judged.reasons)


def test_a_broken_invariant_breaks_the_guardrail_whatever_its_interval() -> None:
    judged = guard(proportions([(64, 64)] * 6))
    broken = break_guardrail(judged, ["no slot booked twice: 1 of 380"])
    assert broken.guardrail is GuardrailState.BROKEN
    assert broken.reasons[0].code == "invariant_broken"
    assert break_guardrail(judged, []) is judged


def test_holm_stands_beside_the_verdict_and_does_not_make_it() -> None:
    rng = np.random.default_rng(2)
    found = [
        judge(
            np.ones(8) * np.exp(rng.normal(0, 0.01, 8)),
            np.exp(rng.normal(-0.2, 0.05, 8)),
            role=Role.SECONDARY,
        )
        for _ in range(3)
    ]
    adjusted = holm(found)
    assert [a.verdict for a in adjusted] == [f.verdict for f in found]
    assert adjusted[0].p_holm == pytest.approx(3 * 2 / 2**8)


@pytest.mark.parametrize("margin", [0, -0.1, 1.01, float("nan"), float("inf")])
def test_margins_out_of_range_are_refused(margin) -> None:
    with pytest.raises(ValueError, match="margin"):
        judge([1, 2, 3], [1, 2, 4], margin=margin)


@pytest.mark.parametrize(("alpha", "candidates"), [(0, 1), (1, 1), (-0.1, 1), (float("nan"), 1), (0.05, 0)])
def test_levels_out_of_range_are_refused(alpha, candidates) -> None:
    with pytest.raises(ValueError, match="alpha"):
        judge([1, 2, 3], [1, 2, 4], alpha=alpha, candidates=candidates)


def test_a_cost_is_not_judged_from_rounds() -> None:
    with pytest.raises(ValueError, match="judge_cost"):
        judge([1, 2], [1, 2], metric=METRICS["cost_per_transaction"])
    assert on_scale(Kind.COST, 0.1) == pytest.approx(MARGIN)
    assert on_scale(Kind.DIFFERENCE, 0.005) == 0.005
