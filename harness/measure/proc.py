"""Reading processes and the machine from /proc, one small function a file.

The one idea: each function reads one file once and returns plain numbers or None where this kernel or these
rights do not give them; nothing here waits, remembers or decides.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SCHEDULER_CLOCK = 2  # CPUCLOCK_SCHED of the kernel's posix-timers.h


class Row(NamedTuple):
    """A process: ids, start in ticks since boot, and its processor time in seconds.

    `own` is of all its threads, ended ones too; `children` of the children it has waited for and theirs (to
    one tick).
    """

    pid: int
    parent: int
    session: int
    start: int
    own: float
    children: float


class Times(NamedTuple):
    """Processor time of the whole machine since boot, in seconds over all its processors."""

    total: float
    busy: float
    steal: float


def row(pid: int) -> Row | None:
    """/proc/<pid>/stat, None when there is no such process (a zombie is one until somebody waits for it)."""
    try:
        text = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    own = (int(fields[11]) + int(fields[12])) * TICK
    children = (int(fields[13]) + int(fields[14])) * TICK
    return Row(pid, int(fields[1]), int(fields[3]), int(fields[19]), own, children)


def rows() -> dict[int, Row]:
    """Every process of the machine by id."""
    found = (row(int(name)) for name in os.listdir(PROC) if name.isdigit())  # noqa: PTH208 - hot
    return {each.pid: each for each in found if each is not None}


def cpu_clock(pid: int) -> float | None:
    """Seconds on a processor of all threads of a process, ended threads too, to a nanosecond.

    The clock id is what clock_getcpuclockid(3) makes of a process id. None once the process has ended.
    """
    try:
        return time.clock_gettime((~pid << 3) | _SCHEDULER_CLOCK)
    except (OSError, OverflowError):
        return None


def descendants(table: Mapping[int, Row], roots: Iterable[int]) -> set[int]:
    """Those of the roots that are in the table, with all their descendants."""
    by_parent: dict[int, list[int]] = {}
    for each in table.values():
        by_parent.setdefault(each.parent, []).append(each.pid)
    found = set(roots) & table.keys()
    waiting = list(found)
    while waiting:
        for child in by_parent.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def group_pids(cgroup: Path) -> set[int]:
    """The processes in a control group."""
    try:
        return {int(pid) for pid in (cgroup / "cgroup.procs").read_text().split()}
    except OSError:
        return set()


def group_cpu(cgroup: Path) -> float | None:
    """Seconds on a processor of all that ever ran in a control group, None without a counter."""
    try:
        return int((cgroup / "cpuacct.usage").read_text()) / 1e9
    except (OSError, ValueError):
        pass
    try:
        for line in (cgroup / "cpu.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "usage_usec":
                return int(value) / 1e6
    except (OSError, ValueError):
        pass
    return None


def pss(pid: int) -> int | None:
    """Proportional set size in bytes, None where it may not be read, or is gone."""
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_bytes()
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return None


def rss(pid: int) -> int | None:
    """Resident set size in bytes, None if the process is gone."""
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return None


class DiskBytes(NamedTuple):
    """Bytes that a process (all threads, and the children it has waited for) had the disk read and write."""

    read: int
    written: int


def disk(pid: int) -> DiskBytes | None:
    """/proc/<pid>/io, None where it may not be read or the process is gone."""
    try:
        lines = (PROC / str(pid) / "io").read_text().splitlines()
    except OSError:
        return None
    fields = dict(line.split(": ") for line in lines)
    try:
        return DiskBytes(int(fields["read_bytes"]), int(fields["write_bytes"]))
    except (KeyError, ValueError):
        return None


def received(interface: str) -> int | None:
    """Bytes that a network interface has received since it was up, None if there is none such."""
    try:
        lines = (PROC / "self" / "net" / "dev").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, counters = line.partition(":")
        if name.strip() == interface:
            return int(counters.split()[0])
    return None


def machine_times() -> Times | None:
    """The first line of /proc/stat."""
    try:
        with (PROC / "stat").open() as file:
            fields = [int(field) * TICK for field in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return None
    if len(fields) < 8:
        return None
    user, nice, system, _idle, _waiting, irq, softirq, steal = fields
    return Times(total=sum(fields), busy=user + nice + system + irq + softirq, steal=steal)
