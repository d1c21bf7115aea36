"""The records of the ledger as plain types: trial, round, run and what a run yielded.

The one idea: a run's record is complete in itself (figures, histograms, failures, audit, health), so that a
report or a re-judgement needs nothing but the ledger. Nothing here knows SQL; `store.ledger` writes and reads
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class TrialState(StrEnum):
    """Where a trial stands. `invalid`: a round could not be made valid within its repeats."""

    OPEN = "open"
    FINISHED = "finished"
    ABANDONED = "abandoned"
    INVALID = "invalid"


class RunState(StrEnum):
    """How a run ended. `not_ready`: the system never answered, so every journey of the round failed.

    `died`: the system ended by itself in the run. `invalid`: a validity check failed.
    """

    MEASURED = "measured"
    NOT_READY = "not_ready"
    DIED = "died"
    INVALID = "invalid"


@dataclass(frozen=True)
class Registration:
    """A protocol frozen before its first registered run. `document` is the canonical JSON that
    `protocol_hash` is of."""

    pilot: str
    protocol_hash: str
    document: Mapping[str, Any]
    registered_at: datetime
    uid: str


@dataclass(frozen=True)
class ArmRecord:
    """One system in a trial: `arm` is its key (`before`, `after`, `after-2` …), `system` its label."""

    arm: str
    system: str
    title: str
    interface: str
    content_hash: str
    configuration: Mapping[str, Any]


@dataclass(frozen=True)
class TrialRecord:
    """One execution of a protocol. `document` holds the pilot's inputs as they were read, `machine` where it
    ran."""

    uid: str
    pilot: str
    body: str
    registered: bool
    protocol_hash: str
    document: Mapping[str, Any]
    seed: int
    arms: tuple[ArmRecord, ...]
    machine: Mapping[str, Any]
    state: TrialState
    started_at: datetime
    finished_at: datetime | None = None
    state_reason: str | None = None
    deviations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Value:
    """A run's value of one metric. `censored`: the truth is at least this (a percentile among unfinished
    journeys)."""

    value: float
    censored: bool = False


@dataclass(frozen=True)
class Failure:
    """How often one step (or audit invariant) went wrong in one way."""

    step: str
    kind: str
    count: int
    example: str = ""


@dataclass(frozen=True)
class AuditCheck:
    """An invariant the scenario's audit examined over the system's own API."""

    name: str
    examined: int
    violations: int
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """One validity check of a run: what was found, what would have been valid, what to do about it."""

    name: str
    passed: bool
    found: str
    limit: str
    advice: str = ""


@dataclass(frozen=True)
class RunRecord:
    """One arm in one round.

    `values` by metric name; `counts` by outcome (scheduled, sent, shed, started, completed, failed,
    abandoned, refused, correct); `started_mix` journeys started by kind; `histograms` by series name
    (`journey`, `citizen`, `lateness`, `step/<name>/response`, `step/<name>/service`) as compressed blobs;
    `timeline` one mapping a second; `health` the generator's and machine's figures.
    """

    arm: str
    place: int
    state: RunState
    started_at: datetime
    values: Mapping[str, Value]
    counts: Mapping[str, int]
    started_mix: Mapping[str, int]
    histograms: Mapping[str, bytes]
    failures: tuple[Failure, ...] = ()
    audit: tuple[AuditCheck, ...] = ()
    checks: tuple[Check, ...] = ()
    timeline: tuple[Mapping[str, float], ...] = ()
    resources: Mapping[str, float | None] = field(default_factory=dict)
    health: Mapping[str, float] = field(default_factory=dict)
    schedule_hash: str = ""
    reason: str | None = None
    log_folder: str | None = None


@dataclass(frozen=True)
class RoundRecord:
    """Every arm once. `attempt` counts from 1; an invalid attempt is kept, marked, and repeated."""

    number: int
    attempt: int
    valid: bool
    order: tuple[str, ...]
    started_at: datetime
    finished_at: datetime
    runs: tuple[RunRecord, ...]
    reason: str | None = None


@dataclass(frozen=True)
class FindingRecord:
    """Something that went wrong or surprised."""

    uid: str
    pilot: str
    trial: str | None
    text: str
    source: str
    blocking: bool
    opened_at: datetime
    resolved_at: datetime | None = None
    resolution: str | None = None


@dataclass(frozen=True)
class FullTrial:
    """A trial with its rounds in order (every attempt), the findings made in it, and its latest judgement.

    `judgement` is JSON; None before the trial was judged.
    """

    trial: TrialRecord
    rounds: tuple[RoundRecord, ...]
    judgement: Mapping[str, Any] | None
    findings: tuple[FindingRecord, ...] = ()

    @property
    def valid_rounds(self) -> tuple[RoundRecord, ...]:
        """The rounds that count: one valid attempt a number."""
        return tuple(r for r in self.rounds if r.valid)


@dataclass(frozen=True)
class JournalEntry:
    """One event in a trial's life, in the order they happened."""

    at: datetime
    event: str
    detail: Mapping[str, Any]
