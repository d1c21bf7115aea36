"""What comes out of the ledger: rows back into the records they were.

The one idea: a whole trial is read in a constant number of queries, one a table, however many rounds it has;
every relationship that is not asked for raises instead of quietly asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from harness.store.records import (
    ArmRecord,
    AuditCheck,
    Check,
    Failure,
    FindingRecord,
    FullTrial,
    JournalEntry,
    Registration,
    RoundRecord,
    RunRecord,
    RunState,
    TrialRecord,
    TrialState,
    Value,
)
from harness.store.tables import (
    FindingRow,
    JournalRow,
    JudgementRow,
    RegistrationRow,
    RoundRow,
    RunRow,
    TrialRow,
)
from harness.store.writing import trial_row

_Kept = TypeVar("_Kept", Failure, AuditCheck, Check)


def registrations(session: Session, pilot: str) -> tuple[Registration, ...]:
    """Every registration of a pilot, oldest first."""
    query = select(RegistrationRow).where(RegistrationRow.pilot == pilot).order_by(RegistrationRow.id)
    return tuple(
        Registration(row.pilot, row.protocol_hash, row.document, row.registered_at, row.uid)
        for row in session.scalars(query)
    )


def trials(session: Session, *conditions: Any) -> tuple[TrialRecord, ...]:
    """The trials that meet the conditions, in the order they began."""
    query = select(TrialRow).where(*conditions).order_by(TrialRow.id).options(selectinload(TrialRow.arms))
    return tuple(_trial(row) for row in session.scalars(query))


def pilots(session: Session) -> tuple[str, ...]:
    """The pilots that have a trial, sorted."""
    return tuple(session.scalars(select(TrialRow.pilot).distinct().order_by(TrialRow.pilot)))


def full_trial(session: Session, uid: str) -> FullTrial:
    """A trial with everything that belongs to it.

    Raises:
        StoreError: there is no such trial.
    """
    runs = selectinload(TrialRow.rounds).selectinload(RoundRow.runs)
    query = (
        select(TrialRow)
        .where(TrialRow.uid == uid)
        .options(
            selectinload(TrialRow.arms),
            runs.selectinload(RunRow.figures),
            runs.selectinload(RunRow.histograms),
        )
    )
    row = session.scalars(query).one_or_none() or trial_row(session, uid)
    arms = {arm.id: arm.arm for arm in row.arms}
    latest = session.scalars(_judgements(row.id).order_by(JudgementRow.id.desc()).limit(1)).first()
    return FullTrial(
        trial=_trial(row),
        rounds=tuple(_round(item, arms) for item in row.rounds),
        judgement=latest.document if latest else None,
        findings=findings(session, FindingRow.trial_id == row.id),
    )


def judgements(session: Session, uid: str) -> tuple[dict[str, Any], ...]:
    """Every judgement of a trial, oldest first; the last is the one that holds."""
    query = _judgements(trial_row(session, uid).id).order_by(JudgementRow.id)
    return tuple(row.document for row in session.scalars(query))


def journal(session: Session, uid: str) -> tuple[JournalEntry, ...]:
    """A trial's journal in the order it was written."""
    query = (
        select(JournalRow).where(JournalRow.trial_id == trial_row(session, uid).id).order_by(JournalRow.id)
    )
    return tuple(JournalEntry(row.at, row.event, row.detail) for row in session.scalars(query))


def findings(session: Session, *conditions: Any) -> tuple[FindingRecord, ...]:
    """The findings that meet the conditions, in the order they were added."""
    query = (
        select(FindingRow).where(*conditions).order_by(FindingRow.id).options(joinedload(FindingRow.trial))
    )
    return tuple(
        FindingRecord(
            uid=row.uid,
            pilot=row.pilot,
            trial=row.trial.uid if row.trial else None,
            text=row.text,
            source=row.source,
            blocking=row.blocking,
            opened_at=row.opened_at,
            resolved_at=row.resolved_at,
            resolution=row.resolution,
        )
        for row in session.scalars(query)
    )


def _judgements(trial_id: int) -> Select[JudgementRow]:
    return select(JudgementRow).where(JudgementRow.trial_id == trial_id)


def _trial(row: TrialRow) -> TrialRecord:
    return TrialRecord(
        uid=row.uid,
        pilot=row.pilot,
        body=row.body,
        registered=row.registered,
        protocol_hash=row.protocol_hash,
        document=row.document,
        seed=row.seed,
        arms=tuple(
            ArmRecord(arm.arm, arm.system, arm.title, arm.interface, arm.content_hash, arm.configuration)
            for arm in row.arms
        ),
        machine=row.machine,
        state=TrialState(row.state),
        started_at=row.started_at,
        finished_at=row.finished_at,
        state_reason=row.state_reason,
        deviations=tuple(row.deviations),
    )


def _round(row: RoundRow, arms: dict[int, str]) -> RoundRecord:
    return RoundRecord(
        number=row.number,
        attempt=row.attempt,
        valid=row.valid,
        order=tuple(row.arm_order),
        started_at=row.started_at,
        finished_at=row.finished_at,
        runs=tuple(_run(item, arms[item.arm_id]) for item in row.runs),
        reason=row.reason,
    )


def _run(row: RunRow, arm: str) -> RunRecord:
    return RunRecord(
        arm=arm,
        place=row.place,
        state=RunState(row.state),
        started_at=row.started_at,
        values={item.metric: Value(item.value, item.censored) for item in row.figures},
        counts=row.counts,
        started_mix=row.started_mix,
        histograms={item.series: item.histogram for item in row.histograms},
        failures=_each(Failure, row.failures),
        audit=_each(AuditCheck, row.audit),
        checks=_each(Check, row.checks),
        timeline=tuple(row.timeline),
        resources=row.resources,
        health=row.health,
        schedule_hash=row.schedule_hash,
        reason=row.reason,
        log_folder=row.log_folder,
    )


def _each(kind: Callable[..., _Kept], items: Sequence[Any]) -> tuple[_Kept, ...]:
    return tuple(kind(**item) for item in items)
