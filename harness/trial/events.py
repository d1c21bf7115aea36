"""What a trial tells whoever watches it: plain events, in order. A watcher never slows or fails the trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.store.records import RoundRecord, RunRecord, TrialRecord


@dataclass(frozen=True)
class TrialStarted:
    """The trial begins or is resumed; `committed` rounds are already there of `rounds`. `seconds_a_run` is the plan's."""

    trial: TrialRecord
    rounds: int
    committed: int
    seconds_a_run: float


@dataclass(frozen=True)
class RunStarted:
    """An arm's turn in a round."""

    round: int
    attempt: int
    arm: str
    system: str
    place: int


@dataclass(frozen=True)
class RunMoved:
    """Progress within a run. `p95` in seconds of the journeys ended so far, None before the first."""

    round: int
    arm: str
    phase: str
    sent: int
    completed: int
    failed: int
    in_flight: int
    p95: float | None


@dataclass(frozen=True)
class RunEnded:
    """A run's record is there."""

    round: int
    run: RunRecord


@dataclass(frozen=True)
class RoundEnded:
    """A round's attempt was committed, valid or not."""

    record: RoundRecord
    left: int


Event = TrialStarted | RunStarted | RunMoved | RunEnded | RoundEnded
Watcher = Callable[[Event], None]
