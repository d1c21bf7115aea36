"""The meter: what a system and its machine used between the two ends of a window.

The one idea: a thread sleeps until each end, reads running totals and subtracts them; between the ends it
only samples what has no total (memory, how many processes). It stretches its sampling so that it stays below
half a percent of one core, and whatever goes wrong in it comes out of `result`, never into the trial.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from harness.measure import proc
from harness.measure.tree import Totals, Tree
from harness.measure.types import MachineUse, MeasureError, ResourceUse

_EVERY = 0.2
_RESCAN_EVERY = 1.0
_LEAST_SAMPLES = 10
_AHEAD = 0.05
_SHARE_OF_A_CORE = 0.002  # each of the two: sampling memory, and looking for new processes
_LATEST_SHARE = 0.1
_GRACE = 10.0


@dataclass(frozen=True)
class _End:
    """All totals read at one end of the window; `late` in seconds after the moment it was due."""

    at: float
    late: float
    group_cpu: float | None
    totals: Totals
    generator: float
    harness: float
    machine: proc.Times | None
    received: int | None


class _Memory:
    """Samples of the tree's memory."""

    def __init__(self) -> None:
        self.samples: list[int] = []
        self.processes_peak = 0
        self.fell_back = False

    def sample(self, pids: frozenset[int]) -> None:
        total = living = 0
        for pid in pids:
            size = proc.pss(pid)
            if size is None:
                size = proc.rss(pid)
                if not size:
                    continue  # ended, or a zombie, which holds no memory
                self.fell_back = True
            total += size
            living += 1
        if living:
            self.samples.append(total)
        self.processes_peak = max(self.processes_peak, living)


class Meter:
    """Meters one window of one system. `schedule` once, then `result` (or `cancel`).

    Args:
        leader: The system's leader.
        cgroup: The control group that holds its tree, None to follow the tree by session and parents.
        generator: The load generator's process.
        interface: The network interface the load goes over.
    """

    def __init__(self, leader: int, cgroup: Path | None, generator: int, *, interface: str = "lo") -> None:
        if cgroup is not None and proc.group_cpu(cgroup) is None:
            cgroup = None
        self._leader = leader
        self._cgroup = cgroup
        self._generator = generator
        self._interface = interface
        self._system_tree = Tree(leader, cgroup)
        self._generator_tree = Tree(generator)
        self._memory = _Memory()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._closes = 0.0
        self._ends: tuple[_End, _End] | None = None
        self._error: str | None = None

    def schedule(self, opens: float, closes: float) -> None:
        """Meter from `opens` to `closes`, both CLOCK_MONOTONIC in seconds (time.monotonic). Returns at once.

        Raises:
            ValueError: the window is empty, or one was scheduled already.
        """
        if not opens < closes:
            raise ValueError(f"a window that opens before it closes; found {opens} to {closes}")
        if self._thread is not None:
            raise ValueError("a meter measures one window; make another for the next")
        self._closes = closes
        self._thread = threading.Thread(target=self._run, args=(opens, closes), name="meter", daemon=True)
        self._thread.start()

    def result(self) -> tuple[ResourceUse, MachineUse]:
        """What was used; waits for the window to close.

        Raises:
            MeasureError: nothing was scheduled, it was cancelled, or a counter could not be read.
        """
        if self._thread is None:
            raise MeasureError("no window was scheduled for the meter")
        self._thread.join(max(0.0, self._closes - time.monotonic()) + _GRACE)
        if self._thread.is_alive():
            raise MeasureError(
                f"the meter did not finish within {_GRACE:g} s of the window's close; free the machine"
            )
        if self._error is not None:
            raise MeasureError(self._error)
        if self._ends is None:
            raise MeasureError("the meter was cancelled before its window closed")
        opened, closed = self._ends
        return self._resources(opened, closed), self._machine(opened, closed)

    def cancel(self) -> None:
        """End the metering without a result; safe to call at any time, also twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_GRACE)

    def _run(self, opens: float, closes: float) -> None:
        try:
            self._measure(opens, closes)
        except MeasureError as error:
            self._error = str(error)
        except Exception as error:  # noqa: BLE001 - a thread's exception would be lost; `result` raises it
            self._error = f"the meter failed: {type(error).__name__}: {error}"

    def _measure(self, opens: float, closes: float) -> None:
        if self._stop.wait(max(0.0, opens - _AHEAD - time.monotonic())):
            return
        self._look_ahead()
        if self._stop.wait(max(0.0, opens - time.monotonic())):
            return
        opened = self._read_end(opens)
        if not self._system_tree.pids:
            raise MeasureError(
                f"process {self._leader} was not there when the window opened; see whether the system died"
            )
        if opened.late > _LATEST_SHARE * (closes - opens):
            raise MeasureError(
                f"the window's opening was read {opened.late:.3f} s late, more than a tenth of the window; "
                "schedule the meter before the window opens, or lengthen the warm-up"
            )
        if not self._sample_until(closes):
            return
        closed = self._read_end(closes)
        if (opened.group_cpu is None) != (closed.group_cpu is None):
            raise MeasureError(
                "the system's control group went away inside the window; stop the system after the result"
            )
        self._ends = opened, closed

    def _look_ahead(self) -> None:
        """Find all processes shortly before an end, so that the end itself reads few files and is over at once."""
        table = proc.rows()
        self._system_tree.update(table)
        self._generator_tree.update(table)

    def _sample_until(self, closes: float) -> bool:
        """Sample memory until the window is about to close, then wait for the close; False if cancelled."""
        rescan_at = time.monotonic()
        longest = max(_EVERY, (closes - rescan_at) / _LEAST_SAMPLES)
        while True:
            began, now = time.thread_time(), time.monotonic()
            rescan = now >= rescan_at
            self._system_tree.update(rescan=rescan)
            if rescan:
                scanned = time.thread_time()
                rescan_at = now + max(_RESCAN_EVERY, (scanned - began) / _SHARE_OF_A_CORE)
                began = scanned
            self._memory.sample(self._system_tree.pids)
            pause = min(max(_EVERY, (time.thread_time() - began) / _SHARE_OF_A_CORE), longest)
            left = closes - _AHEAD - time.monotonic()
            if self._stop.wait(max(0.0, min(pause, left))):
                return False
            if left <= pause:
                self._look_ahead()
                return not self._stop.wait(max(0.0, closes - time.monotonic()))

    def _read_end(self, due: float) -> _End:
        """Read every total in one order at both ends, so that delays cancel; processor times come first."""
        at = time.monotonic()
        harness = self._harness_cpu()
        group_cpu = None if self._cgroup is None else proc.group_cpu(self._cgroup)
        machine = proc.machine_times()
        totals = self._system_tree.update(rescan=False)
        return _End(
            at=at,
            late=max(0.0, at - due),
            group_cpu=group_cpu,
            totals=totals,
            generator=self._generator_tree.update(rescan=False).cpu,
            harness=harness,
            machine=machine,
            received=proc.received(self._interface),
        )

    def _harness_cpu(self) -> float:
        """This process's own time; whatever other child it may have counts as other work, which it is."""
        counted = self._system_tree.pids | self._generator_tree.pids
        return 0.0 if os.getpid() in counted else time.process_time()

    def _cpu(self, opened: _End, closed: _End) -> float:
        if opened.group_cpu is not None and closed.group_cpu is not None:
            return max(0.0, closed.group_cpu - opened.group_cpu)
        return max(0.0, closed.totals.cpu - opened.totals.cpu)

    def _resources(self, opened: _End, closed: _End) -> ResourceUse:
        memory = self._memory
        network = None
        if opened.received is not None and closed.received is not None:
            network = float(closed.received - opened.received)
        disk = None
        if opened.totals.disk is not None and closed.totals.disk is not None:
            disk = (
                max(0.0, float(closed.totals.disk.read - opened.totals.disk.read)),
                max(0.0, float(closed.totals.disk.written - opened.totals.disk.written)),
            )
        return ResourceUse(
            window=closed.at - opened.at,
            cpu_seconds=self._cpu(opened, closed),
            memory_mean=sum(memory.samples) / len(memory.samples) if memory.samples else None,
            memory_peak=float(max(memory.samples)) if memory.samples else None,
            disk_read=disk[0] if disk else None,
            disk_written=disk[1] if disk else None,
            network_received=network,
            network_sent=network,
            processes_peak=memory.processes_peak,
            method=self._method(),
            opened_late=opened.late,
            closed_late=closed.late,
            memory_samples=len(memory.samples),
        )

    def _method(self) -> str:
        if self._cgroup is None:
            ticks = f"{proc.TICK * 1000:g} ms"
            cpu = f"process clocks (1 ns), children waited for ({ticks}), by session and parents"
        elif (self._cgroup / "cpuacct.usage").exists():
            cpu = "control group cpuacct.usage (1 ns)"
        else:
            cpu = "control group cpu.stat (1 µs)"
        memory = "proportional set size"
        if self._memory.fell_back:
            memory = "resident set size where the proportional one may not be read (shared pages count twice)"
        return f"CPU: {cpu}; memory: {memory}; disk: /proc/<pid>/io; network: all of {self._interface}"

    def _machine(self, opened: _End, closed: _End) -> MachineUse:
        if opened.machine is None or closed.machine is None:
            raise MeasureError("/proc/stat could not be read; the meter needs Linux with /proc mounted")
        total = closed.machine.total - opened.machine.total
        if total <= 0:
            raise MeasureError(
                "the machine's clock of processor time stood still; the window is too short to measure"
            )
        busy = (closed.machine.busy - opened.machine.busy) / total
        system = self._cpu(opened, closed) / total
        generator = max(0.0, closed.generator - opened.generator) / total
        harness = max(0.0, closed.harness - opened.harness) / total
        return MachineUse(
            processors=os.cpu_count() or 1,
            busy_share=min(1.0, max(0.0, busy)),
            system_share=system,
            generator_share=generator,
            harness_share=harness,
            other_share=max(0.0, busy - system - generator - harness),
            steal_share=max(0.0, closed.machine.steal - opened.machine.steal) / total,
        )
