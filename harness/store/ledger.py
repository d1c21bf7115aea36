"""The ledger itself: the one class through which every other package reads and writes.

The one idea: each call is one transaction that happens whole or not at all, and the record is append-only:
rounds, registrations, judgements and journal lines are added and never changed. What may be written is in
`store.writing`, what comes out in `store.reading`; this class gives both a transaction and turns a database's
errors into StoreErrors.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from harness.store import engine as engines
from harness.store import reading, schema, writing
from harness.store.errors import StoreError, told
from harness.store.records import (
    FindingRecord,
    FullTrial,
    JournalEntry,
    Registration,
    RoundRecord,
    TrialRecord,
    TrialState,
)
from harness.store.tables import FindingRow, TrialRow

__all__ = ["Ledger", "StoreError"]


class Ledger:
    """Every trial's record in one database. Open it with `Ledger.open`; a context manager. Safe to use from
    any thread.

    Every method raises StoreError when the database cannot do it (locked by another process, not writable,
    disk full), with what to do; nothing of that call was then written.
    """

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine
        self._writing_engine = engines.writing(engine)
        self.place = place

    @classmethod
    def open(cls, url: str, *, timeout: float = 10.0) -> Self:
        """The ledger at a SQLAlchemy URL (SQLite or PostgreSQL), made or brought to this harness's schema if
        need be.

        Folders above a SQLite file are made. `timeout` seconds is how long any call waits for another
        process's lock.

        Raises:
            StoreError: not a database URL; not a database, or not a ledger; of a newer harness; locked, not
                writable, or not to be reached. No message shows a password.
        """
        parts = engines.parse(url)
        place = engines.place_of(parts)
        with told(place, "opening"):
            engine = engines.make_engine(parts, timeout)
        try:
            with told(place, "opening"):
                schema.ensure(engine, place)
                engines.prefer_write_ahead(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, place)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _read(self, doing: str) -> Iterator[Session]:
        with told(self.place, doing), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def _write(self, doing: str) -> Iterator[Session]:
        with told(self.place, doing), Session(self._writing_engine) as session, session.begin():
            yield session

    # Registrations

    def register(self, pilot: str, protocol_hash: str, document: Mapping[str, Any]) -> Registration:
        """Freeze a protocol as of now. The protocol that is registered already keeps its first time.

        Raises:
            StoreError: the document cannot be kept (NaN).
        """
        with self._write(f"registering {pilot}") as session:
            known = reading.registrations(session, pilot)
            if known and known[-1].protocol_hash == protocol_hash:
                return known[-1]
            made = Registration(pilot, protocol_hash, document, datetime.now(UTC), uuid.uuid4().hex)
            writing.add_registration(session, made)
            return made

    def registration(self, pilot: str) -> Registration | None:
        """The pilot's latest registration."""
        return (self.registrations(pilot) or (None,))[-1]

    def registrations(self, pilot: str) -> tuple[Registration, ...]:
        """Every registration of a pilot, oldest first."""
        with self._read(f"reading the registrations of {pilot}") as session:
            return reading.registrations(session, pilot)

    # Trials

    def begin(self, trial: TrialRecord) -> None:
        """Open a trial's record.

        Raises:
            StoreError: its uid is taken, its pilot has an open trial, or a part of it cannot be kept.
        """
        with self._write(f"beginning a trial of {trial.pilot}") as session:
            writing.add_trial(session, trial)

    def commit_round(self, trial_uid: str, record: RoundRecord) -> None:
        """Keep one attempt at a round, whole; once this returns it survives a crash and a power cut.

        Raises:
            StoreError: no such trial, or concluded; this attempt is there, or the round has a valid one; its
                arms are not the trial's; a figure is not finite. Nothing of the round was kept then.
        """
        with self._write(f"committing round {record.number}") as session:
            writing.add_round(session, trial_uid, record)

    def conclude(
        self,
        trial_uid: str,
        state: TrialState,
        reason: str | None = None,
        finished_at: datetime | None = None,
        deviations: Iterable[str] = (),
    ) -> None:
        """Close a trial's record, now unless `finished_at` says when. Deviations join those it began with.

        Raises:
            StoreError: no such trial, or it is concluded already.
        """
        with self._write(f"concluding trial {trial_uid}") as session:
            writing.conclude(session, trial_uid, state, reason, finished_at or datetime.now(UTC), deviations)

    def open_trial(self, pilot: str) -> TrialRecord | None:
        """The pilot's open trial; there is never more than one."""
        with self._read(f"looking for an open trial of {pilot}") as session:
            found = reading.trials(session, TrialRow.pilot == pilot, TrialRow.state == TrialState.OPEN.value)
        return found[0] if found else None

    def trials(self, pilot: str | None = None) -> tuple[TrialRecord, ...]:
        """Every trial, or a pilot's, in the order they began."""
        with self._read("reading the trials") as session:
            return reading.trials(session, *([] if pilot is None else [TrialRow.pilot == pilot]))

    def pilots(self) -> tuple[str, ...]:
        """The pilots that have a trial, sorted."""
        with self._read("reading the pilots") as session:
            return reading.pilots(session)

    def load(self, trial_uid: str) -> FullTrial:
        """A trial with its rounds (by number and attempt), latest judgement, and the findings made in it.

        Raises:
            StoreError: there is no such trial.
        """
        with self._read(f"reading trial {trial_uid}") as session:
            return reading.full_trial(session, trial_uid)

    # Judgements

    def save_judgement(self, trial_uid: str, judgement: Mapping[str, Any]) -> None:
        """Add what was judged of a trial; the latest counts, earlier ones stay.

        Raises:
            StoreError: no such trial, or a figure is not finite.
        """
        with self._write(f"saving the judgement of trial {trial_uid}") as session:
            writing.add_judgement(session, trial_uid, judgement, datetime.now(UTC))

    def judgements(self, trial_uid: str) -> tuple[Mapping[str, Any], ...]:
        """Every judgement of a trial, oldest first."""
        with self._read(f"reading the judgements of trial {trial_uid}") as session:
            return reading.judgements(session, trial_uid)

    # Journal

    def journal(self, trial_uid: str, event: str, detail: Mapping[str, Any] | None = None) -> None:
        """Note what just happened in a trial.

        Raises:
            StoreError: no such trial.
        """
        with self._write(f"noting {event!r} of trial {trial_uid}") as session:
            writing.add_event(session, trial_uid, event, detail or {}, datetime.now(UTC))

    def journal_of(self, trial_uid: str) -> tuple[JournalEntry, ...]:
        """A trial's journal in the order it was written.

        Raises:
            StoreError: there is no such trial.
        """
        with self._read(f"reading the journal of trial {trial_uid}") as session:
            return reading.journal(session, trial_uid)

    # Findings

    def add_finding(self, finding: FindingRecord) -> None:
        """Add a finding.

        Raises:
            StoreError: its uid is taken, or it names a trial that is not there.
        """
        with self._write(f"adding a finding to {finding.pilot}") as session:
            writing.add_finding(session, finding)

    def resolve_finding(self, uid: str, resolution: str, resolved_at: datetime | None = None) -> None:
        """Say, once, how a finding was resolved; now unless `resolved_at` says when.

        Raises:
            StoreError: there is no such finding, or it is resolved already.
        """
        with self._write(f"resolving finding {uid}") as session:
            writing.resolve_finding(session, uid, resolution, resolved_at or datetime.now(UTC))

    def findings(self, pilot: str) -> tuple[FindingRecord, ...]:
        """The findings of a pilot, in and outside its trials, in the order they were added."""
        with self._read(f"reading the findings of {pilot}") as session:
            return reading.findings(session, FindingRow.pilot == pilot)
