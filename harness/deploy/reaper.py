"""What a killed harness left behind is ended by the next one.

The one idea: every deployment (and any other child worth ending) has an entry file, written before its first
process can run anything: the first line says whose it is, each further line names a process by id and start
time, appended by that process itself before it becomes the command. An entry whose harness no longer lives is
an orphan.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.deploy.control_group import ControlGroup
from harness.deploy.processes import Identity, Marks, end, find, identify, is_alive
from harness.deploy.scratch import remove_scratch

_STOP_WITHIN = 2.0


@dataclass(frozen=True)
class Entry:
    """One entry file, read.

    `harness` is the process that made it; `boot` and `namespace` say where its ids mean something.
    """

    path: Path
    label: str
    harness: Identity
    boot: str
    namespace: int
    leaders: tuple[Identity, ...]
    scratch: Path | None
    cgroup: Path | None
    token: str | None


def begin(
    state: Path,
    *,
    label: str,
    token: str | None = None,
    scratch: Path | None = None,
    cgroup: Path | None = None,
) -> Path:
    """Write an entry of this harness that names no process yet; returns its path. Raises OSError."""
    state.mkdir(parents=True, exist_ok=True)
    own = identify(os.getpid())
    head = {
        "label": label,
        "harness": list(own or (os.getpid(), 0)),
        "boot": _boot(),
        "namespace": _namespace(),
        "scratch": str(scratch.absolute()) if scratch else None,
        "cgroup": str(cgroup) if cgroup else None,
        "token": token,
    }
    path = state / f"{os.getpid()}-{secrets.token_hex(6)}.entry"
    new = path.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, json.dumps(head).encode() + b"\n")
    finally:
        os.close(handle)
    new.replace(path)
    return path


def record(state: Path, pid: int, *, label: str, token: str | None = None) -> Path:
    """Record a child that runs already (the generator), so that `reap` ends it if this harness is killed.

    Its session and descendants are ended with it if it leads a session; children that outlive it are found
    only if they bear `token` in the environment variable `processes.TOKEN_VARIABLE`.

    Returns:
        The entry's path, for `forget`.

    Raises:
        OSError: the entry cannot be written.
        ProcessLookupError: there is no such process.
    """
    process = identify(pid)
    if process is None:
        raise ProcessLookupError(f"no process {pid} to record")
    path = begin(state, label=label, token=token)
    with path.open("a") as file:
        file.write(f"{process.pid} {process.start}\n")
    return path


def forget(entry: Path) -> None:
    """Remove an entry: its processes have been ended by their own harness."""
    entry.unlink(missing_ok=True)


def reap(state: Path) -> list[str]:
    """End what harnesses that no longer live left: processes, scratch folders, control groups, entries.

    What belongs to a harness that lives is left alone, and so is what another container or machine recorded
    in the same folder. Safe to call from several harnesses at once.

    Returns:
        One sentence for each thing done or left, empty when there was nothing.
    """
    if not state.is_dir():
        return []
    done: list[str] = []
    for path in sorted(state.glob("*.entry")):
        try:
            entry = _read(path)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            path.unlink(missing_ok=True)
            done.append(f"removed {path.name}, which no harness can read")
            continue
        done += _reap_entry(entry)
    for unfinished in state.glob("*.new"):
        maker = unfinished.name.partition("-")[0]
        if not maker.isdigit() or identify(int(maker)) is None:
            unfinished.unlink(missing_ok=True)
    return done


def _reap_entry(entry: Entry) -> list[str]:
    same_boot = entry.boot == _boot()
    if same_boot and entry.namespace != _namespace():
        return [f"left {entry.label} alone: a harness in another container recorded it ({entry.path.name})"]
    if same_boot and is_alive(entry.harness):
        return []
    done: list[str] = []
    if same_boot:
        group = ControlGroup(entry.cgroup) if entry.cgroup and ControlGroup.is_ours(entry.cgroup) else None
        marks = Marks(leaders=entry.leaders, cgroup=group, token=entry.token)
        running = len(find(marks))
        left = end(marks, within=_STOP_WITHIN)
        if left:
            pids = ", ".join(str(process.pid) for process in sorted(left))
            return [f"could not end processes {pids} of {entry.label}; end them by hand, then start again"]
        if running:
            done.append(f"ended {running} process{'es' if running > 1 else ''} of {entry.label}")
        if group is not None and not group.remove():
            return [*done, f"could not remove the control group {group.path}; the next start tries again"]
    if entry.scratch is not None and entry.token is not None:
        done += remove_scratch(entry.scratch, entry.token)
    forget(entry.path)
    return done


def _read(path: Path) -> Entry:
    head, *lines = path.read_text().splitlines()
    data: dict[str, Any] = json.loads(head)
    leaders = []
    for line in lines:
        with contextlib.suppress(ValueError):  # a line cut short by a crash
            pid, start = line.split()
            leaders.append(Identity(int(pid), int(start)))
    pid, start = data["harness"]
    return Entry(
        path=path,
        label=str(data["label"]),
        harness=Identity(int(pid), int(start)),
        boot=str(data["boot"]),
        namespace=int(data["namespace"]),
        leaders=tuple(leaders),
        scratch=Path(data["scratch"]) if data["scratch"] else None,
        cgroup=Path(data["cgroup"]) if data["cgroup"] else None,
        token=data["token"],
    )


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _namespace() -> int:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0
