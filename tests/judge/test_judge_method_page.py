"""The worked examples of the method page, worked by the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.judge import effect, planning
from harness.judge.judge import Pair, judge_metric
from harness.judge.metrics import METRICS
from harness.judge.results import GuardrailState, Role, Verdict

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8").split())


def says(*figures: str) -> bool:
    return all(figure in PAGE for figure in figures)


def test_the_ratio_example() -> None:
    before, after = (0.40, 0.42, 0.38, 0.41, 0.39, 0.40), (0.30, 0.33, 0.29, 0.31, 0.30, 0.31)
    assert says(" ".join(f"{b:.2f}" for b in before), " ".join(f"{a:.2f}" for a in after))
    pairs = [Pair(i, b, a) for i, (b, a) in enumerate(zip(before, after, strict=True))]
    judged = judge_metric(
        METRICS["journey_time_p95"], pairs, margin=0.1, margin_text="10%", role=Role.PRIMARY, alpha=0.05
    )
    assert f"{judged.effect:.4f}" == "0.7664"
    assert (f"{judged.interval.low:.4f}", f"{judged.interval.high:.4f}") == ("0.7530", "0.7801")
    assert (f"{judged.noise_floor:.5f}", f"{judged.mde:.4f}") == ("0.01689", "0.0241")
    assert (f"{effect.t_quantile(0.975, 5):.4f}", f"{effect.t_quantile(0.8, 5):.4f}") == ("2.5706", "0.9195")
    assert judged.p_value == 0.03125
    assert judged.verdict is Verdict.BETTER
    assert says(
        "0.7664", "0.7530 to 0.7801", "0.01689", "0.0241", "2.5706", "0.9195", "0.03125", "**better**"
    )


def guard(counts, margin):
    pairs = [Pair(i, b / 64, a / 64, False, False, b, 64, a, 64) for i, (b, a) in enumerate(counts)]
    return judge_metric(
        METRICS["completion_rate"], pairs, margin=margin, margin_text="x", role=Role.GUARDRAIL, alpha=0.05
    )


def test_the_proportion_examples() -> None:
    before, after = (64, 64, 63, 64, 64, 64), (63, 64, 64, 64, 62, 64)
    assert says(" ".join(map(str, before)), " ".join(map(str, after)))
    counts = list(zip(before, after, strict=True))
    judged = guard(counts, 0.02)
    assert (round(judged.interval.low * 100, 2), round(judged.interval.high * 100, 2)) == (-2.21, 1.17)
    assert round(judged.effect * 100, 2) == -0.52
    low, high = effect.newcombe((383, 384, 381, 384), 0.05)
    assert (round(low * 100, 2), round(high * 100, 2)) == (-2.03, 0.78)
    assert judged.guardrail is GuardrailState.NOT_SHOWN
    assert says("−2.21 to 1.17", "−2.03 to 0.78", "−0.52")
    same = guard([(64, 64)] * 6, 0.01)
    assert (round(same.interval.low * 100, 2), round(same.interval.high * 100, 2)) == (-0.99, 0.99)
    assert same.guardrail is GuardrailState.HOLDS
    assert guard([(64, 64)] * 6, 0.005).guardrail is GuardrailState.NOT_SHOWN
    assert says("−0.99 to 0.99")


def test_the_planning_examples() -> None:
    assert [planning.journeys_needed(m, 0.05) for m in (0.01, 0.005, 0.001)] == [381, 765, 3838]
    assert [planning.least_rounds(0.05, k) for k in (1, 2)] == [6, 7]
    import math

    needed = [planning.rounds_needed(s, math.log(m)) for s, m in ((0.043, 1.1), (0.043, 1.05), (0.14, 1.1))]
    assert needed == [6, 9, 19]
    assert says("so 381", "so 765", "so 3,838", "6 rounds for 10% and 9 for 5%", "19 for 10%")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_explained(verdict) -> None:
    assert f"| `{verdict.value}` |" in PAGE
