"""What a deployer takes and gives: one request, one deployment, one kind of error.

The one idea: every deployer gives the same `Deployment` (address, readiness, logs, processes to meter, stop)
and leaves nothing behind, whatever happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from harness.workspace.models import Run


@dataclass(frozen=True)
class DeployRequest:
    """One system to bring up.

    `folder` holds the system's files (read only), `configuration` is complete and validated, `scratch` is the
    run's own writable folder (removed by `stop`), `logs` the folder where every command's output is kept.
    """

    label: str
    run: Run
    folder: Path | None
    configuration: Mapping[str, Any]
    scratch: Path
    logs: Path
    variables: Mapping[str, str] = field(default_factory=dict)


class DeployFault(StrEnum):
    """Why a system did not come up."""

    ENVIRONMENT = "environment"
    PREPARE = "prepare"
    EXITED = "exited"
    NOT_READY = "not_ready"
    PORT_TAKEN = "port_taken"
    COMMAND = "command"


class DeployError(Exception):
    """A system did not come up.

    `fault` says at which stage, the message what was found and what to do, `log` its tail.
    """

    def __init__(self, fault: DeployFault, message: str, log: str = "") -> None:
        super().__init__(message)
        self.fault = fault
        self.log = log


class Deployment(Protocol):
    """A system that is up and answered its readiness check."""

    @property
    def address(self) -> str:
        """Base URL, no trailing slash: `http://127.0.0.1:40213`."""

    @property
    def ready_after(self) -> float:
        """Seconds from configuration written to the first healthy answer."""

    @property
    def leader(self) -> int:
        """Process id of the system's leader, which leads a session and process group of its own."""

    @property
    def cgroup(self) -> Path | None:
        """The control group the system's tree was put into, where one could be made."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What an engineer should know (ran as root because …)."""

    def exit_status(self) -> int | None:
        """None while the leader lives, else its exit status (negative for a signal)."""

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the system's log."""

    def stop(self) -> None:
        """End the whole process tree (TERM, then KILL) and remove the scratch folder. Safe to call twice."""


class Deployer(Protocol):
    """Brings systems up; one a `run:` key."""

    def prepare(self, request: DeployRequest) -> None:
        """Do what needs doing once and may fetch (build the environment). Raises DeployError."""

    def deploy(self, request: DeployRequest) -> Deployment:
        """Bring the system up and wait until it is ready. Raises DeployError, leaving nothing behind."""
