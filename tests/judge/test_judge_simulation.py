"""How often the judge is right, in seeded simulated trials: coverage, false alarms, wrong signs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.judge.judge import Pair, judge_metric
from harness.judge.metrics import METRICS
from harness.judge.results import GuardrailState, Role, Verdict

TRIALS = 4000
CALLED = (Verdict.BETTER, Verdict.WORSE)


def latency_trials(rounds, shift, noise, seed, trials=TRIALS):
    """Judgements of simulated trials whose true log ratio is `shift`."""
    rng = np.random.default_rng(seed)
    before = rng.normal(-1, noise, (trials, rounds))
    after = before + shift + rng.normal(0, noise, (trials, rounds))
    for b, a in zip(np.exp(before).tolist(), np.exp(after).tolist(), strict=True):
        pairs = [Pair(i, x, y) for i, (x, y) in enumerate(zip(b, a, strict=True))]
        yield judge_metric(
            METRICS["journey_time_p95"], pairs, margin=0.1, margin_text="10%", role=Role.PRIMARY, alpha=0.05
        )


@pytest.mark.parametrize(("rounds", "seed"), [(6, 600), (12, 1200)])
def test_coverage_and_false_alarms_where_nothing_differs(rounds, seed) -> None:
    found = list(latency_trials(rounds, 0.0, 0.1, seed))
    covered = sum(j.interval.low <= 1 <= j.interval.high for j in found) / TRIALS
    assert 0.94 <= covered <= 0.96  # 95% give or take three standard errors
    alarms = sum(j.verdict in CALLED for j in found) / TRIALS
    assert alarms <= 0.055


@pytest.mark.parametrize("shift", [math.log(1.1), -math.log(1.1), math.log(1.3)])
def test_a_real_difference_is_covered_and_never_called_with_the_wrong_sign(shift) -> None:
    found = list(latency_trials(8, shift, 0.08, 888, trials=2000))
    truth = math.exp(shift)
    assert sum(j.interval.low <= truth <= j.interval.high for j in found) / 2000 >= 0.935
    wrong = Verdict.BETTER if shift > 0 else Verdict.WORSE
    assert sum(j.verdict is wrong for j in found) / 2000 <= 0.005
    passes = (Verdict.EQUIVALENT, Verdict.NO_WORSE, Verdict.BETTER)
    if shift > 0:  # worse by the margin or more passes at most as often as one bound of the interval is wrong
        assert sum(j.verdict in passes for j in found) / 2000 <= 0.03


def test_power_is_what_the_least_detectable_effect_says() -> None:
    """Of trials whose true effect is the MDE at the true noise, four in five are called."""
    from harness.judge.effect import least_detectable

    effect = least_detectable(0.3, 8, 0.05)  # beyond the margin, so that called means better or worse
    found = latency_trials(8, effect, 0.3, 88, trials=2000)
    assert sum(j.verdict is Verdict.WORSE for j in found) / 2000 == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("rounds", [6, 12])
def test_a_guardrail_on_completion_is_hardly_ever_broken_or_held_wrongly(rounds) -> None:
    """Equal arms break it in 2.5% of trials at most; one worse by the margin passes in 3.5% at most."""
    rng = np.random.default_rng(rounds)
    journeys, margin = 160, 0.02

    def state(p, q):
        b, a = rng.binomial(journeys, p, rounds).tolist(), rng.binomial(journeys, q, rounds).tolist()
        pairs = [
            Pair(i, x / journeys, y / journeys, False, False, x, journeys, y, journeys)
            for i, (x, y) in enumerate(zip(b, a, strict=True))
        ]
        return judge_metric(
            METRICS["completion_rate"],
            pairs,
            margin=margin,
            margin_text="2pp",
            role=Role.GUARDRAIL,
            alpha=0.05,
        ).guardrail

    trials = 2000
    assert sum(state(0.97, 0.97) is GuardrailState.BROKEN for _ in range(trials)) / trials <= 0.025
    assert sum(state(0.97, 0.95) is GuardrailState.HOLDS for _ in range(trials)) / trials <= 0.035
