"""A trial's figures one to a row, as open data wants them.

The one idea: long format (a row for each run and metric), every attempt included and marked, so that anybody
can count what was left out and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.store.records import FullTrial


class Row(NamedTuple):
    """One run's value of one metric, in the metric's own unit. `valid`: the round counts."""

    trial: str
    round: int
    attempt: int
    valid: bool
    arm: str
    metric: str
    value: float
    censored: bool


def rows(full: FullTrial) -> Iterator[Row]:
    """Every value of a trial, in the order of its rounds and runs, metrics by name."""
    for item in full.rounds:
        for run in item.runs:
            for metric, value in sorted(run.values.items()):
                yield Row(
                    full.trial.uid,
                    item.number,
                    item.attempt,
                    item.valid,
                    run.arm,
                    metric,
                    value.value,
                    value.censored,
                )
