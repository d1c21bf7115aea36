"""A system that was started on this machine: its address, its log, its end.

The one idea: this object owns everything that was made for the system (processes, scratch folder, control
group, entry), so that one `stop` ends and removes it all, however far deploying had come.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
from pathlib import Path

from harness.deploy import control_group, reaper
from harness.deploy.processes import Identity, Marks, end, identify
from harness.deploy.ready import wait_ready
from harness.deploy.scratch import remove_scratch
from harness.deploy.types import DeployError, DeployFault, DeployRequest

_TAKEN = re.compile(
    r"address (is )?already in use|EADDRINUSE|errno 98\b|port \d+ is (already )?(in use|taken)", re.IGNORECASE
)


def begin(request: DeployRequest, state: Path, port: int, notes: tuple[str, ...]) -> ProcessDeployment:
    """Make a deployment's log folder, control group and entry; nothing runs yet. Raises OSError."""
    token = secrets.token_hex(16)
    request.logs.mkdir(parents=True, exist_ok=True)
    group = control_group.make(token[:12])
    try:
        entry = reaper.begin(
            state,
            label=request.label,
            token=token,
            scratch=request.scratch,
            cgroup=None if group is None else group.path,
        )
    except BaseException:
        if group is not None:
            group.remove()
        raise
    return ProcessDeployment(request, port, token, group, entry, notes)


class ProcessDeployment:
    """A `Deployment` on this machine: owns its processes, scratch folder, control group and entry."""

    def __init__(
        self,
        request: DeployRequest,
        port: int,
        token: str,
        group: control_group.ControlGroup | None,
        entry: Path,
        notes: tuple[str, ...],
    ) -> None:
        self.token = token
        self.group = group
        self.entry = entry
        self.log = request.logs / "system.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._request = request
        self._port = port
        self._notes = notes
        self._ready_after = 0.0
        self._status: int | None = None
        self._stopped = False
        self._log_start = self.log.stat().st_size if self.log.exists() else 0

    @property
    def address(self) -> str:
        """Base URL, no trailing slash."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def ready_after(self) -> float:
        """Seconds from configuration written to the first healthy answer, prepare steps included."""
        return self._ready_after

    @property
    def leader(self) -> int:
        """The command's process id; it leads a session and process group of its own."""
        assert self.process is not None
        return self.process.pid

    @property
    def cgroup(self) -> Path | None:
        """The control group the tree was put into, None where none could be made."""
        return self.group.path if self.group else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Who the system ran as where that is worth knowing, and what could not be ended."""
        return self._notes

    def exit_status(self) -> int | None:
        """None while the leader lives, else its status (negative for a signal).

        Does not reap: its id stays its own.
        """
        if self._status is None and self.process is not None:
            with contextlib.suppress(ChildProcessError):
                found = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is not None:
                    self._status = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
        return self._status

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of what the system printed."""
        return tail(self.log, lines, self._log_start)

    def wait_until_ready(self, written: float) -> None:
        """Poll until ready; `written` is when the configuration was (time.monotonic). Raises DeployError."""
        ready = self._request.run.process.ready
        answer = wait_ready(self._port, ready, self.leader, lambda: self.exit_status() is not None)
        if answer.ready_at is not None:
            self._ready_after = answer.ready_at - written
            return
        if not answer.exited:
            raise DeployError(
                DeployFault.NOT_READY,
                f"{self._request.label} was not ready within {ready.deadline:g} s: {answer.last}, expected "
                f"{ready.status}; see system.log, and check `ready:` and that the command listens on "
                "127.0.0.1:{port}",
                self.log_tail(),
            )
        log = self.log_tail()
        if _TAKEN.search(log):
            raise DeployError(
                DeployFault.PORT_TAKEN,
                f"{self._request.label} found port {self._port} taken; end what listens there, "
                "or leave `port:` out and use {port}",
                log,
            )
        raise DeployError(
            DeployFault.EXITED,
            f"{self._request.label} {ended(self.exit_status() or 0)} before it was ready ({answer.last}); "
            "see system.log "
            "(the command has to stay in the foreground)",
            log,
        )

    def stop(self) -> None:
        """End the whole process tree and remove all that was made for it. Safe to call twice."""
        if self._stopped:
            return
        left = self._end_processes()
        if self.process is not None and not left:
            self.exit_status()
            self.process.wait()
        if left:
            # The entry stays, so that the next start tries again.
            pids = ", ".join(str(process.pid) for process in sorted(left))
            self._notes += (f"could not end processes {pids} of {self._request.label}; end them by hand",)
            self._stopped = True
            return
        remove_scratch(self._request.scratch, self.token)
        self._stopped = True
        if self.group is not None and not self.group.remove():
            # The entry stays here too.
            self._notes += (
                f"could not remove the control group {self.group.path}; the next start tries again",
            )
            return
        reaper.forget(self.entry)

    def _end_processes(self) -> set[Identity]:
        leader = None if self.process is None else identify(self.process.pid)
        marks = Marks(leaders=() if leader is None else (leader,), cgroup=self.group, token=self.token)
        return end(marks, within=self._request.run.process.stop_within)


def ended(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def tail(log: Path, lines: int = 20, start: int = 0) -> str:
    """The last lines of a log (of what was written after byte `start`), bounded to 16 KiB."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
