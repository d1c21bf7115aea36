"""The harness's side of a run: starts the generator as a child process, hands it a plan, and brings back its
result.

The one idea: nothing of Locust is imported here, and whatever becomes of the child (it dies, hangs, meets a
bug of the scenario) comes back as one `GeneratorError` that says what happened; no process is left behind.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import harness
from harness.load.plan import Plan
from harness.load.progress import ErrorKind, Progress
from harness.load.result import LoadResult

__all__ = ["Generator", "GeneratorError", "Progress"]

_START_WITHIN = 60.0  # seconds for the child to import Locust on a busy machine
_SILENCE = 20.0  # seconds without a word (it speaks four times a second) after which it hangs
_GRACE = 15.0  # seconds beyond the plan's own bounds
_TAIL_LINES, _TAIL_BYTES = 20, 8192
_KEPT = re.compile(r"PATH|LANG|LC_[A-Z]+|TZ|TMPDIR|LD_LIBRARY_PATH|SSL_CERT_(FILE|DIR)|PYTHON[A-Z]+")


class GeneratorError(Exception):
    """A run without a (whole) result. `kind` says whose doing it was (see `progress.ErrorKind`); the message
    what was found and where, `log_tail` the last lines of the child's output. `result` holds everything
    measured when only the audit failed.
    """

    def __init__(
        self, kind: ErrorKind, message: str, log_tail: str = "", result: LoadResult | None = None
    ) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.log_tail = log_tail
        self.result = result


class Generator:
    """One generator in a child process, for one run. `folder` (made if missing) keeps its plan, result and
    log.

    A context manager: leaving it ends the child. Start it from a thread that outlives the run, because the
    child dies with the thread that started it (Linux, PR_SET_PDEATHSIG).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "generator.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._progress: int | None = None
        self._started = 0.0

    def __enter__(self) -> Generator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The child's process id.

        Raises:
            RuntimeError: not started.
        """
        if self._child is None:
            raise RuntimeError("the generator is not started")
        return self._child.pid

    def start(self) -> None:
        """Spawn the child, which imports Locust meanwhile. Does nothing when it is there already."""
        if self._child is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        ours, theirs = os.pipe()
        command = [sys.executable, "-P", "-m", "harness.load.generator"]
        try:
            with self._log.open("wb") as log:
                self._child = subprocess.Popen(
                    [*command, "--progress", str(theirs), "--parent", str(os.getpid())],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._folder,
                    env=_environment(os.environ),
                    pass_fds=(theirs,),
                    start_new_session=True,
                )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._progress, self._started = ours, time.monotonic()

    def run(self, plan: Plan, on_progress: Callable[[Progress], None] | None = None) -> LoadResult:
        """Carry out the plan and return what it yielded; `on_progress` is called about four times a second.

        Starts the child if `start` was not called. The child ends with the run.

        Raises:
            GeneratorError: see `progress.ErrorKind`.
        """
        self.start()
        assert self._child is not None and self._child.stdin is not None
        plan_file, result_file = (
            self._folder.absolute() / "plan.json",
            self._folder.absolute() / "result.json",
        )
        plan_file.touch(mode=0o600)  # it holds the system's whole configuration
        plan_file.write_text(json.dumps(plan.to_json(), indent=1))
        result_file.unlink(missing_ok=True)
        order = json.dumps({"plan": str(plan_file), "result": str(result_file)}) + "\n"
        ended: Mapping[str, Any] | None = None
        try:
            for message in self._messages(self._started + _START_WITHIN, silence=_START_WITHIN):
                if message["event"] == "ready":
                    self._order(order)
                    break
            for message in self._messages(time.monotonic() + _bound(plan), silence=_SILENCE):
                if message["event"] != "progress":
                    ended = message
                    break
                if on_progress is not None:
                    on_progress(Progress.from_json(message["progress"]))
            return self._outcome(ended, result_file)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the child and whatever it started. Safe to call twice."""
        child, self._child = self._child, None
        if child is None:
            return
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            child.kill()
        child.wait()
        if child.stdin is not None:
            with suppress(BrokenPipeError):
                child.stdin.close()
        if self._progress is not None:
            os.close(self._progress)
            self._progress = None

    def log_tail(self) -> str:
        """The last lines of the child's output."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def _order(self, order: str) -> None:
        assert self._child is not None and self._child.stdin is not None
        try:
            self._child.stdin.write(order.encode())
            self._child.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None

    def _outcome(self, ended: Mapping[str, Any] | None, result_file: Path) -> LoadResult:
        """The result, or the error the child ended with."""
        if ended is None:
            raise self._died()
        if ended["event"] == "error":
            result = self._read(result_file) if ended["has_result"] else None
            raise GeneratorError(ended["kind"], ended["message"], self.log_tail(), result)
        return self._read(result_file)

    def _read(self, result_file: Path) -> LoadResult:
        try:
            return LoadResult.from_json(json.loads(result_file.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"the generator left no readable result in {result_file}: {error}"
            raise GeneratorError("died", message, self.log_tail()) from error

    def _messages(self, deadline: float, silence: float) -> Iterator[Mapping[str, Any]]:
        """What the child says, until it closes its pipe. Raises GeneratorError("timeout") at the deadline or
        after silence.
        """
        assert self._progress is not None
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._progress, selectors.EVENT_READ)
            while True:
                allowed = min(deadline - time.monotonic(), silence)
                if allowed <= 0 or not selector.select(allowed):
                    raise self._hangs(silent=allowed == silence)
                read = os.read(self._progress, 65536)
                if not read:
                    return
                *lines, pending = (pending + read).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    def _hangs(self, *, silent: bool) -> GeneratorError:
        """Ask the child where it is, end it, and say so."""
        assert self._child is not None
        size = self._log.stat().st_size
        self._child.send_signal(signal.SIGUSR1)
        give_up = time.monotonic() + 1
        while time.monotonic() < give_up and self._log.stat().st_size == size:
            time.sleep(0.01)
        tail = self.log_tail()
        place = re.search(r'File "([^"]+)", line (\d+) in (\w+)', tail)
        what = (
            f"the generator said nothing for {_SILENCE:g} s" if silent else "the generator outlasted its plan"
        )
        where = f"; it was at {place[1]}:{place[2]}, in {place[3]}" if place else ""
        advice = "a journey that computes without end, or never asks the system, would do that"
        return GeneratorError("timeout", f"{what}{where} ({advice})", tail)

    def _died(self) -> GeneratorError:
        assert self._child is not None
        try:
            status = self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return GeneratorError("died", "the generator closed its pipe without a result", self.log_tail())
        how = f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
        return GeneratorError(
            "died", f"the generator ended by itself ({how}) before its run was over", self.log_tail()
        )


def _bound(plan: Plan) -> float:
    """The longest a run may take, in seconds."""
    return plan.seed_deadline + plan.warm_up + plan.measure + plan.follow_up + plan.audit_deadline + _GRACE


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the child needs of the environment: no secrets, no proxies, the same hash seed in every arm."""
    kept = {name: value for name, value in environ.items() if _KEPT.fullmatch(name)}
    home = Path(harness.__file__).resolve().parent.parent
    if home.name not in ("site-packages", "dist-packages"):
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(home), kept.get("PYTHONPATH"))))
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
