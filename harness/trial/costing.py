"""From a trial's record to what each arm costs a year: the seam between the ledger and `value`.

The one idea: a cost that cannot be known (no prices, no cost of the other channel) is absent, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.judge.metrics import Evidence
from harness.store.records import FullTrial, RunRecord, RunState
from harness.value.cost import cost_arms
from harness.value.types import (
    ArmRuns,
    Basis,
    CostInputs,
    CostKind,
    CostLine,
    CostOutcome,
    PriceBook,
    RunUse,
    Triangle,
)


def _triangle(data: Mapping[str, Any]) -> Triangle:
    return Triangle(
        float(data["low"]),
        float(data["likely"]),
        float(data["high"]),
        Evidence(data["evidence"]),
        data["source"],
    )


def _use(number: int, run: RunRecord) -> RunUse:
    counts, used = run.counts, run.resources
    completed = counts.get("completed", 0) + counts.get("refused", 0)
    ended = completed + counts.get("failed", 0) + counts.get("abandoned", 0)
    correct = counts.get("correct")
    whole = run.state is RunState.MEASURED  # a system that died used less than it would have
    return RunUse(
        round=number,
        started=ended,
        completed=completed,
        # A proper refusal is a correct outcome; the audit speaks of completed journeys only.
        correct=correct + counts.get("refused", 0) if correct is not None else None,
        cpu_seconds=used.get("cpu_seconds") if whole else None,
        memory_mean=used.get("memory_mean") if whole else None,
    )


def cost_trial(full: FullTrial, seed: int) -> CostOutcome | None:
    """The annual cost of every arm; None when the body has no price book or no round was valid."""
    document = full.trial.document
    prices, service = document.get("prices"), document["service"]
    if prices is None or not full.valid_rounds:
        return None
    volume = float(service["annual_volume"])
    other = service.get("failed_journeys_turn_to")
    other_cost = service["channels"][other].get("cost") if other else None
    return cost_arms(
        CostInputs(
            currency=document["programme"]["currency"],
            volume=Triangle.exactly(volume, Evidence.RECORDED, service["volume_source"]),
            prices=PriceBook(
                **{name: _triangle(price) for name, price in prices.items() if price is not None}
            ),
            arms=tuple(
                ArmRuns(
                    arm.arm,
                    arm.system,
                    tuple(
                        _use(r.number, run) for r in full.valid_rounds for run in r.runs if run.arm == arm.arm
                    ),
                )
                for arm in full.trial.arms
            ),
            lines=tuple(
                CostLine(
                    line["function"],
                    CostKind(line["kind"]),
                    Basis(line["basis"]),
                    _triangle(line),
                    line["system"] or "",
                )
                for line in document["open_book"]
            ),
            other_channel=other,
            other_channel_cost=_triangle(other_cost) if other_cost else None,
            own_demand=bool(document["demand"]["own"]),
            seed=seed,
        )
    )
