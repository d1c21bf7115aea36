from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure import proc


def test_a_row_agrees_with_psutil():
    own = psutil.Process()
    row = proc.row(os.getpid())
    assert row.parent == own.ppid()
    assert row.session == os.getsid(0)
    times = own.cpu_times()
    assert row.own == pytest.approx(times.user + times.system, abs=0.05)
    assert row.children == pytest.approx(times.children_user + times.children_system, abs=0.05)


def test_a_name_with_blanks_and_brackets_does_not_confuse():
    code = "import sys; open('/proc/self/comm', 'w').write('a) R 1 (b'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert proc.row(process.pid).parent == os.getpid()
        process.stdin.close()


def test_the_processor_clock_is_the_process_own():
    assert proc.cpu_clock(os.getpid()) == pytest.approx(time.process_time(), abs=0.01)


def test_memory_agrees_with_psutil():
    info = psutil.Process().memory_full_info()
    assert proc.pss(os.getpid()) == pytest.approx(info.pss, rel=0.05)
    assert proc.rss(os.getpid()) == pytest.approx(info.rss, rel=0.05)


def test_disk_agrees_with_psutil():
    counters = psutil.Process().io_counters()
    assert proc.disk(os.getpid()) == (counters.read_bytes, counters.write_bytes)


def test_network_agrees_with_psutil():
    assert proc.received("lo") == pytest.approx(
        psutil.net_io_counters(pernic=True)["lo"].bytes_recv, rel=0.01
    )


def test_the_machine_agrees_with_psutil():
    times, theirs = proc.machine_times(), psutil.cpu_times()
    assert times.total - times.busy - times.steal == pytest.approx(
        theirs.idle + theirs.iowait, rel=0.01, abs=1
    )
    assert times.steal == pytest.approx(theirs.steal, abs=1)


def test_a_process_that_is_gone_gives_nothing():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for read in (proc.row, proc.cpu_clock, proc.pss, proc.rss, proc.disk):
        assert read(gone.pid) is None


@given(st.dictionaries(st.integers(2, 40), st.integers(1, 40), max_size=30), st.sets(st.integers(1, 40)))
def test_descendants_are_all_who_lead_back_to_a_root(parents, roots):
    table = {pid: proc.Row(pid, parent, 0, 0, 0.0, 0.0) for pid, parent in parents.items()}

    def leads_back(pid: int) -> bool:
        walked = set()
        while pid in table and pid not in walked:
            if pid in roots:
                return True
            walked.add(pid)
            pid = table[pid].parent
        return False

    assert proc.descendants(table, roots) == {pid for pid in table if leads_back(pid)}
