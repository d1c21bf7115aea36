"""The arithmetic of effects against SciPy, statsmodels and published values."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from harness.judge import effect
from harness.judge.holm import adjusted, holm
from harness.judge.judge import unjudged
from harness.judge.metrics import METRICS
from harness.judge.results import Note, Role, Verdict

EFFECTS = st.lists(st.floats(min_value=-2, max_value=2), min_size=2, max_size=12)
ALPHA = st.floats(min_value=0.001, max_value=0.3)


@given(EFFECTS, ALPHA)
def test_t_interval_is_scipys(values, alpha) -> None:
    assume(effect.spread(values) > 1e-9)
    expected = stats.ttest_1samp(values, 0).confidence_interval(1 - alpha)
    assert effect.t_interval(values, alpha) == pytest.approx(
        (expected.low, expected.high), rel=1e-7, abs=1e-9
    )


@given(EFFECTS)
def test_spread_and_means_are_numpys(values) -> None:
    assert effect.spread(values) == pytest.approx(float(np.std(values, ddof=1)), abs=1e-11)
    assert effect.mean(values) == pytest.approx(float(np.mean(values)))
    positive = [math.exp(v) for v in values]
    assert effect.geometric_mean(positive) == pytest.approx(float(stats.gmean(positive)))


def test_spread_ignores_rounding_and_needs_two() -> None:
    assert effect.spread([math.log(1.3 * x / x) for x in (0.1, 0.7, 1.1, 3.3)]) == 0
    with pytest.raises(ValueError, match="two"):
        effect.spread([1.0])


@given(st.lists(st.integers(min_value=-30, max_value=30).map(lambda i: i / 8), min_size=2, max_size=10))
@settings(max_examples=40)
def test_sign_flip_p_is_scipys_exact_permutation_test(values) -> None:
    # eighths add up exactly: SciPy's count of ties depends on rounding
    expected = stats.permutation_test(
        (np.array(values),),
        lambda x, axis: np.abs(np.sum(x, axis=axis)),
        permutation_type="samples",
        n_resamples=np.inf,
        alternative="greater",
        vectorized=True,
    ).pvalue
    assert effect.sign_flip_p(values) == pytest.approx(expected)


def test_sign_flip_p_at_its_least_and_at_none() -> None:
    assert effect.sign_flip_p([1.0, 2.0, 3.0]) == 2 / 2**3  # so 3 rounds cannot reach p < .1
    assert effect.sign_flip_p([0.5] * 6) == 2 / 2**6
    assert effect.sign_flip_p([1.0, -1.0]) == 1.0
    assert effect.sign_flip_p([0.0, 0.0]) == 1.0
    with pytest.raises(ValueError, match="at least one"):
        effect.sign_flip_p([])


def test_sign_flip_p_is_exact_to_32_and_agrees_with_sampling_beyond() -> None:
    rng = random.Random(20_081_001)
    values = [rng.gauss(0.3, 1) for _ in range(32)]
    exact = effect.sign_flip_p(values)
    sampled = effect._sampled_p(values, abs(math.fsum(values)) * (1 - 1e-9), seed=3)
    assert sampled == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 100_000))
    many = [rng.gauss(0.3, 1) for _ in range(60)]
    assert effect.sign_flip_p(many, seed=1) == effect.sign_flip_p(many, seed=1)
    assert effect.sign_flip_p(many) == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.02)


@given(st.integers(1, 400), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1), ALPHA)
def test_newcombe_is_statsmodels(before_n, after_n, p, q, alpha) -> None:
    before, after = round(p * before_n), round(q * after_n)
    expected = confint_proportions_2indep(
        after, after_n, before, before_n, method="newcomb", compare="diff", alpha=alpha
    )
    assert effect.newcombe((before, before_n, after, after_n), alpha) == pytest.approx(expected, abs=1e-9)
    wilson = proportion_confint(before, before_n, alpha=alpha, method="wilson")
    assert effect.wilson(before, before_n, alpha) == pytest.approx(wilson, abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [  # Newcombe (1998), Statistics in Medicine 17, 873-890, Table II, method 10
        ((48, 80, 56, 70), 0.0524, 0.3339),
        ((3, 10, 9, 10), 0.1705, 0.8090),
        ((2, 7, 6, 7), 0.0582, 0.8062),
        ((0, 29, 5, 56), -0.0381, 0.1926),
        ((0, 20, 0, 10), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((0, 20, 10, 10), 0.6791, 1.0),
        ((0, 10, 10, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_gives_the_published_intervals(counts, low, high) -> None:
    assert effect.newcombe(counts, 0.05) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (5, 4), (-1, 4)])
def test_counts_that_cannot_be_are_refused(successes, trials) -> None:
    with pytest.raises(ValueError, match="successes"):
        effect.wilson(successes, trials, 0.05)


def test_least_detectable_effect_has_the_power_it_says() -> None:
    """The exact power (noncentral t) of the effect it names is 80%, give or take two points."""
    for rounds in (6, 8, 12, 20):
        mde = effect.least_detectable(0.05, rounds, 0.05)
        shift = mde / 0.05 * math.sqrt(rounds)
        edge = stats.t.ppf(0.975, rounds - 1)
        power = stats.nct.sf(edge, rounds - 1, shift) + stats.nct.cdf(-edge, rounds - 1, shift)
        assert power == pytest.approx(0.8, abs=0.02)


def test_spread_p_is_the_correlation_test_of_sums_and_differences() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=12), rng.normal(scale=4, size=12)
    assert effect.spread_p(list(x), list(y)) == pytest.approx(stats.pearsonr(x + y, x - y).pvalue)
    assert effect.spread_p([1.0, 2.0], [2.0, 1.0]) is None
    assert effect.spread_p([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
@settings(max_examples=30)
def test_holm_is_statsmodels(p_values) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert adjusted(p_values) == pytest.approx(tuple(expected))


def test_holm_of_a_published_example_and_of_judgements() -> None:
    assert adjusted([0.025, 0.03]) == pytest.approx((0.05, 0.05))
    assert adjusted([]) == ()
    with pytest.raises(ValueError, match="0 to 1"):
        adjusted([1.2])
    nothing = unjudged(
        METRICS["memory_mean"],
        Verdict.NO_DATA,
        Note("no_rounds", "none"),
        margin=0.1,
        margin_text="10%",
        role=Role.SECONDARY,
    )
    assert holm([nothing]) == (nothing,)
