"""The meter against what real processes say of themselves."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from harness.deploy import control_group
from harness.measure import proc
from harness.measure.meter import Meter
from harness.measure.types import MachineUse, MeasureError, ResourceUse

WORKER = """
import json, os, resource, sys, threading, time
from pathlib import Path

def used():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(r.ru_utime + r.ru_stime for r in both)

def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(500))

def fork(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid

def at(moment):
    threading.Event().wait(max(0, moment - time.monotonic()))

def disk():
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return [int(fields["read_bytes"]), int(fields["write_bytes"])]

def say(**facts):
    print(json.dumps(facts), flush=True)

job, opens, closes = sys.argv[1], None, None
memory = bytearray(os.urandom(1 << 20) * 64) if job == "memory" else b""
early = None
if job in ("early_child", "memory"):
    read, write = os.pipe()
    def early_work():
        os.read(read, 1)
        burn(0.5 if job == "early_child" else 0)
    early = fork(early_work)
say(ready=True)
opens, closes = json.loads(sys.stdin.readline())
before, before_disk = used(), disk()
if job == "constant":
    log = []
    while time.monotonic() < closes + 0.2:
        log.append((time.monotonic(), time.process_time()))
        burn(0.005)
    say(log=log)
    sys.exit()
at(opens + 0.1)
if job == "burn":
    burn(0.5)
elif job == "threads":
    threads = [threading.Thread(target=burn, args=(0.25,)) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
elif job == "child":
    burn(0.1)
    os.waitpid(fork(lambda: (burn(0.2), os.waitpid(fork(lambda: burn(0.2)), 0))), 0)
elif job == "early_child":
    os.write(write, b"x")
    os.waitpid(early, 0)
    burn(0.2)
elif job == "dies":
    burn(0.3)
    say(used=used() - before, at=time.monotonic())
    os._exit(9)
elif job == "disk":
    def write_file():
        with open(sys.argv[2], "ab") as file:
            file.write(os.urandom(4 << 20))
            file.flush()
            os.fsync(file.fileno())
    write_file()
    os.waitpid(fork(write_file), 0)
say(used=used() - before, disk=[b - a for a, b in zip(before_disk, disk())], at=time.monotonic())
sys.stdin.readline()
if early and job == "memory":
    os.write(write, b"x")
    os.waitpid(early, 0)
"""


class Worker:
    """A process that does one job inside a window and says what it used."""

    def __init__(self, job: str, *more: str, cgroup: control_group.ControlGroup | None = None) -> None:
        joining = cgroup.open_for_joining() if cgroup else -1
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, job, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=None if cgroup is None else lambda: os.write(joining, b"0"),
        )
        if joining >= 0:
            os.close(joining)
        assert self.hear() == {"ready": True}

    @property
    def pid(self) -> int:
        return self.process.pid

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def go(self, opens: float, closes: float) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([opens, closes]) + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def a_group() -> control_group.ControlGroup | None:
    return control_group.make(f"meter-{os.getpid()}-{time.monotonic_ns()}")


_probe = a_group()
WAYS = ["tree"]
if _probe is not None:
    _probe.remove()
    WAYS.append("control group")


@pytest.fixture(params=WAYS)
def group(request: pytest.FixtureRequest) -> Iterator[control_group.ControlGroup | None]:
    """Both ways of counting where the machine has both."""
    made = a_group() if request.param == "control group" else None
    yield made
    if made is not None:
        assert made.remove()


class Metered(NamedTuple):
    resources: ResourceUse
    machine: MachineUse
    said: dict[str, Any]
    opens: float
    closes: float


def metered(
    job: str, group: control_group.ControlGroup | None, *more: str, window: float = 1.5, attempts: int = 3
) -> Metered:
    """Meter one job in one window; in a longer one if this machine was too busy to do the job within it."""
    worker = Worker(job, *more, cgroup=group)
    try:
        meter = Meter(worker.pid, group.path if group else None, os.getpid())
        opens = time.monotonic() + 0.2
        closes = opens + window
        meter.schedule(opens, closes)
        worker.go(opens, closes)
        said = worker.hear()
        resources, machine = meter.result()
    finally:
        worker.end()
    if "at" in said and said["at"] > closes:
        assert attempts > 1, "this machine is too busy"
        return metered(job, group, *more, window=window * 2, attempts=attempts - 1)
    return Metered(resources, machine, said, opens, closes)


@pytest.mark.parametrize("job", ["burn", "threads", "child", "early_child"])
def test_processor_time_is_what_the_processes_say(job, group):
    resources, machine, said, *_ = metered(job, group, window=1.5)
    assert said["used"] >= 0.49
    # Without a group, children that ended are known in whole ticks only, of user and of system time.
    ticks = 2 * proc.TICK if group is None and "child" in job else 0.0
    assert resources.cpu_seconds == pytest.approx(said["used"], abs=0.02 * said["used"] + ticks)
    total = machine.processors * resources.window
    assert machine.system_share == pytest.approx(resources.cpu_seconds / total, rel=0.05, abs=0.01)


def test_a_system_that_dies_keeps_what_it_had_used(group):
    resources, _, said, *_ = metered("dies", group)
    slack = 0.02 if group else 0.25  # without a group, the last sample before it died
    assert said["used"] - slack <= resources.cpu_seconds <= said["used"] + 0.02


def test_only_what_lies_between_the_ends_counts(group):
    resources, _, said, opens, closes = metered("constant", group, window=1.0)
    assert resources.window == pytest.approx(closes - opens, abs=0.05)
    moments, used = zip(*said["log"], strict=True)

    def used_at(moment: float) -> float:
        place = next(i for i, m in enumerate(moments) if m >= moment)
        (m0, m1), (u0, u1) = moments[place - 1 : place + 1], used[place - 1 : place + 1]
        return u0 + (u1 - u0) * (moment - m0) / (m1 - m0)

    begun, ended = opens + resources.opened_late, closes + resources.closed_late
    truth = used_at(ended) - used_at(begun)
    assert truth < used[-1] - used[0] - 0.1, "it worked before and after too"
    assert resources.cpu_seconds == pytest.approx(truth, rel=0.02, abs=0.015)


def test_the_two_ends_are_read_on_time():
    lates = []
    for _ in range(5):  # a busy machine may be late now and then, a right meter is not always
        meter = Meter(os.getpid(), None, os.getpid())
        opens = time.monotonic() + 0.1
        meter.schedule(opens, opens + 0.5)
        resources, _ = meter.result()
        assert time.monotonic() >= opens + 0.5
        took = 0.5 + resources.closed_late - resources.opened_late
        assert resources.window == pytest.approx(took, abs=1e-6)
        lates.append(max(resources.opened_late, resources.closed_late))
    assert 0 <= min(lates) < 0.02


def test_memory_is_proportional_and_not_counted_twice(group):
    worker = Worker("memory", cgroup=group)
    try:
        meter = Meter(worker.pid, group.path if group else None, os.getpid())
        opens = time.monotonic() + 0.1
        meter.schedule(opens, opens + 2.0)
        tree = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children()]
        assert len(tree) == 2
        full = [process.memory_full_info() for process in tree]
        resources, _ = meter.result()
    finally:
        worker.go(0, 0)
        worker.hear()
        worker.end()
    assert resources.memory_mean == pytest.approx(sum(f.pss for f in full), rel=0.05)
    assert resources.memory_peak >= resources.memory_mean
    assert resources.memory_peak < sum(f.rss for f in full) - 40 * 2**20, "64 MiB are shared by the two"
    assert resources.processes_peak == 2
    assert resources.memory_samples >= 2
    assert "proportional" in resources.method


def test_disk_bytes_are_what_the_processes_say(group, tmp_path):
    resources, _, said, *_ = metered("disk", group, str(tmp_path / "file"), window=2.5)
    read, written = said["disk"]
    assert resources.disk_written == pytest.approx(written, abs=64 * 1024)
    assert resources.disk_read == pytest.approx(read, abs=256 * 1024)


def test_network_bytes_are_those_of_the_interface():
    meter = Meter(os.getpid(), None, os.getpid())
    size = 3_000_000
    opens = time.monotonic() + 0.1
    meter.schedule(opens, opens + 1.0)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sender,
        server.accept()[0] as receiver,
    ):
        while time.monotonic() < opens + 0.1:
            os.sched_yield()
        for _ in range(size // 50_000):
            sender.sendall(b"x" * 50_000)
            left = 50_000
            while left:
                left -= len(receiver.recv(left))
    resources, _ = meter.result()
    assert resources.network_received >= size
    assert resources.network_sent == resources.network_received


def test_an_interface_that_is_not_there_is_not_known():
    meter = Meter(os.getpid(), None, os.getpid(), interface="no-such0")
    now = time.monotonic()
    meter.schedule(now + 0.2, now + 2.2)
    resources, _ = meter.result()
    assert resources.network_received is None
    assert resources.network_sent is None


def test_the_machine_is_shared_out():
    system, generator = Worker("burn"), Worker("threads")
    try:
        meter = Meter(system.pid, None, generator.pid)
        opens = time.monotonic() + 0.15
        meter.schedule(opens, opens + 4.0)
        system.go(opens, opens + 4.0)
        generator.go(opens, opens + 4.0)
        threading.Event().wait(opens + 0.1 - time.monotonic())
        own = time.process_time()
        while time.process_time() < own + 0.3:
            pass
        said = system.hear()["used"], generator.hear()["used"]
        resources, machine = meter.result()
    finally:
        system.end()
        generator.end()
    total = machine.processors * resources.window
    assert machine.system_share == pytest.approx(said[0] / total, rel=0.03)
    assert machine.generator_share == pytest.approx(said[1] / total, rel=0.03)
    assert machine.harness_share >= 0.29 / total
    used = machine.system_share + machine.generator_share + machine.harness_share
    assert machine.other_share == pytest.approx(max(0.0, machine.busy_share - used))
    assert machine.busy_share >= used - 0.03
    assert 0 <= machine.steal_share <= 1
    assert machine.processors == os.cpu_count()


def test_the_meter_costs_next_to_nothing():
    worker = Worker("burn")
    try:
        meter = Meter(worker.pid, None, os.getpid())
        opens = time.monotonic() + 0.1
        before = time.process_time()
        meter.schedule(opens, opens + 4.0)
        meter.result()
        spent = time.process_time() - before
    finally:
        worker.go(0, 0)
        worker.hear()
        worker.end()
    # half a percent of a core while it runs, and the two ends, which look at every process once
    assert spent < 0.005 * 4.0 + 0.03


class TestBadUse:
    def test_no_system(self):
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        meter = Meter(gone.pid, None, os.getpid())
        now = time.monotonic()
        meter.schedule(now + 0.02, now + 0.1)
        with pytest.raises(MeasureError, match="was not there when the window opened"):
            meter.result()

    def test_nothing_scheduled(self):
        with pytest.raises(MeasureError, match="no window"):
            Meter(os.getpid(), None, os.getpid()).result()

    def test_cancelled(self):
        meter = Meter(os.getpid(), None, os.getpid())
        now = time.monotonic()
        meter.schedule(now + 0.1, now + 60)
        meter.cancel()
        meter.cancel()
        assert time.monotonic() < now + 5
        with pytest.raises(MeasureError, match="cancelled"):
            meter.result()

    def test_an_opening_that_is_past(self):
        meter = Meter(os.getpid(), None, os.getpid())
        now = time.monotonic()
        meter.schedule(now - 5, now + 1)
        with pytest.raises(MeasureError, match="late"):
            meter.result()

    def test_an_empty_window_and_a_second_one(self):
        meter = Meter(os.getpid(), None, os.getpid())
        now = time.monotonic()
        with pytest.raises(ValueError, match="opens before it closes"):
            meter.schedule(now, now)
        meter.schedule(now + 60, now + 61)
        with pytest.raises(ValueError, match="one window"):
            meter.schedule(now, now + 1)
        meter.cancel()

    def test_counters_that_cannot_be_read_surface_in_the_result(self, monkeypatch, tmp_path):
        meter = Meter(os.getpid(), None, os.getpid())
        monkeypatch.setattr(proc, "PROC", tmp_path / "nowhere")
        now = time.monotonic()
        meter.schedule(now + 0.02, now + 0.1)
        with pytest.raises(MeasureError):
            meter.result()

    @pytest.mark.skipif(len(WAYS) == 1, reason="no control group can be made here")
    def test_a_control_group_that_goes_away(self):
        group = a_group()
        assert group is not None
        worker = Worker("idle")
        (group.path / "cgroup.procs").write_text(str(worker.pid))
        try:
            meter = Meter(worker.pid, group.path, os.getpid())
            now = time.monotonic()
            meter.schedule(now + 0.05, now + 0.8)
            while time.monotonic() < now + 0.1:
                os.sched_yield()
            worker.go(0, 0)
            worker.hear()
        finally:
            worker.end()
        assert group.remove()
        with pytest.raises(MeasureError, match="control group went away"):
            meter.result()


def test_a_folder_that_is_no_control_group_is_not_used(tmp_path: Path):
    meter = Meter(os.getpid(), tmp_path, os.getpid())
    now = time.monotonic()
    meter.schedule(now + 0.2, now + 2.2)
    resources, _ = meter.result()
    assert "process clocks" in resources.method
