from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.deploy import control_group, reaper
from harness.deploy.processes import Identity, identify, is_alive

HARNESS = """
import json, subprocess, sys, threading
from pathlib import Path
from harness.deploy import control_group, reaper
from harness.deploy.process import ProcessDeployer
from harness.deploy.types import DeployRequest
from harness.workspace.models import Run

# first
root = Path(sys.argv[1])
run = Run.model_validate({"process": {"command": ["{python}", "{folder}/system.py", "{port}", sys.argv[2]]}})
request = DeployRequest("booking@1.0.0", run, root / "system", {}, root / "scratch", root / "logs")
deployment = ProcessDeployer(cache=root / "cache", state=root / "state").deploy(request)
generator = subprocess.Popen(["sleep", "600"], start_new_session=True)
reaper.record(root / "state", generator.pid, label="the generator")
cgroup = str(deployment.cgroup or "")
print(json.dumps({"leader": deployment.leader, "generator": generator.pid, "cgroup": cgroup}))
sys.stdout.flush()
threading.Event().wait()
"""


class Orphans:
    """What a harness that was killed in the middle of a run left behind."""

    def __init__(self, root: Path, habit: str = "ok", first: str = "") -> None:
        self.state = root / "state"
        self.harness = subprocess.Popen(
            [sys.executable, "-c", HARNESS.replace("# first", first), str(root), habit],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.harness.stdout is not None
        facts = json.loads(self.harness.stdout.readline())
        self.cgroup = Path(facts["cgroup"]) if facts["cgroup"] else None
        self.leader, self.generator = identify(facts["leader"]), identify(facts["generator"])
        assert self.leader and self.generator
        tree = psutil.Process(facts["leader"]).children(recursive=True)
        self.all = {self.leader, self.generator} | {identify(p.pid) for p in tree}

    def kill_harness(self) -> None:
        self.harness.kill()
        self.harness.wait()
        assert self.harness.stdout is not None
        self.harness.stdout.close()

    def entries(self) -> list[Path]:
        return sorted(self.state.glob("*.entry"))


@pytest.mark.parametrize("habit", ["ok", "workers", "daemon", "ignores_term", "read_only"])
def test_what_a_killed_harness_left_is_ended(tmp_path, folder, habit):
    if habit == "read_only":
        (folder / "system.py").write_text((folder / "system.py").read_text().replace("outside)", "'/')"))
    orphans = Orphans(tmp_path, habit)
    orphans.kill_harness()
    assert is_alive(orphans.leader), "a system outlives the harness that was killed"
    assert (tmp_path / "scratch").exists()
    done = reaper.reap(orphans.state)
    assert not any(is_alive(process) for process in orphans.all)
    assert any("of booking@1.0.0" in line for line in done)
    assert any("of the generator" in line for line in done)
    assert orphans.cgroup is None or not orphans.cgroup.exists()
    assert reaper.reap(orphans.state) == []


def test_without_a_control_group_too(tmp_path, folder, monkeypatch):
    code = HARNESS.replace(
        "root = Path",
        "from harness.deploy import control_group\ncontrol_group._parents = lambda: iter(())\nroot = Path",
        1,
    )
    monkeypatch.setattr(sys.modules[__name__], "HARNESS", code)
    orphans = Orphans(tmp_path, "daemon")
    assert orphans.cgroup is None
    orphans.kill_harness()
    assert reaper.reap(orphans.state)
    assert not any(is_alive(process) for process in orphans.all)


def test_an_interrupted_harness_leaves_nothing(tmp_path, folder):
    command = [
        sys.executable,
        "-c",
        HARNESS.replace("# first", "print('begun', flush=True)"),
        str(tmp_path),
        "hangs",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == "begun\n"
        log = tmp_path / "logs" / "system.log"
        until = time.monotonic() + 10
        while not (log.exists() and log.read_text()):
            assert time.monotonic() < until
            os.sched_yield()
        harness.send_signal(signal.SIGINT)
        _, said = harness.communicate(timeout=10)
    assert "KeyboardInterrupt" in said
    # that no process, scratch folder, entry or control group is left is seen to after every test here
    assert list((tmp_path / "state").iterdir()) == []


def test_what_belongs_to_a_living_harness_is_left_alone(tmp_path, folder):
    orphans = Orphans(tmp_path)
    try:
        assert reaper.reap(orphans.state) == []
        assert all(is_alive(process) for process in orphans.all)
        assert len(orphans.entries()) == 2
    finally:
        orphans.kill_harness()
        reaper.reap(orphans.state)


@pytest.fixture
def bystander():
    """A process that is nobody's business."""
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield identify(process.pid)
    process.kill()
    process.wait()


def write_entry(state: Path, *leaders: Identity, **changes: object) -> Path:
    """An entry of a harness that is dead."""
    path = reaper.begin(state, label="booking@1.0.0")
    head = json.loads(path.read_text()) | {"harness": [os.getpid(), 1]} | changes
    path.write_text("\n".join([json.dumps(head), *(f"{pid} {start}" for pid, start in leaders)]) + "\n")
    return path


def test_a_reused_process_id_is_not_touched(tmp_path, bystander):
    reused = Identity(bystander.pid, bystander.start - 1)
    write_entry(tmp_path / "state", reused)
    assert reaper.reap(tmp_path / "state") == []
    assert is_alive(bystander)
    # the same entry with the right start time does end it: the guard is what spared it
    write_entry(tmp_path / "state", bystander)
    assert reaper.reap(tmp_path / "state") == ["ended 1 process of booking@1.0.0"]
    assert not is_alive(bystander)


def test_another_process_with_the_harness_id_does_not_keep_an_orphan(tmp_path, bystander):
    write_entry(tmp_path / "state", bystander, harness=[os.getpid(), identify(os.getpid()).start - 1])
    reaper.reap(tmp_path / "state")
    assert not is_alive(bystander)


def test_after_a_restart_of_the_machine_process_ids_mean_nothing(tmp_path, bystander):
    write_entry(tmp_path / "state", bystander, boot="another")
    reaper.reap(tmp_path / "state")
    assert is_alive(bystander)


def test_what_another_container_recorded_is_left_alone(tmp_path, bystander):
    entry = write_entry(tmp_path / "state", bystander, namespace=1)
    (line,) = reaper.reap(tmp_path / "state")
    assert "another container" in line
    assert is_alive(bystander)
    entry.unlink()


def test_a_folder_that_does_not_bear_the_token_is_kept(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "letters").write_text("keep")
    write_entry(tmp_path / "state", scratch=str(home), token="forged")
    (line,) = reaper.reap(tmp_path / "state")
    assert "does not bear" in line
    assert (home / "letters").read_text() == "keep"


def test_a_control_group_that_is_not_ours_is_kept(tmp_path):
    parents = list(control_group._parents())
    for parent in parents:
        assert not control_group.ControlGroup.is_ours(parent)
        assert control_group.ControlGroup.is_ours(parent / "harness-1")
        assert not control_group.ControlGroup.is_ours(parent / ".." / "harness-1")
    assert not control_group.ControlGroup.is_ours(tmp_path / "harness-1")


@pytest.mark.parametrize("text", ["", "not json\n", "{}\n", '{"label": "x", "harness": 3}\n', "[1]\n"])
def test_an_entry_that_nobody_can_read_is_removed(tmp_path, text):
    state = tmp_path / "state"
    state.mkdir()
    (state / "1-abc.entry").write_text(text)
    (line,) = reaper.reap(state)
    assert "1-abc.entry" in line


def test_an_entry_cut_short_still_ends_whom_it_names(tmp_path, bystander):
    path = write_entry(tmp_path / "state", bystander)
    with path.open("a") as file:
        file.write("123")
    reaper.reap(tmp_path / "state")
    assert not is_alive(bystander)


def test_nothing_to_reap(tmp_path):
    assert reaper.reap(tmp_path / "nowhere") == []


def test_recording_and_forgetting(tmp_path, bystander):
    entry = reaper.record(tmp_path / "state", bystander.pid, label="the generator")
    assert entry.exists()
    assert entry.stat().st_mode & 0o777 == 0o600
    reaper.forget(entry)
    reaper.forget(entry)
    with pytest.raises(ProcessLookupError):
        reaper.record(tmp_path / "state", 2**22 + 1, label="nobody")


def test_a_zombie_does_not_count_as_alive(bystander):
    os.kill(bystander.pid, signal.SIGKILL)
    os.waitid(os.P_PID, bystander.pid, os.WEXITED | os.WNOWAIT)
    assert identify(bystander.pid) == bystander
    assert not is_alive(bystander)
