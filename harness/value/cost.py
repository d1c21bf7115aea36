"""What each arm costs: per completed journey by kind, and per successful outcome, with ranges and evidence.

The one idea: one Monte Carlo for all arms at once. Prices, volumes, open-book lines and rounds are drawn once
and used for every arm, so that what the arms share cancels when they are compared; what is not known makes a
cost unknown, never zero. Formulae: docs/method.md, "Cost" (cost per transaction: GOV.UK Service Manual).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.judge.metrics import Evidence, weakest
from harness.judge.results import ArmCost, CostFigure, CostPart, Note
from harness.value.draws import Draws
from harness.value.types import ArmRuns, Basis, CostInputs, CostKind, CostLine, CostOutcome, Triangle
from harness.value.usage import Usage, use_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HOURS_PER_YEAR", "CostInputs", "CostOutcome", "cost_arms"]

HOURS_PER_YEAR = 8760
_GIB = 2.0**30
_GB = 1e9
_MONTHS = 12


@dataclass(frozen=True)
class _Part:
    """One line of an arm's year: draws of money a year, and how well they are founded."""

    name: str
    kind: CostKind
    year: NDArray[np.float64]
    evidence: Evidence
    resource: bool = False


def cost_arms(inputs: CostInputs) -> CostOutcome:
    """The cost of every arm for which it is known."""
    if inputs.prices is None:
        return CostOutcome((), {}, {}, (Note("no_prices", "what the body pays for resources is not known"),))
    draws = Draws(inputs.seed, inputs.draws)
    weights = draws.rounds(sorted({run.round for arm in inputs.arms for run in arm.runs}))
    notes = _of_the_book(inputs)
    costs: list[ArmCost] = []
    transactions: dict[str, NDArray[np.float64]] = {}
    outcomes: dict[str, NDArray[np.float64]] = {}
    for arm in inputs.arms:
        usage = use_of(arm, weights)
        if isinstance(usage, Note):
            notes.append(usage)
            continue
        cost, per_transaction, per_outcome = _cost_arm(inputs, arm, usage, draws)
        costs.append(cost)
        transactions[arm.arm] = per_transaction
        if per_outcome is not None:
            outcomes[arm.arm] = per_outcome
        notes += cost.warnings
    return CostOutcome(tuple(costs), transactions, outcomes, tuple(notes))


def _belongs(line: CostLine, arm: ArmRuns) -> bool:
    return line.system in ("", arm.arm, arm.system, arm.system.partition("@")[0])


def _of_the_book(inputs: CostInputs) -> list[Note]:
    """What the open book lacks, said once."""
    if not inputs.lines:
        return [
            Note(
                "no_open_book",
                "the open book has no lines: only resources are counted, no staff, no licences",
            )
        ]
    notes = [
        Note(
            "line_unallocated",
            f"{line.name}: {line.system} is no system of this trial, so nobody is charged with it",
        )
        for line in inputs.lines
        if not any(_belongs(line, arm) for arm in inputs.arms)
    ]
    own = {a.arm: [ln for ln in inputs.lines if ln.system and _belongs(ln, a)] for a in inputs.arms}
    if any(own.values()):
        notes += [
            Note(
                "arm_without_lines",
                f"the open book has no line of {arm.system}: its own costs are not counted",
            )
            for arm in inputs.arms
            if not own[arm.arm]
        ]
    return notes


def _cost_arm(
    inputs: CostInputs, arm: ArmRuns, usage: Usage, draws: Draws
) -> tuple[ArmCost, NDArray[np.float64], NDArray[np.float64] | None]:
    volume = draws.triangle("volume", inputs.volume)
    completed = volume * usage.completed
    seen = Evidence.MEASURED if inputs.own_demand else Evidence.ASSUMED
    per = weakest([seen, inputs.volume.evidence])
    resources, warnings = _resources(inputs, arm, usage, draws, volume, per)
    parts = [*resources, *_lines(inputs.lines, arm, draws, completed, per)]
    total = sum((part.year for part in parts), start=0.0 * volume)
    per_transaction = total / completed
    evidence = weakest([per, *(part.evidence for part in parts)])

    def kind(wanted: CostKind) -> CostFigure:
        chosen = [part for part in parts if part.kind is wanted and not part.resource]
        note = "" if chosen else "no line on the open book"
        return _sum(chosen, completed, per, note)

    failures, per_outcome, unknown = _outcomes(inputs, arm, usage, draws, volume, total)
    outcome = None
    if per_outcome is not None:
        founded = [evidence] if failures is None else [evidence, failures.evidence]
        outcome = _figure(per_outcome, weakest(founded))
    cost = ArmCost(
        arm=arm.arm,
        system=arm.system,
        currency=inputs.currency,
        frontline=kind(CostKind.FRONTLINE),
        middle=kind(CostKind.MIDDLE),
        overhead=kind(CostKind.OVERHEAD),
        resources=_sum([part for part in parts if part.resource], completed, per),
        per_transaction=_figure(per_transaction, evidence),
        per_successful_outcome=outcome,
        warnings=(*warnings, *unknown),
        parts=tuple(_part(part, completed, per) for part in parts),
        failures=_part(failures, completed, per) if failures is not None else None,
        overhead_share=_overhead_share(parts),
    )
    return cost, per_transaction, per_outcome


def _resources(
    inputs: CostInputs, arm: ArmRuns, usage: Usage, draws: Draws, volume: NDArray[np.float64], per: Evidence
) -> tuple[list[_Part], list[Note]]:
    """Processor time and traffic with the volume; memory and storage are kept all year, used or not."""
    prices = inputs.prices
    assert prices is not None  # asked before
    kept = Evidence.MEASURED if inputs.own_demand else Evidence.ASSUMED
    parts: list[_Part] = []
    warnings: list[Note] = []

    def part(name: str, amount: NDArray[np.float64], key: str, price: Triangle, founded: Evidence) -> None:
        money = amount * draws.triangle(key, price)
        parts.append(_Part(name, inputs.resource_kind, money, weakest([founded, price.evidence]), True))

    def lacking(what: str, measured: bool, priced: bool) -> None:
        if priced and not measured:
            warnings.append(Note("not_measured", f"{arm.system}: {what} was not measured and is left out"))
        elif measured and not priced:
            warnings.append(
                Note("not_priced", f"{arm.system}: {what} has no price in the price book and is left out")
            )

    part("processor time", volume * usage.cpu / 3600, "cpu_hour", prices.cpu_hour, per)
    part("memory, kept up all year", usage.memory / _GIB * HOURS_PER_YEAR, "gib_hour", prices.gib_hour, kept)
    if usage.sent is not None and prices.gb_out is not None:
        part("network traffic out", volume * usage.sent / _GB, "gb_out", prices.gb_out, per)
    lacking("network traffic out", usage.sent is not None, prices.gb_out is not None)
    if usage.disk is not None and prices.gb_month_disk is not None:
        part(
            "storage, kept up all year",
            usage.disk / _GB * _MONTHS,
            "gb_month_disk",
            prices.gb_month_disk,
            kept,
        )
    lacking("storage", usage.disk is not None, prices.gb_month_disk is not None)
    return parts, warnings


def _lines(
    lines: Sequence[CostLine], arm: ArmRuns, draws: Draws, completed: NDArray[np.float64], per: Evidence
) -> list[_Part]:
    """The open-book lines this arm pays, each drawn under a name of its own whoever pays it."""
    parts: list[_Part] = []
    seen: Counter[tuple[str, str]] = Counter()
    for line in lines:
        key = (line.system, line.name)
        seen[key] += 1
        if not _belongs(line, arm):
            continue
        amount = draws.triangle(f"line/{line.system}/{line.name}/{seen[key]}", line.amount)
        if line.basis is Basis.PER_YEAR:
            parts.append(_Part(line.name, line.kind, amount, line.amount.evidence))
        else:
            founded = weakest([line.amount.evidence, per])
            parts.append(_Part(line.name, line.kind, amount * completed, founded))
    return parts


def _outcomes(
    inputs: CostInputs,
    arm: ArmRuns,
    usage: Usage,
    draws: Draws,
    volume: NDArray[np.float64],
    total: NDArray[np.float64],
) -> tuple[_Part | None, NDArray[np.float64] | None, list[Note]]:
    """(What failed journeys cost elsewhere, money per successful outcome, why it is not known)."""
    if usage.correct is None:
        text = f"{arm.system}: not audited in every round, so what a successful outcome costs is not known"
        return None, None, [Note("correct_unknown", text)]
    if float(usage.correct.min()) <= 0:
        return (
            None,
            None,
            [Note("none_correct", f"{arm.system}: too few outcomes were right to give them a cost")],
        )
    successful = volume * usage.correct
    failing = volume * (1 - usage.completed)
    if not usage.any_failed:
        return None, total / successful, []
    if inputs.other_channel_cost is None:
        named = inputs.other_channel or "another channel"
        text = f"{arm.system}: journeys failed, and what one handled by {named} costs is not known"
        return None, None, [Note("channel_cost_unknown", text)]
    seen = Evidence.MEASURED if inputs.own_demand else Evidence.ASSUMED
    evidence = weakest([seen, inputs.volume.evidence, inputs.other_channel_cost.evidence])
    each = draws.triangle("other_channel", inputs.other_channel_cost)
    name = f"failed and abandoned journeys, turning to {inputs.other_channel or 'another channel'}"
    failures = _Part(name, CostKind.FRONTLINE, failing * each, evidence)
    return failures, (total + failures.year) / successful, []


def _overhead_share(parts: Sequence[_Part]) -> tuple[float, float] | None:
    """O/(F + M + O) to (O + M)/(F + M + O) of the expected costs; None where nothing costs anything."""
    by_kind = {k: sum(float(p.year.mean()) for p in parts if p.kind is k) for k in CostKind}
    total = sum(by_kind.values())
    if total <= 0:
        return None
    overhead = by_kind[CostKind.OVERHEAD]
    return overhead / total, (overhead + by_kind[CostKind.MIDDLE]) / total


def _part(part: _Part, completed: NDArray[np.float64], per: Evidence) -> CostPart:
    each = _figure(part.year / completed, weakest([part.evidence, per]))
    return CostPart(part.name, part.kind.value, each, _figure(part.year, part.evidence))


def _sum(parts: Sequence[_Part], completed: NDArray[np.float64], per: Evidence, note: str = "") -> CostFigure:
    year = sum((part.year for part in parts), start=0.0 * completed)
    return _figure(year / completed, weakest([per, *(part.evidence for part in parts)]), note)


def _figure(draws: NDArray[np.float64], evidence: Evidence, note: str = "") -> CostFigure:
    import numpy as np

    low, high = (float(q) for q in np.quantile(draws, (0.025, 0.975)))
    likely = float(draws.mean())
    return CostFigure(min(low, likely), likely, max(high, likely), evidence, note)
