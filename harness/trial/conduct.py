"""The loop over rounds: registered or exploratory, resumable, one trial of a pilot at a time.

The one idea: only what is committed counts. Every round goes into the ledger whole, so a trial can be killed at any moment and
go on with `--resume`: no committed round is lost and none is counted twice.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from harness.deploy.reaper import reap
from harness.deploy.registry import deployer_for
from harness.deploy.types import DeployError
from harness.judge.results import TrialJudgement
from harness.load.driver import Progress
from harness.measure.machine import describe
from harness.store.ledger import Ledger
from harness.store.records import RoundRecord, RunRecord, RunState, TrialRecord, TrialState
from harness.trial import events, preflight, validity
from harness.trial.document import arm_records, document
from harness.trial.errors import TrialError
from harness.trial.judging import judge_trial
from harness.trial.lock import pilot_lock
from harness.trial.order import derive, orders
from harness.trial.run import Places, RunRequest, deploy_trouble, execute, plan_for, request_for
from harness.workspace.faults import WorkspaceError
from harness.workspace.loader import ResolvedPilot
from harness.workspace.models import Criterion, Protocol

_GIVE_UP_AFTER = 2
"""Rounds in which a system never got ready before the trial stops: it would get ready in none."""


ALLOWED_BUSY = "rounds count although other work kept the machine busy"
"""Why a trial run with `allow_busy` is exploratory; kept with it, and asked for again when it is resumed."""


@dataclass(frozen=True)
class Overrides:
    """A quick look: parts of the protocol set from the command line. Any of them makes the trial exploratory."""

    rounds: int | None = None
    warm_up: float | None = None
    measure: float | None = None
    seed: int | None = None
    allow_busy: bool = False

    def given(self) -> dict[str, Any]:
        """The parts of the protocol that were set."""
        return {n: v for n, v in vars(self).items() if v is not None and n != "allow_busy"}

    def reasons(self) -> tuple[str, ...]:
        """Why they make a trial exploratory, as sentences; empty when nothing was set."""
        found = []
        if self.given():
            parts = ", ".join(sorted(self.given())).replace("_", " ")
            found.append(f"set for this run only: {parts}")
        if self.allow_busy:
            found.append(ALLOWED_BUSY)
        return tuple(found)

    def limits(self) -> validity.Limits:
        """The limits of validity that go with them."""
        return validity.Limits(other_work=1.0, steal=1.0) if self.allow_busy else validity.Limits()


@dataclass(frozen=True)
class Outcome:
    """A judged trial."""

    trial: TrialRecord
    judgement: TrialJudgement


def settled(resolved: ResolvedPilot, overrides: Overrides) -> Protocol:
    """The protocol to run: the file's with the overrides, and the guardrails that guard every trial."""
    protocol = resolved.pilot.protocol
    guards: list[Criterion] = preflight.guardrails(protocol)
    return protocol.model_copy(update={**overrides.given(), "guardrails": guards})


def check(resolved: ResolvedPilot, overrides: Overrides) -> Protocol:
    """The protocol to run, checked.

    Raises:
        WorkspaceError: the protocol cannot reach its verdict.
    """
    protocol = settled(resolved, overrides)
    found = preflight.faults(resolved, protocol, exploratory=bool(overrides.reasons()))
    if found:
        raise WorkspaceError(tuple(found))
    return protocol


def standing(ledger: Ledger, resolved: ResolvedPilot, overrides: Overrides) -> tuple[bool, tuple[str, ...]]:
    """Whether a run now would be registered, and if not, why."""
    if overrides.reasons():
        return False, overrides.reasons()
    registration = ledger.registration(resolved.id)
    if registration is None:
        return False, ("no protocol was registered before the run",)
    if registration.protocol_hash != resolved.protocol_hash:
        changed = _changed(registration.document, resolved.protocol_document())
        return False, (f"altered since it was registered: {', '.join(changed)}",)
    return True, ()


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key)) or ["the protocol"]


def prepare(resolved: ResolvedPilot, places: Places) -> None:
    """Build the environments of every arm; what is cached is not fetched again.

    Raises:
        TrialError: an environment cannot be made.
    """
    for arm in resolved.arms:
        deployer = deployer_for(arm.system.run, cache=places.environments, state=places.processes)
        try:
            deployer.prepare(request_for(arm, places.home / "prepare" / arm.arm))
        except DeployError as error:
            raise deploy_trouble(arm.system.label, error) from error


def conduct(
    resolved: ResolvedPilot,
    ledger: Ledger,
    places: Places,
    *,
    overrides: Overrides = Overrides(),
    resume: bool = False,
    start_afresh: bool = False,
    watch: events.Watcher,
) -> Outcome:
    """Run the pilot's protocol to its end, or on from where it was interrupted, and judge it.

    `start_afresh` closes an interrupted trial first; its rounds stay in the ledger and page one counts it.

    Raises:
        WorkspaceError: the protocol cannot reach its verdict.
        TrialError: bad input found while preparing or deploying, or the pilot is being run already.
        KeyboardInterrupt: the trial stays open; `resume=True` goes on.
    """
    with pilot_lock(places.locks, resolved.id):
        reaped = reap(places.processes)
        protocol = check(resolved, overrides)
        unjudged = _unjudged(ledger, resolved.id) if resume else None
        if unjudged is not None:
            return judge(ledger, unjudged.uid)
        prepare(resolved, places)
        if start_afresh:
            _abandon(ledger, resolved.id)
        trial = _open_or_begin(resolved, ledger, protocol, overrides, resume)
        if reaped:
            ledger.journal(trial.uid, "reaped", {"what": reaped})
        conductor = _Conductor(
            resolved, ledger, places, trial, protocol, _unfailing(watch), overrides.limits()
        )
        try:
            state, reason = conductor.run_rounds()
        except TrialError as error:
            if not ledger.load(trial.uid).valid_rounds:  # nothing that a resumed trial could keep
                ledger.conclude(trial.uid, TrialState.ABANDONED, str(error), datetime.now(UTC), ())
            raise
        except KeyboardInterrupt:
            ledger.journal(trial.uid, "interrupted", {})
            raise
        ledger.conclude(trial.uid, state, reason, datetime.now(UTC), _deviations(ledger, trial))
        return judge(ledger, trial.uid)


def _unfailing(watch: events.Watcher) -> events.Watcher:
    """A watcher whose closed pipe or full disk does not reach the trial."""

    def tell(event: events.Event) -> None:
        with contextlib.suppress(OSError):
            watch(event)

    return tell


def _unjudged(ledger: Ledger, pilot: str) -> TrialRecord | None:
    """The pilot's latest trial, if it was concluded but killed before it was judged."""
    trials = ledger.trials(pilot)
    if trials and trials[-1].state in (TrialState.FINISHED, TrialState.INVALID):
        return trials[-1] if ledger.load(trials[-1].uid).judgement is None else None
    return None


def _deviations(ledger: Ledger, trial: TrialRecord) -> tuple[str, ...]:
    """How the trial's course departed from a plain run of its protocol."""
    here = describe().get("machine_id")
    found = [
        f"resumed on {entry.at:%d %B %Y, %H:%M} UTC after {entry.detail.get('committed', 0)} rounds"
        for entry in ledger.journal_of(trial.uid)
        if entry.event == "resumed"
    ]
    if here != trial.machine.get("machine_id"):
        found.append("finished on another machine than it began on")
    return tuple(found)


def judge(ledger: Ledger, uid: str) -> Outcome:
    """Judge a concluded trial from the ledger alone and keep the judgement."""
    from pydantic import TypeAdapter

    full = ledger.load(uid)
    judgement = judge_trial(full, ledger.findings(full.trial.pilot))
    ledger.save_judgement(uid, TypeAdapter(TrialJudgement).dump_python(judgement, mode="json"))
    return Outcome(full.trial, judgement)


def _abandon(ledger: Ledger, pilot: str) -> None:
    trial = ledger.open_trial(pilot)
    if trial is not None:
        ledger.conclude(trial.uid, TrialState.ABANDONED, "abandoned by its team", datetime.now(UTC), ())


def _open_or_begin(
    resolved: ResolvedPilot, ledger: Ledger, protocol: Protocol, overrides: Overrides, resume: bool
) -> TrialRecord:
    open_trial = ledger.open_trial(resolved.id)
    if open_trial is not None:
        return _resumed(resolved, open_trial, protocol, overrides, resume)
    if resume:
        raise TrialError(
            f"{resolved.id} has no interrupted trial", advice="leave --resume out to start a trial"
        )
    registered, because = standing(ledger, resolved, overrides)
    because = (*because, *preflight.warnings(resolved, protocol)) if not registered else because
    started = datetime.now(UTC)
    seed = protocol.seed if protocol.seed is not None else secrets.randbits(48)
    trial = TrialRecord(
        uid=f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        pilot=resolved.id,
        body=resolved.body.body,
        registered=registered,
        protocol_hash=resolved.protocol_hash,
        document=document(resolved, protocol, resolved.rate, because),
        seed=seed,
        arms=arm_records(resolved),
        machine=describe(),
        state=TrialState.OPEN,
        started_at=started,
    )
    ledger.begin(trial)
    ledger.journal(trial.uid, "started", {"registered": registered, "seed": seed})
    return trial


def _resumed(
    resolved: ResolvedPilot, trial: TrialRecord, protocol: Protocol, overrides: Overrides, resume: bool
) -> TrialRecord:
    close = "or close it with `--abandon` and start afresh"
    if not resume:
        raise TrialError(
            f"{resolved.id} has an interrupted trial of {trial.started_at:%d %B %Y, %H:%M} UTC",
            advice=f"go on with it with `--resume`, {close}",
        )
    given = overrides.given()
    kept = {name: trial.seed if name == "seed" else trial.document["protocol"].get(name) for name in given}
    if overrides.allow_busy and ALLOWED_BUSY not in trial.document["exploratory_because"]:
        raise TrialError(
            f"{resolved.id}: --allow-busy would loosen what the interrupted trial began under",
            advice=f"leave it out and `--resume`, {close}",
        )
    if trial.protocol_hash != resolved.protocol_hash or any(kept[n] != given[n] for n in kept):
        raise TrialError(
            f"{resolved.id}: its files or options changed since the interrupted trial began",
            advice=f"put them back and `--resume`, {close}",
        )
    recorded = {name: trial.document["protocol"][name] for name in ("rounds", "warm_up", "measure")}
    if any(getattr(protocol, name) != value for name, value in recorded.items()):
        options = " ".join(
            f"--{n.replace('_', '-')} {v:g}{'' if n == 'rounds' else 's'}" for n, v in recorded.items()
        )
        raise TrialError(
            f"{resolved.id}: the interrupted trial ran with other options",
            advice=f"`--resume {options}`, {close}",
        )
    return trial


class _Conductor:
    """One trial's rounds. Holds what every round needs; the ledger holds the state."""

    def __init__(
        self,
        resolved: ResolvedPilot,
        ledger: Ledger,
        places: Places,
        trial: TrialRecord,
        protocol: Protocol,
        watch: events.Watcher,
        limits: validity.Limits,
    ) -> None:
        self._resolved, self._ledger, self._places = resolved, ledger, places
        self._trial, self._protocol = trial, protocol
        self._watch, self._limits = watch, limits
        self._arms = {arm.arm: arm for arm in resolved.arms}

    def run_rounds(self) -> tuple[TrialState, str | None]:
        """Run what is missing of the protocol's rounds; the trial's final state and why, if it is not finished."""
        rounds = self._protocol.rounds
        done = list(self._ledger.load(self._trial.uid).rounds)
        committed = sum(r.valid for r in done)
        order = orders(list(self._arms), rounds, self._trial.seed)
        self._watch(
            events.TrialStarted(
                self._trial, rounds, committed, self._protocol.warm_up + self._protocol.measure
            )
        )
        if done:
            self._ledger.journal(self._trial.uid, "resumed", {"committed": committed})
        for number in range(1, rounds + 1):
            attempts = [r for r in done if r.number == number]
            if any(r.valid for r in attempts):
                continue
            outcome = self._round(number, order[number - 1], len(attempts), rounds)
            if isinstance(outcome, str):
                return TrialState.INVALID, outcome
            done.append(outcome)
            reason = self._hopeless(done)
            if reason is not None:
                return TrialState.FINISHED, reason
        return TrialState.FINISHED, None

    def _round(self, number: int, order: tuple[str, ...], attempts: int, rounds: int) -> RoundRecord | str:
        """A valid round, committed; or, when its repeats are used up, why it could not be made valid."""
        reason = "its attempts were used up"
        for attempt in range(attempts + 1, self._protocol.repeats + 2):
            record = self._attempt(number, attempt, order)
            self._ledger.commit_round(self._trial.uid, record)
            if not record.valid:
                self._ledger.journal(
                    self._trial.uid, "invalid", {"round": number, "attempt": attempt, "reason": record.reason}
                )
            self._watch(events.RoundEnded(record, rounds - number))
            if record.valid:
                return record
            reason = record.reason or reason
        return f"round {number} was invalid {self._protocol.repeats + 1} times: {reason}"

    def _attempt(self, number: int, attempt: int, order: tuple[str, ...]) -> RoundRecord:
        started = datetime.now(UTC)
        seed = derive(self._trial.seed, "round", number, attempt)
        runs: list[RunRecord] = []
        for place, key in enumerate(order, 1):
            run = self._run(number, attempt, key, place, seed)
            runs.append(run)
            if run.state is RunState.INVALID:
                break
        hashes = {run.schedule_hash for run in runs if run.schedule_hash}
        invalid = [
            f"{self._arms[run.arm].system.label}: {run.reason}"
            for run in runs
            if run.state is RunState.INVALID
        ]
        if len(hashes) > 1:
            invalid.append("the arms did not replay the same schedule")
        return RoundRecord(
            number=number,
            attempt=attempt,
            valid=not invalid,
            order=order,
            started_at=started,
            finished_at=datetime.now(UTC),
            runs=tuple(runs),
            reason="; ".join(invalid) or None,
        )

    def _run(self, number: int, attempt: int, key: str, place: int, seed: int) -> RunRecord:
        arm = self._arms[key]
        folder = self._places.run(self._trial.uid, number, attempt, key)
        self._watch(events.RunStarted(number, attempt, key, arm.system.label, place))

        def on_phase(phase: str, progress: Progress | None) -> None:
            self._watch(
                events.RunMoved(
                    number,
                    key,
                    phase,
                    progress.sent if progress else 0,
                    progress.completed if progress else 0,
                    progress.failed if progress else 0,
                    progress.in_flight if progress else 0,
                    progress.p95 if progress else None,
                )
            )

        request = RunRequest(
            arm=arm,
            plan=plan_for(self._resolved, self._protocol, arm, self._resolved.rate, seed),
            place=place,
            folder=folder,
            log_folder=str(folder.relative_to(self._places.root)),
        )
        run = execute(request, self._places, self._limits, on_phase)
        self._watch(events.RunEnded(number, run))
        return replace(run, place=place)

    def _hopeless(self, done: list[RoundRecord]) -> str | None:
        """Why going on is no use: the incumbent, or every candidate, was ready in none of the first rounds."""
        valid = [r for r in done if r.valid]
        if len(valid) < min(_GIVE_UP_AFTER, self._protocol.rounds):
            return None
        never: dict[str, str] = {}
        for key, arm in self._arms.items():
            runs = [run for record in valid for run in record.runs if run.arm == key]
            if runs and all(run.state is RunState.NOT_READY for run in runs):
                never[key] = f"{arm.system.label} got ready in none of {len(runs)} rounds: {runs[-1].reason}"
        candidates = [key for key in self._arms if key != "before"]
        if "before" in never or all(key in never for key in candidates):
            return "; ".join(never.values())
        return None
