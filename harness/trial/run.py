"""One run: an arm is deployed afresh, warmed up, measured, audited and torn down; whatever happens, nothing is left behind.

The one idea: what the system does wrong is its result (a record with failed journeys); what the scenario or the harness does
wrong stops the trial.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.deploy.reaper import forget, record
from harness.deploy.registry import deployer_for
from harness.deploy.types import DeployError, DeployFault, Deployment, DeployRequest
from harness.load.driver import Generator, GeneratorError, Progress
from harness.load.plan import Plan
from harness.load.result import FailureCount, LoadResult
from harness.load.schedule import in_window, planned_mix, schedule, schedule_hash
from harness.measure.meter import Meter
from harness.measure.types import MachineUse, MeasureError, ResourceUse
from harness.store.records import Check, Failure, RunRecord, RunState, Value
from harness.trial import figures, validity
from harness.trial.errors import Exit, TrialError
from harness.workspace.loader import ResolvedArm, ResolvedPilot
from harness.workspace.models import Protocol

_LOG_LINE = 200  # characters of a system's own words in a reason


@dataclass(frozen=True)
class Places:
    """Where a workspace keeps what trials need: `root`/.harness and below."""

    root: Path

    @property
    def home(self) -> Path:
        """The workspace's `.harness` folder."""
        return self.root / ".harness"

    @property
    def environments(self) -> Path:
        """Cached environments of releases."""
        return self.home / "environments"

    @property
    def processes(self) -> Path:
        """What the next start reaps if this harness is killed."""
        return self.home / "processes"

    @property
    def locks(self) -> Path:
        """One lock a pilot."""
        return self.home / "locks"

    def run(self, trial: str, number: int, attempt: int, arm: str) -> Path:
        """The folder of one run's plan, result and logs."""
        return self.home / "runs" / trial / f"round-{number:02d}.{attempt}-{arm}"


def plan_for(resolved: ResolvedPilot, protocol: Protocol, arm: ResolvedArm, rate: float, seed: int) -> Plan:
    """The load of one run; `host` is filled in when the system is up."""
    scenario = resolved.scenario
    return Plan(
        journeys_file=str(resolved.scenario_folder / "journeys.py"),
        interface=arm.interface,
        host="",
        seed=seed,
        rate=rate,
        arrivals=protocol.arrivals,
        warm_up=protocol.warm_up,
        measure=protocol.measure,
        follow_up=protocol.follow_up,
        journeys={name: journey.weight for name, journey in scenario.journeys.items()},
        ineligible=scenario.ineligible,
        concurrency=protocol.concurrency,
        patience=scenario.patience,
        journey_deadline=scenario.journey_deadline,
        parameters=scenario.parameters,
        configuration=arm.system.configuration,
    )


def request_for(arm: ResolvedArm, folder: Path) -> DeployRequest:
    """What the deployer is asked for; `folder` is the run's own."""
    return DeployRequest(
        label=arm.system.label,
        run=arm.system.run,
        folder=arm.system.folder,
        configuration=arm.system.configuration,
        scratch=folder / "scratch",
        logs=folder / "logs",
    )


def deploy_trouble(label: str, error: DeployError) -> TrialError:
    """A deployment that no further round can mend, as bad input."""
    advice = {
        DeployFault.ENVIRONMENT: "mend the requirements file of this release, then run again",
        DeployFault.PORT_TAKEN: "end what listens there, or leave `port:` out so that a free one is taken",
        DeployFault.COMMAND: "mend `run: process:` of this system",
    }.get(error.fault, "look at the log")
    return TrialError(f"{label}: {error}", code=Exit.BAD_INPUT, advice=advice, log=error.log)


_UNMENDABLE = (DeployFault.ENVIRONMENT, DeployFault.PORT_TAKEN, DeployFault.COMMAND)


@dataclass(frozen=True)
class RunRequest:
    """One run to make: which arm, at which place of which attempt of which round."""

    arm: ResolvedArm
    plan: Plan
    place: int
    folder: Path
    log_folder: str


def execute(
    request: RunRequest,
    places: Places,
    limits: validity.Limits,
    on_phase: Callable[[str, Progress | None], None],
) -> RunRecord:
    """Make one run and return its record.

    Raises:
        TrialError: the scenario or a manifest is at fault, or the harness itself.
    """
    started = datetime.now(UTC)
    request.folder.mkdir(parents=True, exist_ok=True)
    deployer = deployer_for(request.arm.system.run, cache=places.environments, state=places.processes)
    with Generator(request.folder) as generator:
        generator.start()
        entry = record(places.processes, generator.pid, label=f"generator of {request.arm.system.label}")
        try:
            on_phase("deploy", None)
            try:
                deployment = deployer.deploy(request_for(request.arm, request.folder))
            except DeployError as error:
                if error.fault in _UNMENDABLE:
                    raise deploy_trouble(request.arm.system.label, error) from error
                return _not_ready(request, started, f"{error}", error.log)
            try:
                return _measured(request, started, generator, deployment, limits, on_phase)
            finally:
                on_phase("stop", None)
                deployment.stop()
        finally:
            generator.stop()
            forget(entry)


def _measured(
    request: RunRequest,
    started: datetime,
    generator: Generator,
    deployment: Deployment,
    limits: validity.Limits,
    on_phase: Callable[[str, Progress | None], None],
) -> RunRecord:
    meter = Meter(deployment.leader, deployment.cgroup, generator.pid)
    scheduled = threading.Event()

    def on_progress(progress: Progress) -> None:
        if progress.window is not None and not scheduled.is_set():
            meter.schedule(*progress.window)
            scheduled.set()
        on_phase(progress.phase, progress)

    plan = Plan.from_json({**request.plan.to_json(), "host": deployment.address})
    use: ResourceUse | None = None
    machine: MachineUse | None = None
    metered: tuple[Check, ...] = ()
    try:
        result = _loaded(generator, plan, on_progress)
        status = deployment.exit_status()
        try:
            use, machine = meter.result()
        except MeasureError as error:
            if status is None:
                metered = (_unmetered(error),)
    except GeneratorError as error:
        return _generator_failed(request, started, deployment, error)
    finally:
        meter.cancel()
    state = RunState.MEASURED if status is None else RunState.DIED
    found = (*validity.checks(result, machine, limits), *metered)
    if state is RunState.MEASURED and not all(check.passed for check in found):
        state = RunState.INVALID
    return _record(request, started, state, result, use, machine, found, deployment, status)


def _unmetered(error: MeasureError) -> Check:
    return Check(
        "window_metered",
        False,
        f"the system's use of the machine was not measured: {error}",
        "both ends of the window read",
        "run again when the machine is neither suspended nor stalled",
    )


def _loaded(generator: Generator, plan: Plan, on_progress: Callable[[Progress], None]) -> LoadResult:
    """The run's result. An audit that failed leaves everything else measured: correctness is then not known."""
    try:
        return generator.run(plan, on_progress)
    except GeneratorError as error:
        if error.result is None or error.kind == "scenario":
            raise
        missing = FailureCount("audit", "not audited", 1, str(error)[:300])
        return replace(error.result, failures=(*error.result.failures, missing))


def _record(
    request: RunRequest,
    started: datetime,
    state: RunState,
    result: LoadResult,
    use: ResourceUse | None,
    machine: MachineUse | None,
    found: tuple[Check, ...],
    deployment: Deployment,
    status: int | None,
) -> RunRecord:
    reason = None
    if state is RunState.DIED:
        reason = f"the system ended by itself with status {status}"
    elif state is RunState.INVALID:
        reason = "; ".join(f"{c.found}, the limit is {c.limit}: {c.advice}" for c in found if not c.passed)
    return RunRecord(
        arm=request.arm.arm,
        place=request.place,
        state=state,
        started_at=started,
        values=figures.values(result, use if state is not RunState.DIED else None, deployment.ready_after),
        counts=figures.counts(result),
        started_mix=result.started_mix,
        histograms=figures.histograms(result),
        failures=figures.failures(result),
        audit=figures.audit(result),
        checks=found,
        timeline=figures.timeline(result),
        resources=figures.resources(use),
        health=figures.health(result, machine),
        schedule_hash=result.schedule_hash,
        reason=reason,
        log_folder=request.log_folder,
    )


def _generator_failed(
    request: RunRequest, started: datetime, deployment: Deployment, error: GeneratorError
) -> RunRecord:
    """A run without a result: the scenario's fault ends the trial, a lost generator makes the run invalid."""
    label = request.arm.system.label
    if error.kind == "scenario":
        log = f"{request.log_folder}/generator.log"
        advice = f"mend the scenario's journeys.py, then run again (the whole trace is in {log})"
        raise TrialError(f"the scenario raised: {error}", advice=advice) from error
    if error.kind in ("seed", "system_gone"):
        status = deployment.exit_status()
        ended = f" (the system ended by itself with status {status})" if status is not None else ""
        return _not_ready(request, started, f"{label}: {error}{ended}", deployment.log_tail())
    lost = Check(
        "generator_alive",
        False,
        f"the generator {error.kind}: {error}",
        "a result file",
        "look at the generator's log",
    )
    return RunRecord(
        arm=request.arm.arm,
        place=request.place,
        state=RunState.INVALID,
        started_at=started,
        values={},
        counts={},
        started_mix={},
        histograms={},
        checks=(lost,),
        reason=f"the generator gave no result ({error.kind}): {error}",
        log_folder=request.log_folder,
    )


def _not_ready(request: RunRequest, started: datetime, reason: str, log: str) -> RunRecord:
    """A system that could not be used fails every journey of its round (docs/method.md)."""
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")
    if last and last not in reason:
        reason = f"{reason}; its log ends: {last[:_LOG_LINE]}"
    arrivals = schedule(request.plan)
    expected = sum(in_window(request.plan, arrival) for arrival in arrivals)
    return RunRecord(
        arm=request.arm.arm,
        place=request.place,
        state=RunState.NOT_READY,
        started_at=started,
        values={"completion_rate": Value(0.0)},
        counts={
            "scheduled": expected,
            "sent": 0,
            "shed": 0,
            "completed": 0,
            "failed": expected,
            "abandoned": 0,
            "refused": 0,
            "correct": 0,
        },
        started_mix=planned_mix(request.plan, arrivals),
        histograms={},
        failures=(Failure("deploy", "not ready", expected, log[-400:]),),
        schedule_hash=schedule_hash(arrivals),
        reason=reason,
        log_folder=request.log_folder,
    )
