"""The worked cost example of the method page, worked by the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.judge.metrics import Evidence
from harness.value.cost import cost_arms
from harness.value.types import (
    ArmRuns,
    Basis,
    CostInputs,
    CostKind,
    CostLine,
    PriceBook,
    RunUse,
    Triangle,
)

PAGE = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")


def pounds(amount: float) -> Triangle:
    return Triangle.exactly(amount, Evidence.RECORDED)


def test_the_cost_example() -> None:
    run = RunUse(1, 100, 95, 94, cpu_seconds=10.0, memory_mean=2 * 2.0**30, bytes_out=10e6)
    inputs = CostInputs(
        currency="GBP",
        volume=pounds(10_000),
        prices=PriceBook(pounds(0.36), pounds(0.01), pounds(0.50)),
        arms=(ArmRuns("after", "booking@1.0.0", (run, RunUse(2, 100, 95, 94, 10.0, 2 * 2.0**30, 10e6))),),
        lines=(
            CostLine("licence", CostKind.MIDDLE, Basis.PER_YEAR, pounds(4_000)),
            CostLine("finance", CostKind.OVERHEAD, Basis.PER_YEAR, pounds(1_000)),
            CostLine("registrars' time", CostKind.FRONTLINE, Basis.PER_TRANSACTION, pounds(1.50)),
        ),
        other_channel="phone",
        other_channel_cost=pounds(5),
        own_demand=True,
    )
    (cost,) = cost_arms(inputs).arms
    years = [part.per_year.likely for part in cost.parts]
    assert years == pytest.approx([0.10, 175.20, 0.50, 4000, 1000, 14_250])
    for amount in (*years, sum(years)):
        assert f"£{amount:,.2f}" in PAGE
    assert f"**£{cost.per_transaction.likely:.4f}**" == "**£2.0448**"
    assert f"**£{cost.per_successful_outcome.likely:.4f}**" == "**£2.3325**"
    assert cost.failures.per_year.likely == pytest.approx(2_500)
    low, high = cost.overhead_share
    assert f"{low:.1%} to {high:.1%}" == "6.1% to 26.6%"
    for figure in ("**£2.0448**", "**£2.3325**", "£2,500", "6.1% to 26.6%"):
        assert figure in PAGE
    for figure in (cost.frontline, cost.per_transaction, cost.per_successful_outcome):
        assert figure.low == pytest.approx(figure.likely)  # nothing varies, so there is no range
        assert figure.evidence is Evidence.RECORDED
