"""What one arm did and used per journey, from its runs, once for every draw of the Monte Carlo.

The one idea: figures are ratios of sums over the rounds that a draw counts (never means of ratios), with the
same rounds for every arm, so that a bad moment on the machine hits all arms of a draw alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.judge.results import Note
from harness.value.types import ArmRuns, RunUse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_EMPTY = 0.01


@dataclass(frozen=True)
class Usage:
    """Draws of: shares of started journeys that were `completed` and `correct`, `cpu` seconds and bytes
    `sent` per journey started, mean bytes of `memory` and `disk` held. None where it is not known."""

    completed: NDArray[np.float64]
    correct: NDArray[np.float64] | None
    cpu: NDArray[np.float64]
    memory: NDArray[np.float64]
    sent: NDArray[np.float64] | None
    disk: NDArray[np.float64] | None
    any_failed: bool


def use_of(arm: ArmRuns, weights: Mapping[int, NDArray[np.float64]]) -> Usage | Note:
    """The arm's figures by draw, or why its cost is not known.

    A draw whose rounds hold none of what a figure needs takes the figure over all rounds; where more than one
    draw in a hundred would, for want of completed journeys, the cost is not known.
    """
    runs = arm.runs
    if not sum(run.completed for run in runs):
        return Note("none_completed", f"{arm.system}: no journey was completed, so there is no cost of one")
    if _empty(runs, weights, _completed) > _MOST_EMPTY:
        text = f"{arm.system}: it completed journeys in too few rounds to say what one costs"
        return Note("too_few_completed", text)
    cpu = _known(runs, weights, lambda run: run.cpu_seconds, _started)
    if cpu is None:
        return Note("cpu_unknown", f"{arm.system}: its processor time is not known, so neither is its cost")
    memory = _known(runs, weights, lambda run: run.memory_mean, _one)
    if memory is None:
        return Note("memory_unknown", f"{arm.system}: its memory is not known, so neither is its cost")
    audited = all(run.correct is not None for run in runs if run.completed)
    return Usage(
        completed=_ratio(runs, weights, _completed, _started),
        correct=_ratio(runs, weights, _correct, _started) if audited else None,
        cpu=cpu,
        memory=memory,
        sent=_known(runs, weights, lambda run: run.bytes_out, _started),
        disk=_known(runs, weights, lambda run: run.disk_kept, _one),
        any_failed=any(run.completed < run.started for run in runs),
    )


def _started(run: RunUse) -> float:
    return float(run.started)


def _completed(run: RunUse) -> float:
    return float(run.completed)


def _correct(run: RunUse) -> float:
    return float(run.correct or 0)


def _one(run: RunUse) -> float:  # noqa: ARG001  # the weight of a run in a mean over runs
    return 1.0


def _total(
    runs: Sequence[RunUse], weights: Mapping[int, NDArray[np.float64]], figure: Callable[[RunUse], float]
) -> NDArray[np.float64]:
    first = next(iter(weights.values()))
    return sum((weights[run.round] * figure(run) for run in runs), start=0.0 * first)


def _empty(
    runs: Sequence[RunUse], weights: Mapping[int, NDArray[np.float64]], figure: Callable[[RunUse], float]
) -> float:
    """The share of draws whose rounds hold none of a figure."""
    return float((_total(runs, weights, figure) <= 0).mean())


def _ratio(
    runs: Sequence[RunUse],
    weights: Mapping[int, NDArray[np.float64]],
    part: Callable[[RunUse], float],
    whole: Callable[[RunUse], float],
) -> NDArray[np.float64]:
    """Sum of `part` over sum of `whole` by draw.

    A draw without either takes the ratio over all runs, unless such draws are so many that it would mislead.
    """
    import numpy as np

    above, below = _total(runs, weights, part), _total(runs, weights, whole)
    overall = sum(part(run) for run in runs) / sum(whole(run) for run in runs)
    some = (above > 0) & (below > 0)
    if float((~some & (below > 0)).mean()) > _MOST_EMPTY:
        some = below > 0
    return np.where(some, above / np.where(some, below, 1.0), overall)


def _known(
    runs: Sequence[RunUse],
    weights: Mapping[int, NDArray[np.float64]],
    figure: Callable[[RunUse], float | None],
    whole: Callable[[RunUse], float],
) -> NDArray[np.float64] | None:
    """The ratio over the runs that have the figure; None where none has."""
    known = [run for run in runs if figure(run) is not None and whole(run) > 0]
    return _ratio(known, weights, lambda run: figure(run) or 0.0, whole) if known else None
