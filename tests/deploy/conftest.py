"""A small real HTTP system with bad habits to choose from, and requests to deploy it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.deploy import control_group
from harness.deploy.process import ProcessDeployer
from harness.deploy.types import DeployRequest
from harness.workspace.models import Run

SYSTEM = """
import json, os, signal, socket, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

port, habit = int(sys.argv[1]), sys.argv[2]
outside = Path(sys.argv[3]) if len(sys.argv) > 3 else None
SLEEP = "import signal, time\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\ntime.sleep(600)"
SLEEPER = [sys.executable, "-c", SLEEP]
DAEMON = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
BARE_DAEMON = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True, env={})"

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(7)
        if self.path == "/facts":
            body = json.dumps({
                "argv": sys.argv[3:], "env": dict(os.environ), "cwd": os.getcwd(), "uid": os.getuid(),
                "session": os.getsid(0), "pid": os.getpid(), "stdin": os.readlink("/proc/self/fd/0"),
                "fds": len(os.listdir("/proc/self/fd")),
            }).encode()
        else:
            body = b"ok"
        self.send_response(503 if habit == "never_ready" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

print("starting with habit", habit, flush=True)
if habit == "exits":
    print("no such table: slots", flush=True)
    sys.exit(3)
if habit == "hangs":
    time.sleep(600)
if habit == "ignores_term":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if habit == "daemon":
    # a child in a session of its own, whose parent ends: nobody's child, nobody's group
    subprocess.run([sys.executable, "-c", DAEMON, *SLEEPER])
if habit == "bare_daemon":
    subprocess.run([sys.executable, "-c", BARE_DAEMON, *SLEEPER])
if habit == "workers":
    for _ in range(3):
        subprocess.Popen(SLEEPER)
if habit == "read_only":
    deep = Path.cwd() / "data" / "deep"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (deep / "file").chmod(0o400)
    (deep / "link").symlink_to(outside)
    deep.chmod(0o500)
    deep.parent.chmod(0o000)
if habit == "clumsy" and not (outside / "tried").exists():
    (outside / "tried").touch()
    first, second = socket.socket(), socket.socket()
    first.bind(("127.0.0.1", port))
    first.listen()
    second.bind(("127.0.0.1", port))
ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The system's folder."""
    folder = tmp_path / "system"
    folder.mkdir()
    (folder / "system.py").write_text(SYSTEM)
    return folder


@pytest.fixture
def deployer(tmp_path: Path) -> ProcessDeployer:
    return ProcessDeployer(cache=tmp_path / "cache", state=tmp_path / "state")


Request = Callable[..., DeployRequest]


@pytest.fixture
def request_for(tmp_path: Path, folder: Path) -> Request:
    """A request for the system with one habit; keyword arguments are keys of `process:`."""

    def make(
        habit: str = "ok",
        *more: str,
        settings: dict[str, Any] | None = None,
        secrets: dict[str, str] | None = None,
        **process: Any,
    ) -> DeployRequest:
        run = Run.model_validate(
            {"process": {"command": ["{python}", "{folder}/system.py", "{port}", habit, *more], **process}}
        )
        return DeployRequest(
            label=f"{habit}@1.0.0",
            run=run,
            folder=folder,
            configuration=settings or {},
            scratch=tmp_path / "scratch",
            logs=tmp_path / "logs",
            variables=secrets or {},
        )

    return make


def groups() -> set[Path]:
    """Control groups of deployments that are there now."""
    return {p for parent in control_group._parents() for p in parent.glob(control_group.PREFIX + "*")}


def running(tmp_path: Path) -> list[psutil.Process]:
    """Processes of this test: those that name its folder in their command or have their home in it."""
    found = []
    for process in psutil.process_iter():
        try:
            text = " ".join(process.cmdline()) + process.environ().get("HOME", "")
        except psutil.Error:
            continue
        if str(tmp_path) in text and process.pid != psutil.Process().pid:
            found.append(process)
    return [p for p in found if p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """Every test here must leave no process, scratch folder, entry or control group of its own."""
    before = groups()
    mine = {p.pid for p in psutil.Process().children(recursive=True)}
    yield
    assert running(tmp_path) == []
    after = {p.pid for p in psutil.Process().children(recursive=True)}
    assert after - mine == set()
    assert not (tmp_path / "scratch").exists()
    assert list((tmp_path / "state").glob("*")) == []
    assert {g for g in groups() - before if not (g / "cgroup.procs").read_text()} == set()
