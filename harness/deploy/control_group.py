"""A control group for one deployment's process tree, where this machine lets us make one.

The one idea: membership is inherited by every child and cannot be left without privilege, so a group both
finds every process of a system and counts its processor time exactly, ended children included. Version 2 is
preferred (it can kill the whole group at once), version 1's `cpuacct` is the other; without either there is
simply no group.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PREFIX = "harness-"


@dataclass(frozen=True)
class ControlGroup:
    """A control group's folder."""

    path: Path

    def pids(self) -> set[int]:
        """The processes in it now."""
        try:
            return {int(pid) for pid in (self.path / "cgroup.procs").read_text().split()}
        except OSError:
            return set()

    def open_for_joining(self) -> int:
        """A file descriptor; whoever writes `0` to it joins the group. Raises OSError."""
        return os.open(self.path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)

    def kill(self) -> None:
        """Kill all in it at once where the kernel can."""
        with contextlib.suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")

    def remove(self, within: float = 2.0) -> bool:
        """Remove the (empty) group; the kernel may need a moment after its last process.

        Whether it is gone.
        """
        until = time.monotonic() + within
        while True:
            try:
                self.path.rmdir()
            except FileNotFoundError:
                return True
            except OSError:
                if time.monotonic() > until:
                    return False
                time.sleep(0.005)
            else:
                return True

    @staticmethod
    def is_ours(path: Path) -> bool:
        """Whether a recorded path can be one that `make` made."""
        return (
            path.is_absolute()
            and path.name.startswith(PREFIX)
            and _is_mounted(path)
            and ".." not in path.parts
        )


def make(name: str) -> ControlGroup | None:
    """A new control group below this process's own, or None where none can be made."""
    for parent in _parents():
        path = parent / f"{PREFIX}{name}"
        try:
            path.mkdir()
        except OSError:
            continue
        if any((path / counter).exists() for counter in ("cpu.stat", "cpuacct.usage")):
            return ControlGroup(path)
        with contextlib.suppress(OSError):
            path.rmdir()
    return None


def _parents() -> Iterator[Path]:
    mounts = list(_mounts())
    own = _own_paths()
    for kind in ("cgroup2", "cgroup"):
        for root, mount, controllers in mounts:
            if (kind == "cgroup2") != (controllers is None):
                continue
            if controllers is not None and "cpuacct" not in controllers:
                continue
            path = own.get("" if controllers is None else "cpuacct", "/")
            with contextlib.suppress(ValueError):
                yield mount / PurePosixPath(path).relative_to(root)
                continue
            yield mount


def _mounts() -> Iterator[tuple[str, Path, frozenset[str] | None]]:
    """(root, mount point, controllers; None for version 2) of every cgroup file system that is mounted."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            fields = before.split()
            controllers = frozenset(options.split(",")) if kind == "cgroup" else None
            yield fields[3], Path(fields[4]), controllers


def _is_mounted(path: Path) -> bool:
    return any(path.is_relative_to(mount) for _, mount, _ in _mounts())


def _own_paths() -> dict[str, str]:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return {}
    paths = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path
    return paths
