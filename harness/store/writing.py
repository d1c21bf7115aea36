"""What goes into the ledger, and what is refused: each function works inside a transaction that
`store.ledger` begins.

The one idea: refuse before writing, with the reason; the database's own constraints stand behind that for two
writers at once. Rows that are there are never changed, but for a trial's state and a finding's resolution,
which are set once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.store.errors import StoreError
from harness.store.records import (
    FindingRecord,
    Registration,
    RoundRecord,
    RunRecord,
    TrialRecord,
    TrialState,
)
from harness.store.tables import (
    ArmRow,
    FindingRow,
    HistogramRow,
    JournalRow,
    JudgementRow,
    RegistrationRow,
    RoundRow,
    RunRow,
    TrialRow,
    ValueRow,
)

_LARGEST = 2**63 - 1  # the largest whole number every database has a column for


def plain(value: Any, where: str) -> Any:
    """`value` as JSON carries it without loss (mappings as dicts, sequences as lists).

    Raises:
        StoreError: NaN, infinity, a key that is no text, or something JSON has no form for; `where` says
            which.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise StoreError(f"{where} is {value}; expected a finite number, or nothing where there is none")
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise StoreError(f"{where} has the key {key!r}; expected text")
        return {str(key): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise StoreError(f"{where} is a {type(value).__name__}; expected what JSON can carry")


def instant(value: datetime, where: str) -> datetime:
    """The time, if it says which zone it is in.

    Raises:
        StoreError: it does not.
    """
    if value.tzinfo is None:
        raise StoreError(f"{where} is {value.isoformat()} without a zone; expected an aware time (UTC)")
    return value


def trial_row(session: Session, uid: str, lock: bool = False) -> TrialRow:
    """The trial's row; with `lock`, nobody else writes to this trial until the transaction ends.

    Raises:
        StoreError: there is no such trial.
    """
    query = select(TrialRow).where(TrialRow.uid == uid)
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise StoreError(
            f"there is no trial {uid} in this ledger; `harness list trials` shows those there are"
        )
    return row


def _open_row(session: Session, uid: str, doing: str) -> TrialRow:
    row = trial_row(session, uid, lock=True)
    if row.state != TrialState.OPEN:
        raise StoreError(
            f"{doing}: trial {uid} of {row.pilot} is concluded ({row.state}) and its record is closed; "
            "start a new trial"
        )
    return row


def add_registration(session: Session, record: Registration) -> None:
    """Add a registration."""
    session.add(
        RegistrationRow(
            uid=record.uid,
            pilot=record.pilot,
            protocol_hash=record.protocol_hash,
            document=plain(record.document, "the registered protocol"),
            registered_at=instant(record.registered_at, "registered_at"),
        )
    )


def add_trial(session: Session, trial: TrialRecord) -> None:
    """Add a trial that begins.

    Raises:
        StoreError: not open, the uid is taken, the pilot has an open trial, or a part of the record cannot be
            kept.
    """
    if trial.state is not TrialState.OPEN or trial.finished_at is not None:
        raise StoreError(
            f"trial {trial.uid} begins as {trial.state}; a trial begins open and is concluded later"
        )
    if not 0 <= trial.seed <= _LARGEST:
        raise StoreError(f"trial {trial.uid} has the seed {trial.seed}; expected 0 to 2^63 − 1")
    if session.scalars(select(TrialRow.id).where(TrialRow.uid == trial.uid)).first() is not None:
        raise StoreError(f"trial {trial.uid} is in the ledger already; its record is never replaced")
    running = select(TrialRow.uid).where(TrialRow.pilot == trial.pilot, TrialRow.state == TrialState.OPEN)
    if (other := session.scalars(running).first()) is not None:
        raise StoreError(
            f"{trial.pilot} has an open trial already ({other}); resume it with "
            f"`harness run {trial.pilot} --resume`, or let the run that conducts it finish"
        )
    session.add(
        TrialRow(
            uid=trial.uid,
            pilot=trial.pilot,
            body=trial.body,
            registered=trial.registered,
            protocol_hash=trial.protocol_hash,
            document=plain(trial.document, "the trial's document"),
            seed=trial.seed,
            machine=plain(trial.machine, "the trial's machine"),
            state=trial.state.value,
            state_reason=trial.state_reason,
            started_at=instant(trial.started_at, "the trial's started_at"),
            deviations=plain(trial.deviations, "the trial's deviations"),
            arms=[
                ArmRow(
                    position=position,
                    arm=arm.arm,
                    system=arm.system,
                    title=arm.title,
                    interface=arm.interface,
                    content_hash=arm.content_hash,
                    configuration=plain(arm.configuration, f"the configuration of {arm.system}"),
                )
                for position, arm in enumerate(trial.arms)
            ],
        )
    )


def add_round(session: Session, uid: str, record: RoundRecord) -> None:
    """Add one attempt at a round with all its runs.

    Raises:
        StoreError: no such trial, it is concluded, this attempt is there already, the round has a valid
            attempt already, its arms are not the trial's, or a part of the record cannot be kept (NaN, a time
            without zone).
    """
    named = f"round {record.number} (attempt {record.attempt})"
    trial = _open_row(session, uid, f"{named} was not kept")
    before = session.execute(
        select(RoundRow.attempt, RoundRow.valid).where(
            RoundRow.trial_id == trial.id, RoundRow.number == record.number
        )
    ).all()
    if record.attempt in [attempt for attempt, _ in before]:
        raise StoreError(
            f"{named} of trial {uid} is in the ledger already; a committed round is never replaced"
        )
    if record.valid and any(valid for _, valid in before):
        raise StoreError(
            f"round {record.number} of trial {uid} has a valid attempt already; {named} cannot count too"
        )
    keys = select(ArmRow.arm, ArmRow.id).where(ArmRow.trial_id == trial.id)
    arms = {row.arm: row.id for row in session.execute(keys)}
    _check_arms(named, record, arms)
    session.add(
        RoundRow(
            trial_id=trial.id,
            number=record.number,
            attempt=record.attempt,
            valid=record.valid,
            reason=record.reason,
            arm_order=list(record.order),
            started_at=instant(record.started_at, f"started_at of {named}"),
            finished_at=instant(record.finished_at, f"finished_at of {named}"),
            runs=[
                _run_row(run, arms[run.arm], position, f"{run.arm} in {named}")
                for position, run in enumerate(record.runs)
            ],
        )
    )


def _check_arms(named: str, record: RoundRecord, arms: Iterable[str]) -> None:
    """Each arm of the trial once; an attempt that is not valid may have broken off before the last."""
    ran, expected = [run.arm for run in record.runs], set(arms)
    if len(ran) != len(set(ran)) or not set(ran) | set(record.order) <= expected:
        raise StoreError(
            f"{named} holds runs of {', '.join(ran) or 'no arm'} in the order {', '.join(record.order)}; "
            f"expected each of {', '.join(sorted(expected))} once"
        )
    if record.valid and set(ran) != expected:
        missing = ", ".join(sorted(expected - set(ran)))
        raise StoreError(
            f"{named} is marked valid without a run of {missing}; a round counts with every arm or not at all"
        )


def _run_row(run: RunRecord, arm_id: int, position: int, where: str) -> RunRow:
    for metric, value in run.values.items():
        if not math.isfinite(value.value):
            raise StoreError(
                f"{metric} of {where} is {value.value}; expected a finite number (a metric without a "
                "value is left out)"
            )
    return RunRow(
        arm_id=arm_id,
        position=position,
        place=run.place,
        state=run.state.value,
        reason=run.reason,
        started_at=instant(run.started_at, f"started_at of {where}"),
        schedule_hash=run.schedule_hash,
        log_folder=run.log_folder,
        counts=plain(run.counts, f"counts of {where}"),
        started_mix=plain(run.started_mix, f"started_mix of {where}"),
        failures=plain([asdict(item) for item in run.failures], f"failures of {where}"),
        audit=plain([asdict(item) for item in run.audit], f"audit of {where}"),
        checks=plain([asdict(item) for item in run.checks], f"checks of {where}"),
        timeline=plain(run.timeline, f"timeline of {where}"),
        resources=plain(run.resources, f"resources of {where}"),
        health=plain(run.health, f"health of {where}"),
        figures=[
            ValueRow(metric=metric, value=float(value.value), censored=value.censored)
            for metric, value in run.values.items()
        ],
        histograms=[
            HistogramRow(series=series, histogram=bytes(blob)) for series, blob in run.histograms.items()
        ],
    )


def conclude(
    session: Session,
    uid: str,
    state: TrialState,
    reason: str | None,
    finished_at: datetime,
    deviations: Iterable[str],
) -> None:
    """Close an open trial's record; deviations join those it began with.

    Raises:
        StoreError: no such trial, it is concluded already, or `state` is open.
    """
    if state is TrialState.OPEN:
        raise StoreError(f"trial {uid} cannot be concluded as open; expected finished, abandoned or invalid")
    row = _open_row(session, uid, f"not concluded as {state}")
    row.state = state.value
    row.state_reason = reason
    row.finished_at = instant(finished_at, "finished_at")
    row.deviations = list(dict.fromkeys([*row.deviations, *plain(list(deviations), "the deviations")]))


def add_judgement(session: Session, uid: str, document: Mapping[str, Any], at: datetime) -> None:
    """Add a judgement; earlier ones stay.

    Raises:
        StoreError: no such trial, or a figure in it is not finite.
    """
    row = trial_row(session, uid)
    session.add(JudgementRow(trial_id=row.id, judged_at=at, document=plain(document, "the judgement")))


def add_event(session: Session, uid: str, event: str, detail: Mapping[str, Any], at: datetime) -> None:
    """Add a line to a trial's journal.

    Raises:
        StoreError: no such trial, or the detail cannot be kept.
    """
    row = trial_row(session, uid)
    session.add(
        JournalRow(trial_id=row.id, at=at, event=event, detail=plain(detail, f"the detail of {event!r}"))
    )


def add_finding(session: Session, finding: FindingRecord) -> None:
    """Add a finding.

    Raises:
        StoreError: the uid is taken, or there is no such trial.
    """
    if session.scalars(select(FindingRow.id).where(FindingRow.uid == finding.uid)).first() is not None:
        raise StoreError(f"finding {finding.uid} is in the ledger already; resolve it, or add a new one")
    session.add(
        FindingRow(
            uid=finding.uid,
            pilot=finding.pilot,
            trial_id=None if finding.trial is None else trial_row(session, finding.trial).id,
            text=finding.text,
            source=finding.source,
            blocking=finding.blocking,
            opened_at=instant(finding.opened_at, "opened_at"),
            resolved_at=None if finding.resolved_at is None else instant(finding.resolved_at, "resolved_at"),
            resolution=finding.resolution,
        )
    )


def resolve_finding(session: Session, uid: str, resolution: str, at: datetime) -> None:
    """Say, once, how a finding was resolved.

    Raises:
        StoreError: there is no such finding, or it is resolved already.
    """
    row = session.scalars(select(FindingRow).where(FindingRow.uid == uid).with_for_update()).one_or_none()
    if row is None:
        raise StoreError(f"there is no finding {uid} in this ledger")
    if row.resolved_at is not None:
        raise StoreError(
            f"finding {uid} is resolved already ({row.resolution}); add a new one that says what came up"
        )
    row.resolved_at = instant(at, "resolved_at")
    row.resolution = resolution
