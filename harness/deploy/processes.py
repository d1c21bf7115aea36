"""Finding and ending the processes of one deployment, and only those.

The one idea: a process is known by its id *and* its start time, because ids are reused; whatever a system
forks is found by four independent marks (its leader's session, its parents, its control group, a token in its
environment), so that a daemon which sheds one of them is still found by another.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.deploy.control_group import ControlGroup

TOKEN_VARIABLE = "PIONEER_DEPLOYMENT"  # noqa: S105 - the name of a variable, and no secret
_PROC = Path("/proc")


class Identity(NamedTuple):
    """A process: its id and its start time in clock ticks since boot (field 22 of /proc/<pid>/stat)."""

    pid: int
    start: int


class ProcessRow(NamedTuple):
    """What /proc/<pid>/stat says of a process that matters here."""

    identity: Identity
    parent: int
    group: int
    session: int
    zombie: bool


@dataclass(frozen=True)
class Marks:
    """What tells that a process belongs to a deployment. `leaders` lead (or led) sessions of their own."""

    leaders: tuple[Identity, ...]
    cgroup: ControlGroup | None = None
    token: str | None = None


def read_row(pid: int) -> ProcessRow | None:
    """The process's row, or None when there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # The second field is the command's name in brackets and may itself hold blanks and brackets.
    fields = text[text.rindex(b")") + 2 :].split()
    return ProcessRow(
        identity=Identity(pid, int(fields[19])),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        zombie=fields[0] in (b"Z", b"X"),
    )


def identify(pid: int) -> Identity | None:
    """The identity of a process that exists (a zombie too), else None."""
    row = read_row(pid)
    return row.identity if row else None


def is_alive(process: Identity) -> bool:
    """Whether this very process runs still; a zombie or a later process of the same id does not count."""
    row = read_row(process.pid)
    return row is not None and row.identity == process and not row.zombie


def _everyone() -> dict[int, ProcessRow]:
    rows = (read_row(int(name)) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208 - hot
    return {row.identity.pid: row for row in rows if row is not None}


def _bears(pid: int, token: bytes) -> bool:
    try:
        return token in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def find(marks: Marks, known: Iterable[Identity] = ()) -> set[Identity]:
    """Every living process of the deployment, those `known` from an earlier look included if they live still.

    A session counts only while its leader's id cannot have been reused: the leader lives, or is a zombie that
    the caller has not reaped yet. Never holds this process, its ancestors or process 1.
    """
    table = _everyone()
    found: set[int] = set()
    sessions = set()
    for leader in (*marks.leaders, *known):
        row = table.get(leader.pid)
        if row is not None and row.identity == leader:
            found.add(leader.pid)
            if leader in marks.leaders:
                sessions.add(leader.pid)
    found |= {pid for pid, row in table.items() if row.session in sessions or row.group in sessions}
    if marks.cgroup is not None:
        found |= marks.cgroup.pids() & table.keys()
    if marks.token is not None:
        mark = f"{TOKEN_VARIABLE}={marks.token}".encode()
        found |= {pid for pid in table if pid not in found and _bears(pid, mark)}
    found -= _untouchable(table)
    grew = True
    while grew:
        children = {pid for pid, row in table.items() if row.parent in found and pid not in found}
        children -= _untouchable(table)
        found |= children
        grew = bool(children)
    return {table[pid].identity for pid in found if not table[pid].zombie}


def _untouchable(table: dict[int, ProcessRow]) -> set[int]:
    pids = {1}
    pid = os.getpid()
    while pid not in pids and pid in table:
        pids.add(pid)
        pid = table[pid].parent
    return pids


def send(process: Identity, number: int) -> None:
    """Send a signal to this very process; nothing happens if it is gone.

    Immune to a reused id where pidfd is there.
    """
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    except OSError:
        handle = -1
    try:
        if is_alive(process):
            if handle >= 0:
                signal.pidfd_send_signal(handle, number)
            else:
                os.kill(process.pid, number)
    except ProcessLookupError:
        pass
    finally:
        if handle >= 0:
            os.close(handle)


def wait_gone(processes: Iterable[Identity], within: float) -> bool:
    """Wait until every process has ended (a zombie has), at most `within` seconds; whether all did."""
    until = time.monotonic() + within
    return all(_gone_by(process, until) for process in processes)


def _gone_by(process: Identity, until: float) -> bool:
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        handle = -1
    try:
        while is_alive(process):
            left = until - time.monotonic()
            if left <= 0:
                return False
            wait_readable(handle, left if handle >= 0 else min(left, 0.01))
        return True
    finally:
        if handle >= 0:
            os.close(handle)


def wait_readable(handle: int, within: float) -> None:
    """Wait until a file descriptor is readable (a pidfd is, once its process has ended); -1 just waits.

    In seconds.
    """
    poll = select.poll()
    if handle >= 0:
        poll.register(handle, select.POLLIN)
    poll.poll(max(1.0, within * 1000))


def end(marks: Marks, *, within: float, give_up_after: float = 10.0) -> set[Identity]:
    """End every process of the deployment: TERM the leaders, then the rest, then KILL until nobody is left.

    Args:
        marks: What tells the deployment's processes.
        within: Seconds that the leaders are given to end after TERM.
        give_up_after: Seconds of killing after which a process that cannot be killed is left.

    Returns:
        Those that could not be ended (in uninterruptible sleep, or not ours to signal); normally empty.
    """
    known = find(marks)
    leaders = [process for process in marks.leaders if process in known]
    _send_all(leaders, signal.SIGTERM)
    wait_gone(leaders, within)
    rest = find(marks, known)
    if rest:
        _send_all(rest, signal.SIGTERM)
        wait_gone(rest, min(0.5, within))
    return _kill(lambda: find(marks, known), marks.cgroup, give_up_after)


def _kill(
    look: Callable[[], set[Identity]], cgroup: ControlGroup | None, give_up_after: float
) -> set[Identity]:
    until = time.monotonic() + give_up_after
    while left := look():
        if cgroup is not None:
            cgroup.kill()
        _send_all(left, signal.SIGKILL)
        wait_gone(left, 0.25)
        if time.monotonic() > until:
            return look()
    return set()


def _send_all(processes: Iterable[Identity], number: int) -> None:
    for process in processes:
        try:
            send(process, number)
        except PermissionError:
            continue  # another user's: `end` reports what it could not end
