"""What a process tree has used in all, children that ended included.

The one idea: a total is taken at each end of a window and the two are subtracted. A child that ended in
between is counted by the parent that waited for it; one that nobody of the tree waited for keeps its last
sampled figures. Where a control group counts, processor time comes from its counter and only disk and memory
need this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.measure import proc

_Key = tuple[int, int]


@dataclass(frozen=True)
class Totals:
    """What a tree has used since its processes began: seconds and bytes.

    Disk is None where it may not be read.
    """

    cpu: float
    disk: proc.DiskBytes | None


@dataclass(frozen=True)
class _Seen:
    parent: _Key | None
    cpu: float
    disk: proc.DiskBytes


class Tree:
    """One leader's processes, followed over time by repeated `update`.

    With a control group its members are the tree. Without one the tree is the leader, the session if it leads
    one, and all descendants of these and of any process seen before; a daemon that changed session and lost
    its parent before the first look cannot be found.
    """

    def __init__(self, leader: int, cgroup: Path | None = None) -> None:
        self._leader = leader
        self._cgroup = cgroup
        self._seen: dict[_Key, _Seen] = {}
        self._ended: list[_Seen] = []
        self._disk_unread = False

    @property
    def pids(self) -> frozenset[int]:
        """The processes seen by the last `update`."""
        return frozenset(pid for pid, _ in self._seen)

    def update(self, table: Mapping[int, proc.Row] | None = None, *, rescan: bool = True) -> Totals:
        """Look at all processes of the tree; what it has used up to now.

        `table` is every process of the machine, where the caller has just read it anyway. Without `rescan`
        only processes seen before are looked at, which is cheap; a control group's always are.
        """
        # The clocks first, all at once: reading files takes longer, and lets other threads in between.
        clocks = {pid: proc.cpu_clock(pid) for pid in self.pids}
        rows = self._rows(table) if rescan or self._cgroup is not None else self._known()
        keys = {pid: (pid, row.start) for pid, row in rows.items()}
        now: dict[_Key, _Seen] = {}
        for pid, row in rows.items():
            own = clocks.get(pid) or proc.cpu_clock(pid)
            disk = proc.disk(pid)
            if disk is None and proc.row(pid) is not None:
                self._disk_unread = True
            now[keys[pid]] = _Seen(
                parent=keys.get(row.parent),
                cpu=(row.own if own is None else own) + row.children,
                disk=disk or proc.DiskBytes(0, 0),
            )
        for key, seen in self._seen.items():
            # A parent of the tree that is alive has waited for it, and now counts it among its children.
            if key not in now and seen.parent not in now:
                self._ended.append(seen)
        self._seen = now
        every = [*now.values(), *self._ended]
        disk = proc.DiskBytes(sum(s.disk.read for s in every), sum(s.disk.written for s in every))
        return Totals(cpu=sum(s.cpu for s in every), disk=None if self._disk_unread else disk)

    def _known(self) -> dict[int, proc.Row]:
        found = {pid: (start, proc.row(pid)) for pid, start in self._seen}
        return {pid: row for pid, (start, row) in found.items() if row is not None and row.start == start}

    def _rows(self, table: Mapping[int, proc.Row] | None) -> dict[int, proc.Row]:
        if self._cgroup is not None:
            found = {pid: proc.row(pid) for pid in proc.group_pids(self._cgroup)}
            return {pid: row for pid, row in found.items() if row is not None}
        table = proc.rows() if table is None else table
        leader = table.get(self._leader)
        roots = {pid for pid, start in self._seen if pid in table and table[pid].start == start}
        pids = proc.descendants(table, {self._leader} | roots)
        if leader is None or leader.session == self._leader:
            members = {pid for pid, row in table.items() if row.session == self._leader}
            pids |= proc.descendants(table, members)
        return {pid: table[pid] for pid in pids}
