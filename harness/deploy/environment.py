"""The environment a system's commands run in: the harness's own, or an isolated one that uv makes.

The one idea: an environment's folder is named after the hash of everything that decides what is in it, and
counts only once its marker file, written last, is there: what is complete is never fetched again, what was
cut short is built anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.deploy.types import DeployError, DeployFault
from harness.workspace.models import PinnedEnvironment

_MARKER = ".complete"
_BUILD_DEADLINE = 900.0
_TAIL = 30
_KEPT = re.compile(
    r"(PATH|HOME|USER|LOGNAME|TMPDIR|NETRC|XDG_.*|.*_PROXY|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|PIP_.*"
    r"|UV_(INDEX.*|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|OFFLINE|CACHE_DIR|HTTP_.*"
    r"|REQUEST_TIMEOUT|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|KEYRING_PROVIDER|CONCURRENT_.*|LINK_MODE"
    r"|PYTHON_(INSTALL.*|DOWNLOADS.*|PREFERENCE)))",
    re.IGNORECASE,
)
"""Variables that reach uv: how to get to an index, and nothing that changes what is installed."""


@dataclass(frozen=True)
class Environment:
    """Where a system's commands find their interpreter and scripts."""

    python: Path
    bin: Path


def harness_environment() -> Environment:
    """This interpreter's own environment."""
    python = Path(sys.executable)
    return Environment(python=python, bin=python.parent)


def pinned_environment(pinned: PinnedEnvironment, folder: Path | None, cache: Path) -> Environment:
    """The environment of these requirements, built unless it is cached; then nothing is fetched.

    Args:
        pinned: Requirements file (relative to `folder`, with hashes), date ceiling, Python version.
        folder: The system's folder.
        cache: Where environments are kept, one folder a content hash.

    Raises:
        DeployError: ENVIRONMENT, with the tail of uv's output as its log.
    """
    requirements = _requirements_file(pinned, folder)
    target = (cache / content_key(pinned, requirements.read_bytes())).absolute()
    if _is_complete(target):
        return _environment_in(target)
    cache.mkdir(parents=True, exist_ok=True)
    with _lock(target.with_suffix(".lock")) as lock:
        if not _is_complete(target):
            _build(pinned, requirements, target, lock)
    return _environment_in(target)


def content_key(pinned: PinnedEnvironment, requirements: bytes) -> str:
    """The hash of everything that decides what is in the environment: 32 hexadecimal digits."""
    facts = {
        "requirements": hashlib.sha256(requirements).hexdigest(),
        "exclude_newer": pinned.exclude_newer.isoformat() if pinned.exclude_newer else None,
        "python": pinned.python or f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{sys.platform} {platform.machine()} {'.'.join(platform.libc_ver())}",
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _requirements_file(pinned: PinnedEnvironment, folder: Path | None) -> Path:
    if folder is None:
        raise DeployError(
            DeployFault.ENVIRONMENT,
            f"requirements: {pinned.requirements} is relative to the system's folder, and it has none; "
            "give it a `folder:`",
        )
    root = folder.resolve()
    path = (root / pinned.requirements).resolve()
    if not path.is_relative_to(root):
        raise DeployError(
            DeployFault.ENVIRONMENT,
            f"requirements: {pinned.requirements} lies outside the system's folder; move it inside",
        )
    if not path.is_file():
        raise DeployError(
            DeployFault.ENVIRONMENT,
            f"requirements: there is no file {pinned.requirements} in {folder}; "
            "write it with `uv pip compile --generate-hashes`",
        )
    return path


def _is_complete(target: Path) -> bool:
    return (target / _MARKER).is_file() and (target / "bin" / "python").exists()


def _environment_in(target: Path) -> Environment:
    return Environment(python=target / "bin" / "python", bin=target / "bin")


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[int]:
    """Hold the lock of one environment; a killed builder lets go of it once its uv has ended too."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + _BUILD_DEADLINE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise DeployError(
                        DeployFault.ENVIRONMENT,
                        f"another harness has been building this environment for {_BUILD_DEADLINE:.0f} s "
                        f"({path}); "
                        "wait for it or end it, then start again",
                    ) from None
                time.sleep(0.05)
        yield handle
    finally:
        os.close(handle)


def _build(pinned: PinnedEnvironment, requirements: Path, target: Path, lock: int) -> None:
    """Build at the final place, since scripts name their interpreter by its path; the marker comes last."""
    if target.exists():
        shutil.rmtree(target)
    uv = _find_uv()
    log = target.with_suffix(".log")
    log.unlink(missing_ok=True)
    common = ["--no-config", "--no-progress", "--color", "never"]
    python = pinned.python or sys.executable
    install = [uv, "pip", "install", *common, "--python", str(target / "bin" / "python")]
    # Without the compiled files every start would compile anew, in commands that may not write them.
    install += ["--require-hashes", "--compile-bytecode", "-r", str(requirements)]
    if pinned.exclude_newer is not None:
        install += ["--exclude-newer", pinned.exclude_newer.isoformat()]
    until = time.monotonic() + _BUILD_DEADLINE
    try:
        _uv([uv, "venv", *common, "--no-project", "--python", python, str(target)], log, lock, until)
        _uv(install, log, lock, until)
        marker = target / _MARKER
        with marker.open("w") as file:
            file.write(json.dumps({"requirements": requirements.name, "python": python}) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _find_uv() -> str:
    import uv

    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError:
        raise DeployError(
            DeployFault.ENVIRONMENT,
            "uv is not installed beside the harness; install the harness's requirements anew",
        ) from None


def _uv(command: list[str], log: Path, lock: int, until: float) -> None:
    """Run uv to its end. It keeps the lock open, so that nobody builds in its place while it lives."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=build_variables(os.environ),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
        )
        try:
            status = process.wait(timeout=max(0.0, until - time.monotonic()))
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise DeployError(
                    DeployFault.ENVIRONMENT,
                    f"uv did not finish within {_BUILD_DEADLINE:.0f} s; "
                    "see whether the package index can be reached",
                    _tail(log),
                ) from None
            raise
    if status != 0:
        tail = _tail(log)
        raise DeployError(
            DeployFault.ENVIRONMENT, f"the environment could not be built: {_reason(tail)}", tail
        )


def build_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What of this process's environment reaches uv; pip's index variables under uv's names too."""
    kept = {name: value for name, value in environ.items() if _KEPT.fullmatch(name)}
    for theirs, ours in (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
        ("PIP_FIND_LINKS", "UV_FIND_LINKS"),
        ("PIP_CERT", "SSL_CERT_FILE"),
    ):
        if kept.get(theirs):
            kept.setdefault(ours, kept[theirs].replace(" ", ",") if ours == "UV_FIND_LINKS" else kept[theirs])
    return {**kept, "TZ": "UTC", "LANG": "C.UTF-8"}


def _tail(log: Path) -> str:
    try:
        text = log.read_bytes()[-20_000:].decode(errors="replace")
    except OSError:
        return ""
    text = re.sub(r"(?<=://)[^/\s@]+@", "", text)  # credentials in an index's address
    return "\n".join(text.splitlines()[-_TAIL:])


_ADVICE = (
    ("Hash mismatch", "a file is not the one that was locked: lock anew, and find out why it changed"),
    ("exclude-newer", "the date ceiling leaves the release out: move exclude_newer or pin an older one"),
    ("No interpreter found", "install that Python, or name another under `python:`"),
    ("--require-hashes", "give every requirement its hashes (uv pip compile --generate-hashes)"),
    ("was not found", "check the requirement's name and version, and which index is used"),
    ("no version of", "check the requirement's version, and which index is used"),
    ("network", "build it once where the package index can be reached"),
    ("Failed to fetch", "build it once where the package index can be reached"),
)


def _reason(tail: str) -> str:
    """One line of what uv found, and what to do about it."""
    lines = [line.strip() for line in tail.splitlines()]
    telling = [line for line in lines if line.startswith(("error:", "cause:", "×", "╰─▶", "Caused by"))]
    found = " ".join(re.sub(r"^(error|cause): ", "", line) for line in telling) or "uv failed without a word"
    advice = next(
        (advice for sign, advice in _ADVICE if sign in tail), "correct the requirements and start again"
    )
    return f"{found}; {advice}"
