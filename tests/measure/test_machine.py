from __future__ import annotations

import json
import os
import platform
import re
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from harness.measure.machine import describe


def test_it_agrees_with_others():
    facts = describe()
    assert facts["memory"] == psutil.virtual_memory().total
    assert facts["cores"] == os.cpu_count()
    assert facts["python"].endswith(platform.python_version())
    assert platform.release() in facts["kernel"]
    assert facts["load_1min"] >= 0


def test_the_machine_id_is_the_same_in_another_process_and_under_another_name():
    code = "from harness.measure.machine import describe; print(describe()['machine_id'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = done.stdout.strip()
    assert said == describe()["machine_id"]
    assert re.fullmatch(r"[0-9a-f]{16}", said)


def test_it_tells_no_secret():
    text = json.dumps(describe())
    names = [socket.gethostname(), os.environ.get("USER", ""), Path.home().name]
    machine_id = Path("/etc/machine-id")
    if machine_id.exists():
        names.append(machine_id.read_text().strip())
    # a name of three letters may well be part of a word
    assert not [name for name in names if len(name) > 4 and name in text]
