"""What a protocol needs: rounds to reach its level, journeys to reach its margin."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge import effect, planning
from harness.judge.judge import Pair, judge_metric
from harness.judge.metrics import METRICS
from harness.judge.results import GuardrailState, Role

ALPHA = st.floats(min_value=0.001, max_value=0.4)


@given(ALPHA, st.integers(1, 8))
def test_least_rounds_is_the_least_that_can_reach_the_level(alpha, candidates) -> None:
    n = planning.least_rounds(alpha, candidates)
    assert effect.sign_flip_p([1.0] * n) <= alpha / candidates
    assert n == 2 or effect.sign_flip_p([1.0] * (n - 1)) > alpha / candidates


@pytest.mark.parametrize(
    ("alpha", "candidates", "rounds"), [(0.05, 1, 6), (0.05, 2, 7), (0.05, 3, 7), (0.1, 1, 5), (0.01, 1, 8)]
)
def test_least_rounds_by_example(alpha, candidates, rounds) -> None:
    assert planning.least_rounds(alpha, candidates) == rounds


@pytest.mark.parametrize(
    ("margin", "journeys"), [(0.005, 765), (0.001, 3838), (0.01, 381)]
)  # z = 1.959964: 764.45, 3837.62, 380.30, rounded up
def test_journeys_needed_by_example(margin, journeys) -> None:
    assert planning.journeys_needed(margin, 0.05) == journeys


@given(st.floats(min_value=0.002, max_value=0.2), st.sampled_from([0.01, 0.05, 0.1]))
def test_journeys_needed_is_where_a_flawless_guardrail_begins_to_hold(margin, alpha) -> None:
    needed = planning.journeys_needed(margin, alpha)

    def state(journeys: int) -> GuardrailState | None:
        sizes = [journeys // 2, journeys - journeys // 2]
        pairs = [Pair(i, 1.0, 1.0, False, False, n, n, n, n) for i, n in enumerate(sizes)]
        metric = METRICS["completion_rate"]
        return judge_metric(
            metric, pairs, margin=margin, margin_text="m", role=Role.GUARDRAIL, alpha=alpha
        ).guardrail

    assert state(needed + 1) is GuardrailState.HOLDS
    assert state(needed - 1) is GuardrailState.NOT_SHOWN


@given(st.floats(min_value=0.001, max_value=0.5), st.floats(min_value=0.01, max_value=0.5), st.integers(1, 3))
def test_rounds_needed_is_the_least_that_finds_the_margin(noise, margin, candidates) -> None:
    n = planning.rounds_needed(noise, margin, candidates=candidates)
    assert effect.least_detectable(noise, n, 0.05 / candidates) <= margin
    least = planning.least_rounds(0.05, candidates)
    assert n == least or effect.least_detectable(noise, n - 1, 0.05 / candidates) > margin


def test_a_demo_of_six_rounds_of_eight_seconds_at_eight_a_second_can_hold_one_point() -> None:
    needed = planning.journeys_needed(0.01, 0.05)
    assert needed <= 6 * 8 * 8


@pytest.mark.parametrize(
    "call",
    [
        lambda: planning.least_rounds(0),
        lambda: planning.least_rounds(0.05, 0),
        lambda: planning.journeys_needed(0, 0.05),
        lambda: planning.journeys_needed(1, 0.05),
        lambda: planning.journeys_needed(0.01, 2),
        lambda: planning.rounds_needed(0.1, 0),
        lambda: planning.rounds_needed(math.nan, 0.1),
        lambda: planning.rounds_needed(10, 0.001),
    ],
)
def test_what_cannot_be_planned_is_refused(call) -> None:
    with pytest.raises(ValueError, match=r"found|out of reach"):
        call()
