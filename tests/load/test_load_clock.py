"""The clock needs gevent, which must not come into this process: its sleepers run in a child."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

SLEEPERS = """
    import json, random, sys, time
    import gevent
    from harness.load.clock import Clock
    clock = Clock(precise=sys.argv[1] == "precise")
    chance, late, started = random.Random(1), [], time.monotonic()
    def sleeper():
        for _ in range(10):
            moment = time.monotonic() + chance.uniform(0, 0.05)
            clock.sleep_until(moment)
            late.append(time.monotonic() - moment)
    sleepers = [gevent.spawn(sleeper) for _ in range(20)]
    killed = gevent.spawn(clock.sleep_until, started + 0.1)
    gevent.sleep(0.02)
    killed.kill()
    gevent.joinall(sleepers, timeout=10)
    clock.sleep_until(started - 1)
    clock.sleep_until(time.monotonic() + 0.15)
    precise = clock.precise
    clock.close()
    print(json.dumps({"late": sorted(late), "precise": precise}))
"""


@pytest.mark.parametrize("kind", ["precise", "plain"])
def test_sleepers_wake_in_time_and_never_early(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SLEEPERS), kind],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    found = json.loads(done.stdout)
    assert len(found["late"]) == 200
    assert found["late"][0] >= 0 if found["precise"] else found["late"][0] > -0.002
    assert found["late"][100] < (0.005 if found["precise"] else 0.01)
    assert found["precise"] == (kind == "precise" and sys.platform == "linux")
