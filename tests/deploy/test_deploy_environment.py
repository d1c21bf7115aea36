"""Environments are built by the real uv from a package index of our own on the loopback interface."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from datetime import date
from pathlib import Path

import pytest

from harness.deploy.environment import build_variables, content_key, harness_environment, pinned_environment
from harness.deploy.process import ProcessDeployer
from harness.deploy.types import DeployError, DeployFault
from harness.workspace.models import PinnedEnvironment


def make_wheel(name: str, version: str) -> bytes:
    """A pure Python distribution with one module and one console script."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\ndef main():\n    print({name!r}, version)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return out.getvalue()


class Index(http.server.ThreadingHTTPServer):
    """A package index (PEP 691) with tinybox 1.0 of 2024 and 2.0 of 2026; counts what is asked of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.files = {f"tinybox-{v}-py3-none-any.whl": make_wheel("tinybox", v) for v in ("1.0", "2.0")}
        self.uploaded = {"1.0": "2024-05-01T00:00:00Z", "2.0": "2026-05-01T00:00:00Z"}
        self.asked: list[str] = []
        self.asked_for_files = 0
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple/"

    def digest(self, version: str) -> str:
        return hashlib.sha256(self.files[f"tinybox-{version}-py3-none-any.whl"]).hexdigest()


class Pages(http.server.BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        name = self.path.rsplit("/", 1)[-1]
        kind = "application/vnd.pypi.simple.v1+json"
        if name in self.server.files:
            if self.command == "GET":
                self.server.asked_for_files += 1
                self.server.waiting.set()
                self.server.gate.wait(30)
            body, kind = self.server.files[name], "application/zip"
        elif self.path == "/simple/tinybox/":
            files = [
                {
                    "filename": f"tinybox-{version}-py3-none-any.whl",
                    "url": f"/files/tinybox-{version}-py3-none-any.whl",
                    "hashes": {"sha256": self.server.digest(version)},
                    "upload-time": at,
                }
                for version, at in self.server.uploaded.items()
            ]
            body = json.dumps({"meta": {"api-version": "1.1"}, "name": "tinybox", "files": files}).encode()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(monkeypatch, tmp_path):
    server = Index()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    for name in [n for n in os.environ if n.startswith(("UV_", "PIP_")) or n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_DEFAULT_INDEX", server.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    yield server
    server.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


def pin(folder: Path, text: str, **more: object) -> PinnedEnvironment:
    (folder / "requirements.txt").write_text(text)
    return PinnedEnvironment.model_validate({"requirements": "requirements.txt", **more})


def good(index: Index, version: str = "1.0") -> str:
    return f"tinybox=={version} --hash=sha256:{index.digest(version)}\n"


def refused(pinned: PinnedEnvironment, folder: Path | None, cache: Path) -> DeployError:
    with pytest.raises(DeployError) as caught:
        pinned_environment(pinned, folder, cache)
    assert caught.value.fault is DeployFault.ENVIRONMENT
    left = [p for p in cache.glob("*") if p.is_dir()] if cache.exists() else []
    assert left == [], "an environment that could not be built is not there"
    return caught.value


def test_the_harness_environment_is_this_interpreter():
    environment = harness_environment()
    assert str(environment.python) == sys.executable
    assert (environment.bin / "pytest").exists()


def test_it_is_built_once_and_fetches_nothing_the_second_time(index, folder, tmp_path, monkeypatch):
    pinned = pin(folder, good(index))
    environment = pinned_environment(pinned, folder, tmp_path / "cache")
    said = subprocess.run([environment.bin / "tinybox"], capture_output=True, text=True, check=True).stdout
    assert said == "tinybox 1.0\n"
    assert (environment.bin.parent / "lib").exists()
    assert list(environment.bin.parent.rglob("__pycache__/tinybox*.pyc")), "compiled, since systems may not"
    asked = len(index.asked)
    assert asked > 0
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    assert pinned_environment(pinned, folder, tmp_path / "cache") == environment
    assert len(index.asked) == asked
    # whereas another environment cannot be had offline
    error = refused(pin(folder, good(index, "2.0")), folder, tmp_path / "other")
    assert "build it once where the package index can be reached" in str(error) or "check" in str(error)


def test_it_is_apart_from_the_harness(index, folder, tmp_path):
    environment = pinned_environment(pin(folder, good(index)), folder, tmp_path / "cache")
    for module, there in (("tinybox", True), ("pydantic", False)):
        done = subprocess.run(
            [environment.python, "-c", f"import {module}"], capture_output=True, check=False
        )
        assert (done.returncode == 0) is there


def test_a_half_built_environment_is_built_anew(index, folder, tmp_path):
    pinned = pin(folder, good(index))
    key = content_key(pinned, (folder / "requirements.txt").read_bytes())
    half = tmp_path / "cache" / key / "bin"
    half.mkdir(parents=True)
    (half / "python").symlink_to(sys.executable)
    (half / "stale").touch()
    environment = pinned_environment(pinned, folder, tmp_path / "cache")
    assert environment.bin == half
    assert (half / "tinybox").exists()
    assert not (half / "stale").exists()


def test_two_builders_at_once_build_once(index, folder, tmp_path):
    pinned = pin(folder, good(index))
    pinned_environment(pinned, folder, tmp_path / "alone")
    once = index.asked_for_files
    index.asked_for_files = 0
    index.waiting.clear()
    shutil.rmtree(os.environ["UV_CACHE_DIR"])
    built, failed = [], []

    def build() -> None:
        try:
            built.append(pinned_environment(pinned, folder, tmp_path / "cache"))
        except DeployError as error:
            failed.append(error)

    index.gate.clear()
    threads = [threading.Thread(target=build) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert index.waiting.wait(20)
    index.gate.set()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert len(built) == 3
    assert len(set(built)) == 1
    assert index.asked_for_files == once


def test_a_killed_builder_is_followed_once_its_uv_has_ended(index, folder, tmp_path):
    pinned = pin(folder, good(index))
    code = (
        "import sys; from pathlib import Path; from harness.deploy.environment import pinned_environment;"
        "from harness.workspace.models import PinnedEnvironment;"
        "pinned = PinnedEnvironment(requirements='requirements.txt');"
        "pinned_environment(pinned, Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    index.gate.clear()
    builder = subprocess.Popen([sys.executable, "-c", code, str(folder), str(tmp_path / "cache")])
    assert index.waiting.wait(20)
    builder.kill()
    builder.wait()
    (lock,) = (tmp_path / "cache").glob("*.lock")
    with lock.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    follower = threading.Thread(target=pinned_environment, args=(pinned, folder, tmp_path / "cache"))
    follower.start()
    follower.join(0.3)
    assert follower.is_alive(), "the killed builder's uv still holds the lock"
    index.gate.set()
    follower.join(30)
    environment = pinned_environment(pinned, folder, tmp_path / "cache")
    said = subprocess.run([environment.bin / "tinybox"], capture_output=True, text=True, check=True).stdout
    assert said == "tinybox 1.0\n"


def test_a_wrong_hash(index, folder, tmp_path):
    error = refused(pin(folder, f"tinybox==1.0 --hash=sha256:{'0' * 64}\n"), folder, tmp_path / "cache")
    assert "ash" in str(error)
    assert "lock" in str(error)
    assert error.log


def test_a_missing_hash(index, folder, tmp_path):
    error = refused(pin(folder, "tinybox==1.0\n"), folder, tmp_path / "cache")
    assert "uv pip compile --generate-hashes" in str(error)


@pytest.mark.parametrize("name", ["no-such-distribution==1.0", "tinybox==9.9"])
def test_a_requirement_that_cannot_be_installed(index, folder, tmp_path, name):
    error = refused(pin(folder, f"{name} --hash=sha256:{'0' * 64}\n"), folder, tmp_path / "cache")
    assert name.split("=")[0] in str(error)
    assert "check the requirement's" in str(error)
    assert name.split("=")[0] in error.log


def test_the_date_ceiling_leaves_a_newer_release_out(index, folder, tmp_path):
    later = pin(folder, good(index, "2.0"), exclude_newer="2026-06-01")
    assert (pinned_environment(later, folder, tmp_path / "a").bin / "tinybox").exists()
    error = refused(pin(folder, good(index, "2.0"), exclude_newer="2025-01-01"), folder, tmp_path / "b")
    assert "move exclude_newer or pin an older one" in str(error)


def test_a_python_that_is_not_there(index, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    error = refused(pin(folder, good(index), python="3.99"), folder, tmp_path / "cache")
    assert "3.99" in str(error)
    assert "install that Python" in str(error)


def test_requirements_that_are_not_where_they_should_be(folder, tmp_path):
    def pinned(path: str) -> PinnedEnvironment:
        return PinnedEnvironment(requirements=path)

    assert "there is no file missing.txt" in str(refused(pinned("missing.txt"), folder, tmp_path / "cache"))
    assert "outside" in str(refused(pinned("../../secret.txt"), folder, tmp_path / "cache"))
    assert "outside" in str(refused(pinned("/etc/passwd"), folder, tmp_path / "cache"))
    assert "give it a `folder:`" in str(refused(pinned("requirements.txt"), None, tmp_path / "cache"))


def test_a_cache_that_cannot_be_written(index, folder, tmp_path, request_for):
    (tmp_path / "file").write_text("")
    pin(folder, good(index))
    deployer = ProcessDeployer(cache=tmp_path / "file", state=tmp_path / "state")
    with pytest.raises(DeployError, match="make that folder writable"):
        deployer.prepare(request_for(environment={"requirements": "requirements.txt"}))


def test_everything_that_decides_the_content_decides_the_key(folder):
    keys = {
        content_key(PinnedEnvironment(requirements=name, exclude_newer=day, python=python), text)
        for name in ("a.txt", "b.txt")
        for day in (None, date(2026, 1, 1), date(2026, 1, 2))
        for python in (None, "3.11", "3.12")
        for text in (b"a==1", b"a==2")
    }
    assert len(keys) == 3 * 3 * 2, "the file's name does not count, all else does"


def test_what_reaches_uv():
    environ = {
        "PATH": "/bin",
        "https_proxy": "http://proxy:1",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_INDEX_OURS_PASSWORD": "x",
        "PIP_INDEX_URL": "http://index/simple",
        "PIP_FIND_LINKS": "/a /b",
        "UV_CONFIG_FILE": "/uv.toml",
        "UV_EXCLUDE_NEWER": "2020-01-01",
        "HARNESS_DATABASE": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "VIRTUAL_ENV": "/venv",
        "PYTHONPATH": "/src",
    }
    given = build_variables(environ)
    assert "secret" not in given.values()
    assert not {"UV_CONFIG_FILE", "UV_EXCLUDE_NEWER", "VIRTUAL_ENV", "PYTHONPATH"} & given.keys()
    assert given["https_proxy"] == "http://proxy:1"
    assert given["UV_INDEX_OURS_PASSWORD"] == "x"
    assert given["UV_DEFAULT_INDEX"] == "http://index/simple"
    assert given["UV_FIND_LINKS"] == "/a,/b"
    ours = build_variables({"PIP_INDEX_URL": "http://theirs", "UV_DEFAULT_INDEX": "http://ours"})
    assert ours["UV_DEFAULT_INDEX"] == "http://ours"


def test_a_system_runs_in_its_pinned_environment(index, folder, request_for, deployer):
    pin(folder, good(index))
    step = {"name": "version", "command": ["tinybox"]}
    request = request_for(environment={"requirements": "requirements.txt"}, prepare=[step])
    deployer.prepare(request)
    asked = len(index.asked)
    deployment = deployer.deploy(request)
    deployment.stop()
    assert len(index.asked) == asked, "deploying fetches nothing that was prepared"
    assert (request.logs / "prepare-version.log").read_text() == "tinybox 1.0\n"
