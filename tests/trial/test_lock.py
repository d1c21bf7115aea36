from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.trial.errors import Exit, TrialError
from harness.trial.lock import pilot_lock

HOLD = """
import sys
from pathlib import Path
from harness.trial.lock import pilot_lock
with pilot_lock(Path(sys.argv[1]), "northmoor/x"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_of_one_pilot_is_refused_and_names_the_first(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder, holder.stdin, holder.stdout:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TrialError, match=str(holder.pid)) as caught, pilot_lock(tmp_path, "northmoor/x"):
            pass
        assert caught.value.code is Exit.BAD_INPUT
        with pilot_lock(tmp_path, "northmoor/y"):
            pass  # another pilot is free
        holder.kill()
        holder.wait()
    with pilot_lock(tmp_path, "northmoor/x"):
        pass  # the kernel dropped a dead holder's lock
