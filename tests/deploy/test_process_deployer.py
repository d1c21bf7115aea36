from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.deploy import control_group
from harness.deploy.process import ProcessDeployer
from harness.deploy.processes import identify, is_alive
from harness.deploy.registry import deployer_for
from harness.deploy.types import DeployError, DeployFault, Deployment


def facts(deployment: Deployment) -> dict[str, Any]:
    with urllib.request.urlopen(f"{deployment.address}/facts", timeout=5) as answer:
        return json.load(answer)


def eventually(holds: Any, within: float = 5.0) -> None:
    until = time.monotonic() + within
    while not holds():
        assert time.monotonic() < until, "did not come about in time"
        os.sched_yield()


def sleepers() -> list[psutil.Process]:
    return [
        p
        for p in psutil.process_iter(["cmdline", "status"])
        if p.info["cmdline"]
        and "SIG_IGN" in p.info["cmdline"][-1]
        and p.info["status"] != psutil.STATUS_ZOMBIE
    ]


def control_groups_can_be_made() -> bool:
    group = control_group.make(f"probe-{os.getpid()}")
    return group is not None and group.remove()


def refused(deployer: ProcessDeployer, request: Any) -> DeployError:
    with pytest.raises(DeployError) as caught:
        deployer.deploy(request).stop()
    return caught.value


def test_a_system_comes_up_and_goes_down_without_a_trace(deployer, request_for, tmp_path):
    request = request_for()
    deployer.prepare(request)
    began = time.monotonic()
    deployment = deployer.deploy(request)
    assert 0 < deployment.ready_after < time.monotonic() - began
    assert deployment.exit_status() is None
    seen = facts(deployment)
    assert seen["pid"] == seen["session"] == deployment.leader
    assert seen["cwd"] == str(request.scratch)
    assert seen["stdin"] == "/dev/null"
    assert "starting with habit ok" in deployment.log_tail()
    entry = next((tmp_path / "state").glob("*.entry")).read_text()
    assert f"{deployment.leader} {identify(deployment.leader).start}" in entry
    if deployment.cgroup is not None:
        assert str(deployment.leader) in (deployment.cgroup / "cgroup.procs").read_text().split()
    deployment.stop()
    deployment.stop()
    assert deployment.exit_status() == -signal.SIGTERM
    assert not request.scratch.exists()
    assert (request.logs / "system.log").exists()


def test_the_registry_finds_the_deployer(request_for, tmp_path):
    run = request_for().run
    deployer = deployer_for(run, cache=tmp_path / "cache", state=tmp_path / "state")
    assert isinstance(deployer, ProcessDeployer)


def test_nothing_of_our_environment_reaches_the_system(deployer, request_for, monkeypatch):
    monkeypatch.setenv("HARNESS_DATABASE", "postgresql://user:secret@host/db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    request = request_for(
        variables={"GREETING": "port {port} of {folder}"}, secrets={"EXTRA": "given {port}"}
    )
    deployment = deployer.deploy(request)
    try:
        env = facts(deployment)["env"]
        port = deployment.address.rsplit(":", 1)[1]
    finally:
        deployment.stop()
    assert "secret" not in json.dumps(env)
    assert env["HOME"] == env["TMPDIR"] == str(request.scratch)
    assert env["TZ"] == "UTC"
    assert env["GREETING"] == f"port {port} of {request.folder}"
    assert env["EXTRA"] == "given {port}"
    assert set(env) <= {
        *("PATH", "LANG", "LC_CTYPE", "TZ", "HOME", "TMPDIR", "PYTHONDONTWRITEBYTECODE"),
        *("GREETING", "EXTRA", "PIONEER_DEPLOYMENT"),
    }


def test_no_file_descriptor_of_ours_reaches_the_system(deployer, request_for):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    deployment = deployer.deploy(request_for())
    try:
        # the three standard ones, the listening socket, the connection, the folder being listed, the selector
        assert facts(deployment)["fds"] <= 7
    finally:
        deployment.stop()
        os.close(read)
        os.close(write)


def test_configuration_reaches_the_system_in_three_ways(deployer, request_for):
    settings = {"slots": 12, "name": "Northmoor", "open": True, "days": ["mon", "tue"], "none": None}
    request = request_for(
        "ok",
        "{configuration}",
        settings=settings,
        configuration={"file": "config.json", "environment": "BOOKING", "arguments": True},
    )
    deployment = deployer.deploy(request)
    try:
        seen = facts(deployment)
        path = Path(seen["argv"][0])
        assert json.loads(path.read_text()) == settings
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        deployment.stop()
    assert seen["argv"][1:] == [
        "--slots",
        "12",
        "--name",
        "Northmoor",
        "--open",
        "true",
        "--days",
        '["mon", "tue"]',
    ]
    given = {k: v for k, v in seen["env"].items() if k.startswith("BOOKING_")}
    assert given == {
        "BOOKING_SLOTS": "12",
        "BOOKING_NAME": "Northmoor",
        "BOOKING_OPEN": "true",
        "BOOKING_DAYS": '["mon", "tue"]',
    }


def test_prepare_steps_run_in_order_each_with_its_log(deployer, request_for):
    steps = [
        {"name": "init", "command": ["{python}", "-c", "open('a', 'w').write('1'); print('made a')"]},
        {"name": "migrate", "command": ["{python}", "-c", "print('found', open('a').read())"]},
    ]
    request = request_for(prepare=steps)
    deployer.deploy(request).stop()
    assert (request.logs / "prepare-init.log").read_text() == "made a\n"
    assert (request.logs / "prepare-migrate.log").read_text() == "found 1\n"


def test_a_prepare_step_that_fails(deployer, request_for):
    step = {"name": "migrate", "command": ["{python}", "-c", "print('no column'); raise SystemExit(4)"]}
    error = refused(deployer, request_for(prepare=[step]))
    assert error.fault is DeployFault.PREPARE
    assert "migrate ended with status 4" in str(error)
    assert error.log == "no column"


def test_a_prepare_step_that_does_not_end(deployer, request_for):
    step = {
        "name": "wait",
        "command": ["{python}", "-c", "import time; print('x', flush=True); time.sleep(60)"],
        "deadline": "400ms",
    }
    began = time.monotonic()
    error = refused(deployer, request_for(prepare=[step]))
    assert time.monotonic() - began < 5
    assert error.fault is DeployFault.PREPARE
    assert "wait did not finish within 0.4 s" in str(error)


def test_a_command_that_exits_at_once(deployer, request_for):
    began = time.monotonic()
    error = refused(deployer, request_for("exits"))
    assert time.monotonic() - began < 5, "the exit is noticed long before the readiness deadline"
    assert error.fault is DeployFault.EXITED
    assert "ended with status 3" in str(error)
    assert "no such table: slots" in error.log


@pytest.mark.parametrize(
    ("habit", "seen"),
    [("never_ready", "GET /up answered 503, expected 200"), ("hangs", "nothing listened on port")],
)
def test_a_system_that_never_gets_ready(deployer, request_for, habit, seen):
    error = refused(deployer, request_for(habit, ready={"path": "/up", "deadline": "600ms"}))
    assert error.fault is DeployFault.NOT_READY
    assert "not ready within 0.6 s" in str(error)
    assert seen in str(error)


def test_a_command_that_is_not_there(deployer, request_for):
    error = refused(deployer, request_for(command=["no-such-command-here"]))
    assert error.fault is DeployFault.COMMAND
    assert "no-such-command-here was found neither in" in str(error)


def test_a_command_that_may_not_be_executed(deployer, request_for):
    error = refused(deployer, request_for(command=["{folder}/system.py"]))
    assert error.fault is DeployFault.COMMAND
    assert "may not execute" in str(error)


@pytest.mark.parametrize("place", ["command", "variables", "prepare"])
def test_an_unknown_placeholder_names_the_valid_ones(deployer, request_for, place):
    wrong = {
        "command": {"command": ["{python}", "{prot}"]},
        "variables": {"variables": {"A": "{prot}"}},
        "prepare": {"prepare": [{"name": "x", "command": ["{prot}"]}]},
    }[place]
    request = request_for(**wrong)
    with pytest.raises(DeployError) as caught:
        deployer.prepare(request)
    assert caught.value.fault is DeployFault.COMMAND
    for name in ("{prot}", "{port}", "{scratch}", "{folder}", "{configuration}", "{python}", "{bin}", place):
        assert name in str(caught.value)


def test_a_fixed_port_that_is_taken(deployer, request_for):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        error = refused(deployer, request_for(port=port))
    assert error.fault is DeployFault.PORT_TAKEN
    assert f"port {port} is taken by process {os.getpid()}" in str(error)


def test_a_fixed_port_is_used(deployer, request_for):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):  # at once again: connections that are only closing are no obstacle
        deployment = deployer.deploy(request_for(port=port))
        try:
            assert deployment.address == f"http://127.0.0.1:{port}"
            facts(deployment)
        finally:
            deployment.stop()


def test_a_free_port_that_somebody_took_meanwhile_is_replaced(deployer, request_for, tmp_path):
    deployment = deployer.deploy(request_for("clumsy", str(tmp_path)))
    try:
        assert (tmp_path / "tried").exists(), "the first start failed"
        assert "in use" not in deployment.log_tail(), "the tail is of the start that succeeded"
    finally:
        deployment.stop()
    assert "Address already in use" in (tmp_path / "logs" / "system.log").read_text()


def test_a_system_that_ignores_term_is_killed(deployer, request_for):
    deployment = deployer.deploy(request_for("ignores_term", stop_within="300ms"))
    began = time.monotonic()
    deployment.stop()
    assert 0.3 <= time.monotonic() - began < 3
    assert deployment.exit_status() == -signal.SIGKILL


@pytest.mark.parametrize(
    "habit",
    [
        "workers",
        "daemon",
        pytest.param(
            "bare_daemon",
            marks=pytest.mark.skipif(
                not control_groups_can_be_made(),
                reason="a daemon without environment, parent and session is found by its control group only",
            ),
        ),
    ],
)
def test_whatever_a_system_forked_goes_with_it(deployer, request_for, habit):
    before = {p.pid for p in sleepers()}
    deployment = deployer.deploy(request_for(habit, stop_within="1s"))
    eventually(lambda: {p.pid for p in sleepers()} - before)
    deployment.stop()
    assert {p.pid for p in sleepers()} - before == set()


def test_without_a_control_group_a_daemon_is_found_by_its_token(deployer, request_for, monkeypatch):
    monkeypatch.setattr(control_group, "_parents", lambda: iter(()))
    before = {p.pid for p in sleepers()}
    deployment = deployer.deploy(request_for("daemon"))
    assert deployment.cgroup is None
    eventually(lambda: {p.pid for p in sleepers()} - before)
    deployment.stop()
    assert {p.pid for p in sleepers()} - before == set()


def test_read_only_files_in_scratch_are_removed_and_links_not_followed(deployer, request_for, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep")
    deployment = deployer.deploy(request_for("read_only", str(outside)))
    deployment.stop()
    assert (outside / "precious").read_text() == "keep"
    assert (outside.stat().st_mode & 0o777) == 0o755


def test_a_system_that_dies_later(deployer, request_for):
    deployment = deployer.deploy(request_for())
    leader = identify(deployment.leader)
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{deployment.address}/die", timeout=5)
    eventually(lambda: deployment.exit_status() is not None)
    assert deployment.exit_status() == 7
    assert not is_alive(leader)
    deployment.stop()
    assert deployment.exit_status() == 7


def test_a_scratch_folder_that_is_not_empty_is_refused_and_kept(deployer, request_for, tmp_path):
    request = request_for()
    request.scratch.mkdir()
    (request.scratch / "mine").write_text("keep")
    error = refused(deployer, request)
    assert error.fault is DeployFault.COMMAND
    assert "not empty" in str(error)
    assert (request.scratch / "mine").read_text() == "keep"
    (request.scratch / "mine").unlink()
    request.scratch.rmdir()


def test_a_state_folder_that_cannot_be_written(request_for, tmp_path):
    (tmp_path / "file").write_text("")
    deployer = ProcessDeployer(cache=tmp_path / "cache", state=tmp_path / "file")
    error = refused(deployer, request_for())
    assert error.fault is DeployFault.COMMAND
    assert "cannot be recorded" in str(error)


def test_the_deployment_says_who_it_ran_as(deployer, request_for):
    own = pwd.getpwuid(os.geteuid()).pw_name
    for run_as, expected in ((None, os.geteuid() == 0), (own, False)):
        deployment = deployer.deploy(request_for(run_as=run_as))
        deployment.stop()
        assert any("run_as is not set" in note for note in deployment.notes) is expected


def test_a_user_who_is_not_there(deployer, request_for):
    error = refused(deployer, request_for(run_as="no-such-user-here"))
    assert error.fault is DeployFault.COMMAND
    assert "no-such-user-here is not a user" in str(error)


ANYONES_PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or ""
HTTP_AS_ANYONE = [ANYONES_PYTHON, "{folder}/system.py", "{port}", "ok"]


@pytest.fixture
def open_to_all(tmp_path):
    """Let other users in to this test's folder: its parents are private to whoever runs the tests."""
    changed = []
    for place in (tmp_path, *tmp_path.parents):
        mode = place.stat().st_mode & 0o7777
        if place.owner() == pwd.getpwuid(os.geteuid()).pw_name and not mode & 0o001:
            changed.append((place, mode))
            place.chmod(mode | 0o005)
    yield
    for place, mode in changed:
        place.chmod(mode)


@pytest.mark.skipif(
    os.geteuid() != 0 or not ANYONES_PYTHON,
    reason="only root can run a system as another user, who needs a Python to reach",
)
class TestRunAs:
    def test_it_runs_as_that_user_in_a_scratch_folder_of_its_own(self, deployer, request_for, open_to_all):
        settings = {"configuration": {"file": "c.json"}, "command": [*HTTP_AS_ANYONE, "{configuration}"]}
        request = request_for(run_as="nobody", **settings)
        deployment = deployer.deploy(request)
        try:
            seen = facts(deployment)
            nobody = pwd.getpwnam("nobody")
            assert seen["uid"] == nobody.pw_uid
            assert request.scratch.stat().st_uid == nobody.pw_uid
            assert Path(seen["argv"][0]).stat().st_uid == nobody.pw_uid
            if deployment.cgroup is not None:
                assert str(deployment.leader) in (deployment.cgroup / "cgroup.procs").read_text().split()
            assert deployment.notes == ()
        finally:
            deployment.stop()

    def test_a_folder_that_the_user_cannot_reach_is_named(self, deployer, request_for, folder, open_to_all):
        folder.chmod(0o700)
        error = refused(deployer, request_for(run_as="nobody", command=HTTP_AS_ANYONE))
        assert error.fault is DeployFault.COMMAND
        assert f"nobody cannot reach the system's folder at {folder}" in str(error)
        assert f"{folder} is closed" in str(error)

    def test_an_interpreter_that_the_user_cannot_reach_is_named(
        self, deployer, request_for, open_to_all, tmp_path
    ):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        (closed / "python").symlink_to(ANYONES_PYTHON)
        error = refused(
            deployer, request_for(run_as="nobody", command=[str(closed / "python"), "{folder}/system.py"])
        )
        assert error.fault is DeployFault.COMMAND
        assert "nobody may not execute" in str(error)
