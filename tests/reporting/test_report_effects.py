"""Effects in words: rounding that cannot contradict the figures."""

# ruff: noqa: E501 - one line a case

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.judge.metrics import Evidence, Kind
from harness.judge.results import Interval, Judgement, Role, Verdict
from harness.reporting.effects import band_text, effect_text, on_one_grid

TENTH = math.log(1.1)


def judgement(effect, low, high, *, kind=Kind.RATIO, margin=TENTH, margin_text="10%", **opened):
    metric = "completion_rate" if kind is Kind.DIFFERENCE else "journey_time_p95"
    return Judgement(
        metric=metric,
        role=Role.PRIMARY,
        kind=kind,
        verdict=Verdict.BETTER,
        guardrail=None,
        evidence=Evidence.MEASURED,
        margin=margin,
        margin_text=margin_text,
        rounds=8,
        effect=effect,
        interval=Interval(low, high, 0.95, **opened),
        benefit=None,
    )


@pytest.mark.parametrize(
    ("effect", "low", "high", "estimate", "interval"),
    [
        (0.80, 0.74, 0.86, "20% lower", "between 14% and 26% lower"),
        (0.99, 0.95, 1.03, "1% lower", "between 5% lower and 3% higher"),
        (1.0, 0.97, 1.03, "about the same", "between 3% lower and 3% higher"),
        (1.0004, 0.97, 1.03, "about the same", "between 3% lower and 3% higher"),
        # 9.97% must not become the margin's 10%
        (1.05, 1.01, 1.0997, "5.00% higher", "between 1.00% and 9.97% higher"),
        # −9.07% is inside the band that ends at −9.09%, and so is −9%
        (0.95, 0.9093, 0.99, "5% lower", "between 1% and 9% lower"),
        # −9.12% is outside it, and −9% would not be
        (0.95, 0.9088, 0.99, "5.0% lower", "between 1.0% and 9.1% lower"),
        # an end that barely excludes zero stays off it
        (0.95, 0.90, 0.9996, "5.00% lower", "between 0.04% and 10.00% lower"),
        (2.71, 2.54, 2.89, "2.71 times as high", "between 2.54 and 2.89 times"),
        (2.6, 0.9, 7.5, "160% higher", "between 10% lower and 650% higher"),
        (0.03, 0.027, 0.033, "97.0% lower", "between 96.7% and 97.3% lower"),
    ],
)
def test_ratios_in_words(effect, low, high, estimate, interval):
    text = effect_text(judgement(effect, low, high))
    assert (text.estimate, text.interval, text.level) == (estimate, interval, "95%")


@pytest.mark.parametrize(
    ("effect", "low", "high", "estimate", "interval"),
    [
        (0.003, -0.001, 0.007, "0.3 percentage points higher", "between 0.1 percentage points lower and 0.7 percentage points higher"),
        (-0.058, -0.09, -0.02, "6 percentage points lower", "between 2 and 9 percentage points lower"),
        (0.0, 0.0, 0.0, "no different", "no different exactly"),
    ],
)  # fmt: skip
def test_differences_in_words(effect, low, high, estimate, interval):
    text = effect_text(judgement(effect, low, high, kind=Kind.DIFFERENCE, margin=0.005, margin_text="0.5pp"))
    assert (text.estimate, text.interval) == (estimate, interval)


@pytest.mark.parametrize(
    ("effect", "low", "high", "opened", "estimate", "interval"),
    [
        (1.5, 1.3, 1.8, {"high_open": True}, "at least 50% higher", "at least 30% higher"),
        (0.82, 0.70, 1.0, {"high_open": True}, "at most 18% lower", "at most 30% lower"),
        (0.5, 0.4, 0.6, {"low_open": True}, "at least 50% lower", "at least 40% lower"),
        (0.9, 0.7, 1.2, {"low_open": True}, "at least 10% lower", "at most 20% higher"),
        (8.0, 2.0, 30.0, {"high_open": True}, "at least 8 times as high", "at least 2 times"),
        (0.9, 0.7, 1.2, {"low_open": True, "high_open": True}, "10% lower", "without a bound either way"),
    ],
)
def test_an_open_end_is_said(effect, low, high, opened, estimate, interval):
    text = effect_text(judgement(effect, low, high, **opened))
    assert (text.estimate, text.interval) == (estimate, interval)


def test_no_effect_no_words():
    bare = judgement(1.0, 0.9, 1.1)
    for value in (None, math.nan, math.inf):
        assert effect_text(Judgement(**{**bare.__dict__, "effect": value})) is None


def test_the_band_is_not_symmetric_in_percent():
    assert band_text(judgement(1, 1, 1)) == "from 9.09% lower to 10% higher"
    pp = judgement(0, 0, 0, kind=Kind.DIFFERENCE, margin=0.01, margin_text="1pp")
    assert band_text(pp) == "up to 1 percentage point either way"


@st.composite
def intervals(draw):
    low = draw(st.floats(min_value=-90, max_value=300, allow_nan=False))
    width = draw(st.floats(min_value=1e-3, max_value=200))
    share = draw(st.floats(min_value=0, max_value=1))
    return low + share * width, low, low + width


@given(intervals(), st.sampled_from((0.05, 0.1, 0.25)))
def test_rounding_keeps_order_and_sides(values, margin):
    estimate, low, high = values
    bounds = (-100 * (1 - 1 / (1 + margin)), 100 * margin)
    shown, decimals = on_one_grid((estimate, low, high), bounds)
    assert shown[1] <= shown[0] <= shown[2]
    assert shown[1] < shown[2]
    for value, rounded in zip((low, high), shown[1:], strict=True):
        assert abs(value - rounded) <= 10.0**-decimals * 1.0001
        for bound in (*bounds, 0.0):
            assume(abs(value - bound) > 1e-6)
            assert (rounded > bound) == (value > bound)


@given(intervals())
def test_what_is_written_brackets_the_estimate(values):
    estimate, low, high = (1 + v / 100 for v in values)
    assume(low > 0.02)
    text = effect_text(judgement(estimate, low, high))
    assume(not text.times)

    def signed(words: str) -> list[float]:
        numbers = [float(n.replace(",", "")) for n in re.findall(r"[\d,]+(?:\.\d+)?", words)]
        if "lower" in words and "higher" in words:
            return [-numbers[0], numbers[1]]
        return sorted(-n if "lower" in words else n for n in numbers)

    ends = signed(text.interval)
    middle = 0.0 if text.estimate in ("about the same", "no different") else signed(text.estimate)[0]
    assert len(ends) == 2
    assert ends[0] <= middle <= ends[1]
