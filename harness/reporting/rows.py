"""The data written beside a page: one row a run and metric, as CSV and JSON.

The one idea: these rows are what the verdicts were judged from, so anybody can judge again; configurations,
log folders and the machine's name stay in the ledger.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from typing import Any

from harness.reporting.view import TrialView
from harness.reporting.words import metric_unit

FORMAT = 1
GENERATOR = "pioneer harness"
_COLUMNS = ("trial", "round", "attempt", "valid", "arm", "metric", "value", "censored", "unit")
HEAD = ",".join(_COLUMNS)
"""The head row of data.csv."""


@dataclass(frozen=True)
class Row:
    """A run's value of one metric, in base units."""

    trial: str
    round: int
    attempt: int
    valid: bool
    arm: str
    metric: str
    value: float
    censored: bool
    unit: str


def rows(view: TrialView) -> list[Row]:
    """Every value of every run of every attempt, those left out marked."""
    return [
        Row(
            trial=view.full.trial.uid,
            round=record.number,
            attempt=record.attempt,
            valid=record.valid,
            arm=run.arm,
            metric=name,
            value=value.value,
            censored=value.censored,
            unit=metric_unit(name),
        )
        for record in view.full.rounds
        for run in record.runs
        for name, value in sorted(run.values.items())
    ]


def as_csv(found: list[Row]) -> str:
    """The rows as RFC 4180 CSV; text that a spreadsheet would run as a formula is quoted with an "
    "apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for row in found:
        cells = [getattr(row, column) for column in _COLUMNS]
        writer.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value


def as_json(view: TrialView, found: list[Row]) -> str:
    """The trial, its judgement as stored, the counts of every run, and the rows."""
    trial = view.full.trial
    data: dict[str, Any] = {
        "generator": GENERATOR,
        "format": FORMAT,
        "pilot": trial.pilot,
        "trial": {
            "uid": trial.uid,
            "registered": trial.registered,
            "state": trial.state.value,
            "state_reason": trial.state_reason,
            "started_at": trial.started_at.isoformat(),
            "finished_at": trial.finished_at.isoformat() if trial.finished_at else None,
            "protocol_hash": trial.protocol_hash,
            "seed": trial.seed,
            "deviations": list(trial.deviations),
            "arms": [
                {"arm": a.arm, "system": a.system, "title": a.title, "content_hash": a.content_hash}
                for a in view.arms
            ],
            "versions": view.raw("versions"),
            "protocol": view.raw("protocol"),
            "demand": view.raw("demand"),
            "illustrative": view.illustrative,
        },
        "judgement": view.full.judgement,
        "runs": [
            {
                "round": record.number,
                "attempt": record.attempt,
                "valid": record.valid,
                "arm": run.arm,
                "place": run.place,
                "state": run.state.value,
                "reason": run.reason,
                "counts": dict(run.counts),
                "schedule_hash": run.schedule_hash,
                "audit": [asdict(check) for check in run.audit],
            }
            for record in view.full.rounds
            for run in record.runs
        ],
        "rows": [asdict(row) for row in found],
    }
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=False, allow_nan=False) + "\n"
