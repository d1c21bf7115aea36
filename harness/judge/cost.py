"""Judging a cost: two sets of Monte Carlo draws that belong together, one interval, the same table of
verdicts.

The one idea: costs are mostly constants with declared ranges, so their uncertainty is that of the inputs and
the rounds drawn together; the verdict is only as good as its evidence class, which it carries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.judge.judge import guardrail_of, on_scale, reasons, unjudged, verdict_of
from harness.judge.metrics import Direction, Evidence, Kind, Metric
from harness.judge.results import Interval, Judgement, Note, Role, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST_DRAWS = 100


def judge_cost(
    metric: Metric,
    before_draws: Sequence[float] | NDArray[np.float64],
    after_draws: Sequence[float] | NDArray[np.float64],
    *,
    margin: float,
    margin_text: str,
    role: Role,
    alpha: float,
    evidence: Evidence,
    candidates: int = 1,
    rounds: int = 0,
) -> Judgement:
    """Judge a cost from draws of both arms, the i-th of each drawn with the same shared inputs.

    The interval is the α/2 to 1 − α/2 percentiles of the ratios after/before; the effect is the ratio of the
    mean costs, so that it agrees with the arms' own figures, which are means (expected values) because only
    those add up. `rounds` is how many rounds the draws rest on.

    Raises:
        ValueError: not a cost metric, draws that do not match or are fewer than 100, a margin or alpha out of
            range.
    """
    import numpy as np

    if metric.kind is not Kind.COST:
        raise ValueError(f"{metric.name} is not a cost metric: it is judged by judge_metric")
    if not 0 < alpha < 1 or candidates < 1:
        raise ValueError(f"alpha between 0 and 1 and at least one candidate; found {alpha}, {candidates}")
    before = np.asarray(before_draws, dtype=float)
    after = np.asarray(after_draws, dtype=float)
    if before.shape != after.shape or before.ndim != 1 or before.size < _LEAST_DRAWS:
        raise ValueError(
            f"as many draws of both arms, at least {_LEAST_DRAWS}; found {before.size}, {after.size}"
        )
    scale = on_scale(metric.kind, margin)

    def refused(verdict: Verdict, code: str, text: str) -> Judgement:
        note = Note(code, text)
        return unjudged(
            metric,
            verdict,
            note,
            margin=margin,
            margin_text=margin_text,
            role=role,
            rounds=rounds,
            evidence=evidence,
        )

    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return refused(Verdict.INVALID, "not_finite", "a cost that is not a finite number")
    if (before <= 0).any():
        return refused(
            Verdict.INVALID, "zero_baseline", "the incumbent's cost is not above zero: no ratio to it"
        )
    if (after <= 0).any():
        return refused(
            Verdict.INVALID, "not_positive", "the candidate's cost is not above zero: no ratio of it"
        )
    logs = np.log(after / before)
    if float(np.ptp(logs)) <= 1e-12:
        text = "neither a range was declared nor did anything measured vary: an exact cost shows nothing"
        return refused(Verdict.NO_DATA, "no_spread", text)
    level = alpha if role is Role.GUARDRAIL else alpha / candidates
    low, high = (float(q) for q in np.quantile(logs, (level / 2, 1 - level / 2)))
    sign = -1.0 if metric.direction is Direction.LOWER else 1.0
    benefit = Interval(min(sign * low, sign * high), max(sign * low, sign * high), 1 - level)
    verdict = verdict_of(benefit.low, benefit.high, scale)
    guardrail = guardrail_of(benefit.low, benefit.high, scale) if role is Role.GUARDRAIL else None
    warnings = []
    if evidence is Evidence.ASSUMED:
        text = "the verdict rests on assumed inputs: it is as good as the ranges they were given"
        warnings.append(Note("rests_on_assumptions", text))
    return Judgement(
        metric=metric.name,
        role=role,
        kind=metric.kind,
        verdict=verdict,
        guardrail=guardrail,
        evidence=evidence,
        margin=scale,
        margin_text=margin_text,
        rounds=rounds,
        effect=float(after.mean() / before.mean()),
        interval=Interval(math.exp(low), math.exp(high), 1 - level),
        benefit=benefit,
        before=float(before.mean()),
        after=float(after.mean()),
        reasons=tuple(reasons(verdict, benefit, margin_text, guardrail)),
        warnings=tuple(warnings),
    )
