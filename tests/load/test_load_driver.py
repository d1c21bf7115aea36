"""The harness's side: whatever becomes of the child is told in one error, and nothing is left behind."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.load import driver
from harness.load.driver import Generator, GeneratorError, Progress
from harness.load.plan import Plan

MakePlan = Callable[..., Plan]
JOURNEYS = Path(__file__).parent / "visits" / "journeys.py"


def refused(
    tmp_path: Path, plan: Plan, on_progress: Callable[[Progress], None] | None = None
) -> GeneratorError:
    with Generator(tmp_path / "run") as generator:
        generator.start()
        pid = generator.pid
        with pytest.raises(GeneratorError) as caught:
            generator.run(plan, on_progress)
    assert not psutil.pid_exists(pid)
    return caught.value


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(JOURNEYS.read_text().splitlines(), 1) if text in line)


def gone(pid: int, within: float = 5.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        psutil.wait_procs([psutil.Process(pid)], timeout=0.05)
    return False


def test_the_harness_own_process_imports_neither_locust_nor_gevent() -> None:
    script = (
        "import sys, harness.load, harness.load.driver, harness.load.plan, harness.load.result\n"
        "import harness.load.schedule, harness.load.recorder, harness.load.progress, harness.load.outcome\n"
        "heavy = {'locust', 'gevent', 'geventhttpclient', 'scipy', 'numpy'}\n"
        "print([name for name in sys.modules if name.split('.')[0] in heavy])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_authors_find_everything_in_one_place() -> None:
    script = (
        "import harness.load as load\n"
        "assert all(getattr(load, name) is not None for name in load.__all__), load.__all__\n"
        "assert set(load.__all__) <= set(dir(load))\n"
        "try:\n    load.Nothing\nexcept AttributeError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "no attribute 'Nothing'" in done.stdout


def test_a_bug_in_a_journey_is_told_with_its_line(tmp_path: Path, plan: MakePlan) -> None:
    error = refused(tmp_path, plan(journeys={"raises": 1.0}))
    assert error.kind == "scenario"
    assert (
        str(error)
        == f"{JOURNEYS}:{line_of('the bug that the tests look for')}: in journey raises: KeyError: 'slot'"
    )
    assert "Traceback" not in str(error)
    assert "KeyError" in error.log_tail


def test_a_journey_that_leaves_the_process_is_a_bug(tmp_path: Path, plan: MakePlan) -> None:
    error = refused(tmp_path, plan(journeys={"leaves": 1.0}))
    assert error.kind == "scenario"
    assert "SystemExit: 3" in str(error)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def broken(:\n", ":1: while it was imported: SyntaxError"),
        ("x = 1\n1 / 0\n", ":2: while it was imported: ZeroDivisionError: division by zero"),
        ("import nothing_of_this_name\n", ":1: while it was imported: ModuleNotFoundError"),
        ("raise SystemExit('bye')\n", ":1: while it was imported: SystemExit: bye"),
        ("x = 1\n", "no Citizen for the interface 'visit/v1'; found none"),
    ],
)
def test_a_scenario_that_cannot_be_imported_is_told_with_its_line(
    tmp_path: Path, plan: MakePlan, text: str, told: str
) -> None:
    file = tmp_path / "journeys.py"
    file.write_text(text)
    error = refused(tmp_path, plan(journeys_file=str(file)))
    assert error.kind == "scenario"
    assert told in str(error)
    assert str(file) in str(error)


def test_an_interface_or_journey_that_is_not_there_is_named(tmp_path: Path, plan: MakePlan) -> None:
    error = refused(tmp_path, plan(interface="visit/v2"))
    assert error.kind == "scenario"
    assert "Visitor (visit/v1), Stranger (other/v1)" in str(error)
    error = refused(tmp_path, plan(journeys={"look": 1.0, "lok": 1.0}))
    assert "no journey lok; found " in str(error)


def test_a_system_that_answers_the_seed_wrongly_is_told(tmp_path: Path, plan: MakePlan) -> None:
    error = refused(tmp_path, plan(parameters={"seed_path": "/error"}))
    assert error.kind == "seed"
    assert "status 500" in str(error) and "out of order" in str(error)
    error = refused(tmp_path, plan(parameters={"seed_bug": True}))
    assert error.kind == "scenario"
    assert f"{JOURNEYS}:{line_of('nothing to seed with')}: in seed: KeyError" in str(error)


def test_a_seed_that_takes_too_long_is_bounded(tmp_path: Path, plan: MakePlan) -> None:
    error = refused(tmp_path, plan(parameters={"seed_path": "/silent"}, seed_deadline=0.5))
    assert error.kind == "seed"
    assert "longer than 0.5 s" in str(error)


def test_a_system_that_is_not_there_at_the_seed_is_gone(tmp_path: Path, plan: MakePlan, counter: Any) -> None:
    asked = plan(parameters={"seed_path": "/ok"})
    counter.die()
    error = refused(tmp_path, asked)
    assert error.kind == "system_gone"
    assert "connection refused" in str(error)


def test_an_audit_that_fails_keeps_everything_measured(tmp_path: Path, plan: MakePlan) -> None:
    error = refused(tmp_path, plan(parameters={"audit": "/error"}))
    assert error.kind == "audit"
    assert "status 500" in str(error)
    assert error.result is not None and error.result.completed == error.result.sent > 0
    assert error.result.incorrect is None
    error = refused(tmp_path, plan(parameters={"audit": "bug"}))
    assert error.kind == "scenario"
    assert f":{line_of('an audit with a bug')}: in audit: ValueError: an audit with a bug" in str(error)


def test_a_killed_child_is_told(tmp_path: Path, plan: MakePlan) -> None:
    with Generator(tmp_path / "run") as generator:
        generator.start()

        def kill(progress: Progress) -> None:
            if progress.phase == "measure":
                os.kill(generator.pid, signal.SIGKILL)

        with pytest.raises(GeneratorError) as caught:
            generator.run(plan(), kill)
    assert caught.value.kind == "died"
    assert "SIGKILL" in str(caught.value)


def test_a_child_that_dies_before_it_begins_is_told(tmp_path: Path, plan: MakePlan) -> None:
    with Generator(tmp_path / "run") as generator:
        generator.start()
        os.kill(generator.pid, signal.SIGTERM)
        with pytest.raises(GeneratorError) as caught:
            generator.run(plan())
    assert caught.value.kind == "died"


def test_a_journey_that_computes_without_end_is_ended_and_its_line_told(
    tmp_path: Path, plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_SILENCE", 2.0)
    error = refused(tmp_path, plan(journeys={"spin": 1.0}))
    assert error.kind == "timeout"
    first = line_of('with self.step("spin")')
    assert any(f"{JOURNEYS}:{first + n}, in spin" in str(error) for n in (1, 2)), str(error)


def test_a_run_beyond_its_bound_is_ended(
    tmp_path: Path, plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_bound", lambda plan: 0.8)
    error = refused(tmp_path, plan(measure=5.0))
    assert error.kind == "timeout"
    assert "outlasted" in str(error)


def test_stopping_twice_and_without_a_start_is_harmless(tmp_path: Path) -> None:
    generator = Generator(tmp_path / "run")
    generator.stop()
    with pytest.raises(RuntimeError, match="not started"):
        _ = generator.pid
    generator.start()
    pid = generator.pid
    generator.start()
    assert generator.pid == pid
    generator.stop()
    generator.stop()
    assert not psutil.pid_exists(pid)


def test_an_error_of_the_listener_ends_the_child(tmp_path: Path, plan: MakePlan) -> None:
    def interrupted(progress: Progress) -> None:
        raise KeyboardInterrupt

    with Generator(tmp_path / "run") as generator:
        generator.start()
        pid = generator.pid
        with pytest.raises(KeyboardInterrupt):
            generator.run(plan(), interrupted)
        assert not psutil.pid_exists(pid)


PARENT = """
    import json, sys
    from pathlib import Path
    from harness.load.driver import Generator
    from harness.load.plan import Plan
    with Generator(Path(sys.argv[1])) as generator:
        generator.start()
        def on_progress(progress):
            if progress.phase == "measure":
                print(generator.pid, flush=True)
        try:
            generator.run(Plan.from_json(json.loads(sys.argv[2])), on_progress)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            sys.exit(130)
"""


def parent_of_a_run(tmp_path: Path, plan: Plan) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path / "run"), json.dumps(plan.to_json())],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("frozen", [False, True])
def test_a_killed_parent_leaves_no_child(tmp_path: Path, plan: MakePlan, frozen: bool) -> None:
    """Even one whose event loop never comes round again."""
    asked = plan(
        measure=30.0, journeys={"spin": 1.0} if frozen else {"look": 1.0}, warm_up=0.5, rate=1.0, seed=1
    )
    with parent_of_a_run(tmp_path, asked) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline()) if not frozen else child_of(parent.pid)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert gone(child)


def child_of(pid: int) -> int:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        children = psutil.Process(pid).children()
        if children and children[0].cpu_times().user > 2:  # it spins
            return children[0].pid
        psutil.wait_procs([psutil.Process(pid)], timeout=0.05)
    raise AssertionError("no busy child")


def test_ctrl_c_reaches_the_parent_only_and_leaves_nothing(tmp_path: Path, plan: MakePlan) -> None:
    with parent_of_a_run(tmp_path, plan(measure=30.0)) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.killpg(parent.pid, signal.SIGINT)
        output, _ = parent.communicate(timeout=10)
        assert "interrupted" in output
        assert parent.returncode == 130
        assert gone(child)
    assert "KeyboardInterrupt" not in (tmp_path / "run" / "generator.log").read_text()


def test_the_childs_environment_is_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = driver._environment(
        {
            "PATH": "/bin", "LANG": "C.UTF-8", "LC_ALL": "C", "PYTHONPATH": "/x", "HARNESS_DATABASE": "s",
            "HTTPS_PROXY": "p", "AWS_SECRET_ACCESS_KEY": "k", "PYTHONHASHSEED": "7", "LOCUST_HOST": "h",
        }
    )  # fmt: skip
    assert {"PATH", "LANG", "LC_ALL", "PYTHONPATH"} <= set(kept)
    assert kept["PYTHONHASHSEED"] == "0"
    assert kept["PYTHONPATH"].split(os.pathsep)[-1] == "/x"
    assert not {"HARNESS_DATABASE", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY", "LOCUST_HOST"} & set(kept)


def test_the_plan_and_the_result_stay_in_the_folder(tmp_path: Path, plan: MakePlan, run: Any) -> None:
    asked = plan()
    result = run(asked)
    kept = Plan.from_json(json.loads((tmp_path / "run" / "plan.json").read_text()))
    assert dataclasses.asdict(kept) == dataclasses.asdict(asked)
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert written["sent"] == result.sent
