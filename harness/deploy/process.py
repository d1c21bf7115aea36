"""The process deployer: a system as a command on this machine, in an environment of its own.

The one idea: everything that could outlive us is named in the entry file before it can run, and one
`ProcessDeployment` owns it all from then on, so that however deploying ends (ready, refused, interrupted) the
same `stop` cleans up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.deploy import configuration as rendering
from harness.deploy.deployment import begin, ended, tail
from harness.deploy.environment import Environment, harness_environment, pinned_environment
from harness.deploy.ports import check_port, free_port
from harness.deploy.scratch import make_scratch
from harness.deploy.spawn import Place, User, check_reach, start, user_for
from harness.deploy.types import DeployError, DeployFault, Deployment, DeployRequest
from harness.workspace.models import PrepareStep, ProcessRun

_PORT_ATTEMPTS = 4


class ProcessDeployer:
    """Brings systems up as processes.

    Environments are kept under `cache`, running processes recorded under `state`.
    """

    def __init__(self, *, cache: Path, state: Path) -> None:
        self._cache = cache
        self._state = state

    def prepare(self, request: DeployRequest) -> None:
        """Build the environment if it is not cached, and check user, command and configuration.

        Raises DeployError.
        """
        run = request.run.process
        environment = self._environment(run, request)
        user, _ = user_for(run.run_as)
        _check_reach(user, environment, request)
        _render(run, request, environment, port=run.port or 1)

    def deploy(self, request: DeployRequest) -> Deployment:
        """Start the system and wait until it is ready.

        A free port may be taken by somebody else before the system has it: then all is done again with
        another.

        Raises:
            DeployError: with the fault, and the tail of the log that tells most. Nothing is left behind.
        """
        run = request.run.process
        environment = self._environment(run, request)
        user, notes = user_for(run.run_as)
        _check_reach(user, environment, request)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            if run.port is not None:
                check_port(run.port)
            try:
                return self._deploy_on(run.port or free_port(), request, environment, user, notes)
            except DeployError as error:
                again = error.fault is DeployFault.PORT_TAKEN and run.port is None
                if not again or attempt == _PORT_ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _environment(self, run: ProcessRun, request: DeployRequest) -> Environment:
        if run.environment == "harness":
            return harness_environment()
        try:
            return pinned_environment(run.environment, request.folder, self._cache)
        except OSError as error:
            raise DeployError(
                DeployFault.ENVIRONMENT,
                f"the environment cannot be kept in {self._cache}: {error}; "
                "make that folder writable, with space to spare",
            ) from None

    def _deploy_on(
        self,
        port: int,
        request: DeployRequest,
        environment: Environment,
        user: User | None,
        notes: tuple[str, ...],
    ) -> Deployment:
        run = request.run.process
        rendered = _render(run, request, environment, port)
        try:
            deployed = begin(request, self._state, port, notes)
        except OSError as error:
            raise DeployError(
                DeployFault.COMMAND,
                f"{request.label} cannot be recorded before it starts: {error}; make that folder writable",
            ) from None
        try:
            owner = None if user is None else (user.uid, user.gid)
            _make_scratch(request, deployed.token, owner)
            if user is not None:
                check_reach(user, {"its scratch folder": request.scratch})
            place = Place(
                environment.bin, request.scratch, deployed.token, deployed.entry, deployed.group, user
            )
            if rendered.file is not None:
                rendering.write_configuration(rendered.file, request.configuration, owner)
            written = time.monotonic()
            for step, command in zip(run.prepare, rendered.prepare, strict=True):
                _run_step(step, command, place, rendered.variables, request.logs / f"prepare-{step.name}.log")
            deployed.process = start(rendered.command, place, variables=rendered.variables, log=deployed.log)
            deployed.wait_until_ready(written)
        except BaseException:
            deployed.stop()
            raise
        return deployed


@dataclass(frozen=True)
class _Rendered:
    """All that will be executed, decided beforehand."""

    command: list[str]
    prepare: list[list[str]]
    variables: dict[str, str]
    file: Path | None


def _render(run: ProcessRun, request: DeployRequest, environment: Environment, port: int) -> _Rendered:
    delivery = run.configuration
    file = rendering.configuration_file(delivery, request.scratch.absolute())
    placeholders = rendering.Placeholders(
        port=port,
        scratch=request.scratch.absolute(),
        folder=None if request.folder is None else request.folder.absolute(),
        configuration=file,
        python=environment.python,
        bin=environment.bin,
    )
    command = placeholders.fill_all(run.command, "command")
    if delivery.arguments:
        command += rendering.configuration_arguments(request.configuration)
    variables = {}
    if delivery.environment is not None:
        variables = rendering.configuration_variables(delivery.environment, request.configuration)
    for name, text in run.variables.items():
        variables[name] = placeholders.fill(text, f"variables.{name}")
    variables |= request.variables
    return _Rendered(
        command=command,
        prepare=[placeholders.fill_all(s.command, f"prepare.{s.name}.command") for s in run.prepare],
        variables=variables,
        file=file,
    )


def _check_reach(user: User | None, environment: Environment, request: DeployRequest) -> None:
    if user is None:
        return
    places = {} if request.folder is None else {"the system's folder": request.folder}
    run = request.run.process
    texts = [*run.command, *(text for step in run.prepare for text in step.command)]
    if run.environment != "harness" or any("{python}" in text or "{bin}" in text for text in texts):
        places["the interpreter"] = environment.python
    check_reach(user, places)


def _make_scratch(request: DeployRequest, token: str, owner: tuple[int, int] | None) -> None:
    try:
        make_scratch(request.scratch, token, owner)
    except OSError as error:
        raise DeployError(DeployFault.COMMAND, f"no scratch folder for {request.label}: {error}") from None


def _run_step(
    step: PrepareStep, command: Sequence[str], place: Place, variables: dict[str, str], log: Path
) -> None:
    """One prepare step to its end; whatever it leaves running ends with the deployment."""
    process = start(command, place, variables=variables, log=log)
    try:
        status = process.wait(timeout=step.deadline)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise DeployError(
                DeployFault.PREPARE,
                f"prepare step {step.name} did not finish within {step.deadline:g} s; "
                f"see {log.name}, and raise its `deadline` if it only needs longer",
                tail(log),
            ) from None
        raise
    if status != 0:
        raise DeployError(
            DeployFault.PREPARE, f"prepare step {step.name} {ended(status)}; see {log.name}", tail(log)
        )
