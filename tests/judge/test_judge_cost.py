"""Costs are judged from draws that belong together, and say what they rest on."""

from __future__ import annotations

import numpy as np
import pytest

from harness.judge.cost import judge_cost
from harness.judge.metrics import METRICS, Evidence, weakest
from harness.judge.results import GuardrailState, Role, Verdict

COST = METRICS["cost_per_transaction"]
RNG = np.random.default_rng(7)
SHARED = RNG.triangular(1, 2, 3, 10_000)


def judge(before, after, *, role=Role.GUARDRAIL, evidence=Evidence.RECORDED, alpha=0.05, **more):
    return judge_cost(
        COST, before, after, margin=0.1, margin_text="10%", role=role, alpha=alpha, evidence=evidence, **more
    )


def test_interval_is_the_percentiles_of_the_ratios_and_effect_the_ratio_of_means() -> None:
    after = SHARED * RNG.normal(0.8, 0.02, SHARED.size)
    judged = judge(SHARED, after)
    assert judged.interval.low == pytest.approx(np.quantile(after / SHARED, 0.025), rel=1e-6)
    assert judged.interval.high == pytest.approx(np.quantile(after / SHARED, 0.975), rel=1e-6)
    assert judged.effect == pytest.approx(judged.after / judged.before)
    assert judged.before == pytest.approx(SHARED.mean())
    assert (judged.verdict, judged.guardrail) == (Verdict.BETTER, GuardrailState.HOLDS)
    assert (judged.p_value, judged.mde) == (None, None)
    wider = judge(SHARED, after, role=Role.PRIMARY, candidates=2)
    assert wider.interval.low == pytest.approx(np.quantile(after / SHARED, 0.0125), rel=1e-6)
    assert judge(SHARED, after, candidates=2).interval.level == pytest.approx(0.95)


def test_what_the_arms_share_cancels() -> None:
    same = judge(SHARED, SHARED + 0.05)
    assert same.verdict is Verdict.EQUIVALENT
    apart = judge(SHARED, RNG.permutation(SHARED) + 0.05)
    assert apart.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("after", "verdict", "state"),
    [
        (SHARED * 1.5 + 0.01 * RNG.random(SHARED.size), Verdict.WORSE, GuardrailState.BROKEN),
        (
            SHARED * RNG.normal(1.0, 0.2, SHARED.size).clip(0.1),
            Verdict.INCONCLUSIVE,
            GuardrailState.NOT_SHOWN,
        ),
    ],
)
def test_other_verdicts(after, verdict, state) -> None:
    judged = judge(SHARED, after)
    assert (judged.verdict, judged.guardrail) == (verdict, state)


def test_evidence_is_carried_and_assumptions_are_said() -> None:
    after = SHARED * RNG.normal(0.8, 0.02, SHARED.size)
    assumed = judge(SHARED, after, evidence=Evidence.ASSUMED)
    assert assumed.evidence is Evidence.ASSUMED
    assert [w.code for w in assumed.warnings] == ["rests_on_assumptions"]
    assert judge(SHARED, after).warnings == ()


@pytest.mark.parametrize(
    ("before", "after", "verdict", "code"),
    [
        (np.full(200, 2.0), np.full(200, 1.0), Verdict.NO_DATA, "no_spread"),
        (SHARED, SHARED, Verdict.NO_DATA, "no_spread"),
        (SHARED * 0, SHARED, Verdict.INVALID, "zero_baseline"),
        (SHARED, SHARED * 0, Verdict.INVALID, "not_positive"),
        (SHARED, np.where(SHARED > 2.9, np.nan, SHARED), Verdict.INVALID, "not_finite"),
        (SHARED, np.where(SHARED > 2.9, np.inf, SHARED), Verdict.INVALID, "not_finite"),
    ],
)
def test_what_cannot_be_judged_is_no_pass(before, after, verdict, code) -> None:
    judged = judge(before, after)
    assert (judged.verdict, judged.reasons[0].code) == (verdict, code)
    assert judged.guardrail is GuardrailState.NOT_SHOWN


def test_bad_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="draws"):
        judge(SHARED, SHARED[:-1])
    with pytest.raises(ValueError, match="draws"):
        judge([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="alpha"):
        judge(SHARED, SHARED, alpha=0)
    with pytest.raises(ValueError, match="judge_metric"):
        judge_cost(
            METRICS["memory_mean"],
            SHARED,
            SHARED,
            margin=0.1,
            margin_text="10%",
            role=Role.PRIMARY,
            alpha=0.05,
            evidence=Evidence.MEASURED,
        )


def test_a_derived_figure_takes_its_weakest_input() -> None:
    assert weakest([Evidence.MEASURED, Evidence.RECORDED]) is Evidence.RECORDED
    assert weakest([Evidence.ASSUMED, Evidence.MEASURED]) is Evidence.ASSUMED
    for bad in ([], [Evidence.DERIVED, Evidence.MEASURED]):
        with pytest.raises(ValueError, match="input"):
            weakest(bad)
