"""What an arm costs: identities that hold whatever the amounts, and what makes a cost unknown."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.judge.metrics import Evidence
from harness.value.cost import cost_arms
from harness.value.draws import Draws
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

MEASURED, RECORDED, ASSUMED = Evidence.MEASURED, Evidence.RECORDED, Evidence.ASSUMED


def exactly(amount, evidence=RECORDED):
    return Triangle.exactly(amount, evidence)


def ranged(likely, evidence=RECORDED):
    return Triangle(0.8 * likely, likely, 1.4 * likely, evidence)


def runs(n=6, started=160, failed=4, wrong=1, cpu=8.0, memory=128.0, sent=2e6, seed=1):
    rng = np.random.default_rng(seed)
    return tuple(
        RunUse(
            round=i,
            started=started,
            completed=started - failed,
            correct=started - failed - wrong,
            cpu_seconds=cpu * float(rng.uniform(0.9, 1.1)),
            memory_mean=memory * 2**20 * float(rng.uniform(0.95, 1.05)),
            bytes_out=sent,
        )
        for i in range(n)
    )


PRICES = PriceBook(ranged(0.04), ranged(0.005), ranged(0.07))
LINES = (
    CostLine("licence", CostKind.MIDDLE, Basis.PER_YEAR, ranged(12_500), "registrar-forms"),
    CostLine("subscription", CostKind.MIDDLE, Basis.PER_YEAR, ranged(6_000), "booking"),
    CostLine("registrar's time", CostKind.FRONTLINE, Basis.PER_TRANSACTION, ranged(2.0)),
    CostLine("finance", CostKind.OVERHEAD, Basis.PER_YEAR, ranged(3_000)),
)
INPUTS = CostInputs(
    currency="GBP",
    volume=exactly(26_000),
    prices=PRICES,
    arms=(
        ArmRuns("before", "registrar-forms", runs(cpu=9, memory=80)),
        ArmRuns("after", "booking@1.0.0", runs(cpu=5, memory=120, failed=2, seed=2)),
    ),
    lines=LINES,
    other_channel="phone",
    other_channel_cost=ranged(5.6),
    own_demand=True,
    seed=11,
)


def arm(outcome, key="after"):
    return next(a for a in outcome.arms if a.arm == key)


def codes(outcome):
    return {note.code for note in outcome.warnings}


def test_parts_add_up_to_the_cost_of_a_transaction() -> None:
    for cost in cost_arms(INPUTS).arms:
        parts = (cost.frontline, cost.middle, cost.overhead, cost.resources)
        assert sum(p.likely for p in parts) == pytest.approx(cost.per_transaction.likely)
        assert sum(p.per_transaction.likely for p in cost.parts) == pytest.approx(cost.per_transaction.likely)
        low, high = cost.overhead_share
        # resources are overhead in kind
        total = cost.per_transaction.likely
        assert low == pytest.approx((cost.overhead.likely + cost.resources.likely) / total, rel=1e-3)
        assert high == pytest.approx(low + cost.middle.likely / total, rel=1e-3)
        assert cost.per_successful_outcome.likely > cost.per_transaction.likely


def test_draws_and_figures_agree() -> None:
    outcome = cost_arms(INPUTS)
    for cost in outcome.arms:
        drawn = outcome.per_transaction[cost.arm]
        assert drawn.shape == (10_000,)
        assert cost.per_transaction.likely == pytest.approx(float(drawn.mean()))
        assert cost.per_transaction.low == pytest.approx(float(np.quantile(drawn, 0.025)))
        assert cost.per_transaction.high == pytest.approx(float(np.quantile(drawn, 0.975)))
    assert list(outcome.per_successful_outcome) == ["before", "after"]


def test_ten_thousand_draws_take_well_under_a_second_and_repeat_themselves() -> None:
    first = cost_arms(INPUTS)
    start = time.perf_counter()
    again = cost_arms(INPUTS)
    assert time.perf_counter() - start < 1
    assert again.arms == first.arms
    other = cost_arms(replace(INPUTS, seed=12))
    assert arm(other).per_transaction.likely != arm(first).per_transaction.likely
    assert arm(other).per_transaction.likely == pytest.approx(arm(first).per_transaction.likely, rel=0.01)


AMOUNTS = st.floats(min_value=1, max_value=1e5)


@given(AMOUNTS, st.floats(min_value=0, max_value=1), st.sampled_from(CostKind), st.sampled_from(Basis))
@settings(max_examples=25)
def test_splitting_a_line_changes_nothing(amount, share, kind, basis) -> None:
    whole = replace(INPUTS, draws=100, lines=(CostLine("all", kind, basis, exactly(amount)),))
    parts = (exactly(amount * share), exactly(amount * (1 - share)))
    split = replace(whole, lines=tuple(CostLine(f"part {i}", kind, basis, p) for i, p in enumerate(parts)))
    for a, b in zip(cost_arms(whole).arms, cost_arms(split).arms, strict=True):
        assert a.per_transaction.likely == pytest.approx(b.per_transaction.likely)
        assert a.per_successful_outcome.likely == pytest.approx(b.per_successful_outcome.likely)
        assert (a.frontline.likely, a.middle.likely, a.overhead.likely) == pytest.approx(
            (b.frontline.likely, b.middle.likely, b.overhead.likely)
        )


def scaled(amount: Triangle, factor: float) -> Triangle:
    return Triangle(amount.low * factor, amount.likely * factor, amount.high * factor, amount.evidence)


@given(st.sampled_from([0.01, 0.5, 3.0, 1000.0]))
@settings(max_examples=4)
def test_scaling_the_currency_scales_every_cost(factor) -> None:
    other = replace(
        INPUTS,
        prices=PriceBook(*(scaled(p, factor) for p in (PRICES.cpu_hour, PRICES.gib_hour, PRICES.gb_out))),
        lines=tuple(replace(line, amount=scaled(line.amount, factor)) for line in LINES),
        other_channel_cost=scaled(INPUTS.other_channel_cost, factor),
    )
    a, b = cost_arms(INPUTS), cost_arms(other)
    for key in ("before", "after"):
        assert b.per_transaction[key] == pytest.approx(a.per_transaction[key] * factor)
        assert b.per_successful_outcome[key] == pytest.approx(a.per_successful_outcome[key] * factor)
        assert arm(b, key).overhead_share == pytest.approx(arm(a, key).overhead_share)


def test_lines_are_paid_by_the_arm_they_belong_to_and_shared_ones_are_drawn_once() -> None:
    outcome = cost_arms(INPUTS)
    names = {cost.arm: {part.name for part in cost.parts} for cost in outcome.arms}
    assert {"licence", "finance", "registrar's time"} <= names["before"]
    assert "licence" not in names["after"]
    assert "subscription" in names["after"]
    finance = [next(p for p in cost.parts if p.name == "finance").per_year for cost in outcome.arms]
    assert finance[0] == finance[1]
    only = replace(INPUTS, lines=LINES[3:])
    shared = cost_arms(only)
    alone = np.corrcoef(shared.per_transaction["before"], shared.per_transaction["after"])[0, 1]
    assert alone > 0.999  # nearly all of it is the one shared line


def test_adding_a_line_leaves_the_draws_of_the_others_alone() -> None:
    more = replace(
        INPUTS, lines=(CostLine("cleaning", CostKind.OVERHEAD, Basis.PER_YEAR, ranged(10)), *LINES)
    )
    before = {p.name: p.per_year for p in arm(cost_arms(INPUTS)).parts}
    after = {p.name: p.per_year for p in arm(cost_arms(more)).parts}
    assert before == {name: figure for name, figure in after.items() if name != "cleaning"}


@pytest.mark.parametrize("system", ["", "after", "booking", "booking@1.0.0"])
def test_a_line_names_its_arm_in_any_of_these_ways(system) -> None:
    line = CostLine("x", CostKind.MIDDLE, Basis.PER_YEAR, exactly(100), system)
    outcome = cost_arms(replace(INPUTS, lines=(line,)))
    assert arm(outcome).middle.likely > 0
    assert (arm(outcome, "before").middle.likely > 0) == (system == "")


# ── evidence ──────────────────────────────────────────────


def test_evidence_is_that_of_the_weakest_input() -> None:
    assert arm(cost_arms(INPUTS)).per_transaction.evidence is RECORDED
    elsewhere = cost_arms(replace(INPUTS, own_demand=False))
    assert arm(elsewhere).per_transaction.evidence is ASSUMED
    assert arm(elsewhere).per_successful_outcome.evidence is ASSUMED
    parts = {part.name: part for part in arm(elsewhere).parts}
    assert parts["processor time"].per_year.evidence is ASSUMED
    assert parts["memory, kept up all year"].per_year.evidence is ASSUMED
    assert parts["finance"].per_year.evidence is RECORDED  # a year's bill needs no failure rate
    assert parts["finance"].per_transaction.evidence is ASSUMED  # but dividing it by completed journeys does
    guess = replace(INPUTS, other_channel_cost=ranged(5, ASSUMED))
    assert arm(cost_arms(guess)).per_transaction.evidence is RECORDED
    assert arm(cost_arms(guess)).per_successful_outcome.evidence is ASSUMED
    line = CostLine("guess", CostKind.MIDDLE, Basis.PER_YEAR, ranged(5, ASSUMED), "before")
    outcome = cost_arms(replace(INPUTS, lines=(*LINES, line)))
    assert arm(outcome, "before").per_transaction.evidence is ASSUMED
    assert arm(outcome, "before").frontline.evidence is RECORDED
    assert arm(outcome, "after").per_transaction.evidence is RECORDED


# ── what is not known ──────────────────────────────────────────────


def altered(**changes):
    after = replace(INPUTS.arms[1], runs=tuple(replace(run, **changes) for run in INPUTS.arms[1].runs))
    return replace(INPUTS, arms=(INPUTS.arms[0], after))


def test_without_prices_no_cost_is_known() -> None:
    outcome = cost_arms(replace(INPUTS, prices=None))
    assert (outcome.arms, outcome.per_transaction, outcome.per_successful_outcome) == ((), {}, {})
    assert codes(outcome) == {"no_prices"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cpu_seconds": None}, "cpu_unknown"),
        ({"memory_mean": None}, "memory_unknown"),
        ({"completed": 0, "correct": 0}, "none_completed"),
        ({"started": 0, "completed": 0, "correct": 0}, "none_completed"),
    ],
)
def test_an_arm_whose_use_is_not_known_has_no_cost_and_the_other_keeps_its_own(changes, code) -> None:
    outcome = cost_arms(altered(**changes))
    assert [cost.arm for cost in outcome.arms] == ["before"]
    assert list(outcome.per_transaction) == ["before"]
    assert code in codes(outcome)


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        (replace(INPUTS, other_channel_cost=None), "channel_cost_unknown"),
        (altered(correct=None), "correct_unknown"),
        (altered(correct=0), "none_correct"),
    ],
)
def test_a_successful_outcome_may_have_no_known_cost_where_a_transaction_has(inputs, code) -> None:
    outcome = cost_arms(inputs)
    assert arm(outcome).per_successful_outcome is None
    assert "after" not in outcome.per_successful_outcome
    assert arm(outcome).per_transaction.likely > 0
    assert code in codes(outcome)


def test_without_failures_no_other_channel_is_needed() -> None:
    flawless = altered(completed=160, correct=160)
    outcome = cost_arms(replace(flawless, other_channel=None, other_channel_cost=None))
    cost = arm(outcome)
    assert cost.failures is None
    assert cost.per_successful_outcome.likely == pytest.approx(cost.per_transaction.likely)


def test_what_is_left_out_is_said() -> None:
    dear = replace(INPUTS, prices=replace(PRICES, gb_out=None, gb_month_disk=ranged(0.1)))
    assert {"not_priced", "not_measured"} <= codes(cost_arms(dear))
    kept = cost_arms(replace(altered(disk_kept=5e9), prices=replace(PRICES, gb_month_disk=exactly(0.1))))
    stored = next(p for p in arm(kept).parts if p.name.startswith("storage"))
    assert stored.per_year.likely == pytest.approx(5 * 12 * 0.1)
    assert "no_open_book" in codes(cost_arms(replace(INPUTS, lines=())))
    stray = CostLine("x", CostKind.MIDDLE, Basis.PER_YEAR, exactly(100), "bookings")
    assert "line_unallocated" in codes(cost_arms(replace(INPUTS, lines=(*LINES, stray))))
    assert "arm_without_lines" in codes(cost_arms(replace(INPUTS, lines=LINES[:1])))
    assert codes(cost_arms(INPUTS)) == set()


def test_a_round_in_which_the_system_was_not_ready_counts_as_failed() -> None:
    down = RunUse(5, 160, 0, 0, None, None, None)
    after = replace(INPUTS.arms[1], runs=(*INPUTS.arms[1].runs[:5], down))
    outcome = cost_arms(replace(INPUTS, arms=(INPUTS.arms[0], after)))
    cost, sound = arm(outcome), arm(cost_arms(INPUTS))
    assert cost.per_successful_outcome.likely > 1.1 * sound.per_successful_outcome.likely
    assert cost.parts[0].per_year.likely == pytest.approx(sound.parts[0].per_year.likely, rel=0.05)
    mostly = replace(
        INPUTS.arms[1], runs=(INPUTS.arms[1].runs[0], *(replace(down, round=i) for i in range(1, 6)))
    )
    outcome = cost_arms(replace(INPUTS, arms=(INPUTS.arms[0], mostly)))
    assert "too_few_completed" in codes(outcome)
    assert [a.arm for a in outcome.arms] == ["before"]


# ── the draws ──────────────────────────────────────────────


def test_triangles_are_drawn_as_scipy_knows_them() -> None:
    amount = Triangle(2, 3, 7, ASSUMED)
    drawn = Draws(1, 10_000).triangle("x", amount)
    assert stats.kstest(drawn, stats.triang(0.2, loc=2, scale=5).cdf).pvalue > 0.01
    assert drawn.mean() == pytest.approx(amount.expected, rel=0.01)
    assert (Draws(1, 200).triangle("x", exactly(3)) == 3).all()
    assert (Draws(1, 200).triangle("x", amount) != Draws(1, 200).triangle("y", amount)).all()


def test_the_bootstrap_of_rounds_has_the_variance_of_a_mean_over_rounds() -> None:
    figures = np.array([1.0, 1.3, 0.8, 1.1, 0.9, 1.4])
    weights = Draws(3, 200_000).rounds(range(6))
    means = sum(weights[i] * figures[i] for i in range(6)) / 5
    assert means.mean() == pytest.approx(figures.mean(), rel=0.002)
    assert means.std() == pytest.approx(figures.std(ddof=1) / np.sqrt(6), rel=0.01)
    assert (Draws(3, 100).rounds([7])[7] == 1).all()


# ── what cannot be ──────────────────────────────────────────────


@pytest.mark.parametrize(
    ("low", "likely", "high"),
    [(2, 1, 3), (1, 3, 2), (-1, 0, 1), (0, float("nan"), 1), (0, 1, float("inf"))],
)
def test_ranges_upside_down_negative_or_not_finite_are_refused(low, likely, high) -> None:
    with pytest.raises(ValueError, match="low ≤ likely ≤ high"):
        Triangle(low, likely, high, ASSUMED)


@pytest.mark.parametrize(
    "change",
    [{"volume": exactly(0)}, {"draws": 10}, {"arms": (INPUTS.arms[0], INPUTS.arms[0])}],
)
def test_inputs_that_cannot_be_are_refused(change) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(INPUTS, **change)


@pytest.mark.parametrize(
    "change", [{"completed": 161}, {"correct": 200}, {"cpu_seconds": -1.0}, {"memory_mean": float("nan")}]
)
def test_runs_that_cannot_be_are_refused(change) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(INPUTS.arms[0].runs[0], **change)
