"""Holm's step-down adjustment: p-values of several questions asked of one trial, so that one of them is not
right by luck.

The one idea: the adjusted p is printed beside a secondary metric's verdict; it never makes the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.judge.results import Judgement


def adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm-adjusted p-values in the order given (Holm 1979).

    Raises:
        ValueError: a p outside 0–1.
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values from 0 to 1; found {list(p_values)}")
    ranked = sorted(range(len(p_values)), key=lambda i: p_values[i])
    result = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(ranked):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        result[i] = highest
    return tuple(result)


def holm(judgements: Sequence[Judgement]) -> tuple[Judgement, ...]:
    """The judgements with `p_holm`, adjusted for one another; those without a p stay as they are."""
    p_values = [j.p_value for j in judgements if j.p_value is not None]
    adjusted_values = iter(adjusted(p_values))
    return tuple(j if j.p_value is None else replace(j, p_holm=next(adjusted_values)) for j in judgements)
