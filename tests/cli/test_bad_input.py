"""Each bad input ends in one clear message with place, cause and next step, the contract's exit code,
no traceback, no process left.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

QUICK = ("run", "desk", "--rounds", "2", "--warm-up", "100ms", "--measure", "1s", "--allow-busy")


def clean(tiny, done: subprocess.CompletedProcess[str]) -> None:
    """What holds after every command, however it ended."""
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    left = [
        p
        for p in psutil.process_iter(["cmdline"])
        if any(str(tiny.root) in w for w in p.info["cmdline"] or [])
    ]
    assert left == []
    assert list((tiny.root / ".harness" / "processes").glob("*")) == []


WRITTEN = [
    ("pilot", "question:", "qestion:", r"desk\.yaml:2:1: .*qestion.*question"),
    ("pilot", "rounds: 6", "rounds: many", r"desk\.yaml:10:\d+: .*many"),
    ("pilot", "rounds: 6", "rounds: 6\n  rounds: 7", r"desk\.yaml:11:3: .*rounds"),
    ("pilot", "margin: 10%", "margin: .nan", r"desk\.yaml:14:\d+: "),
    ("pilot", "rate: 40/s", "rate: -40/s", r"desk\.yaml:8:\d+: .*rate"),
    ("pilot", "before: desk", "before: desc", r"desk\.yaml:5:\d+: .*desc.*\bdesk\b"),
    ("pilot", "- system: desk-twin", "- block: desk@9.9.9", r"desk\.yaml:7:\d+: .*desk@9\.9\.9"),
    ("pilot", "rounds: 6", "rounds: 5", r"desk\.yaml:10:\d+: .*at least 6 rounds"),
    ("pilot", "metric: completion_rate", "metric: completion", r"desk\.yaml:16:\d+: .*completion_rate"),
    ("pilot", "margin: 10%", "margin: 10pp", r"desk\.yaml:14:\d+: .*per cent"),
    (
        "pilot",
        "completion_rate, margin: 2pp",
        "completion_rate, margin: 0.5pp",
        r"desk\.yaml:16:\d+: .*journeys",
    ),
    ("body", "peak_hour: 720", "peak_hour: .inf", r"body\.yaml:9:\d+: "),
    ("body", "title: Town Council", "title: !!python/object/apply:os.system [id]", r"body\.yaml:2:"),
    ("body", "body: town", "body: &a [*a, *a]", r"body\.yaml:1:"),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), WRITTEN)
def test_what_is_written_wrongly_is_refused_with_its_place(
    tiny, file: str, old: str, new: str, expected: str
) -> None:
    path: Path = getattr(tiny, file)
    tiny.change(path, old, new)
    checked = tiny.harness("check")
    assert checked.returncode == 2
    assert re.search(expected, checked.stderr), checked.stderr
    done = tiny.harness("run", "desk")
    assert done.returncode == 2
    assert re.search(expected, done.stderr), done.stderr
    assert not (tiny.root / ".harness" / "runs").exists()
    clean(tiny, done)


def test_check_tells_every_fault_of_every_file_at_once(tiny) -> None:
    tiny.change(tiny.pilot, "metric: completion_rate", "metric: completion")
    tiny.change(tiny.body, "peak_hour: 720", "peak_our: 720")
    tiny.change(tiny.root / "scenarios/desk/scenario.yaml", "patience: 2s", "patience: 2")
    faults = json.loads(tiny.harness("check", "--json").stdout)["faults"]
    assert {Path(f["path"]).name for f in faults} >= {"body.yaml", "scenario.yaml"}
    assert all(f["line"] > 0 and f["column"] > 0 and f["found"] and f["expected"] for f in faults)


def test_a_requirement_that_cannot_be_installed(tiny) -> None:
    folder = tiny.root / "pioneers/systems/desk"
    (folder / "requirements.txt").write_text(f"no-such-distribution-here==1.0 --hash=sha256:{'0' * 64}\n")
    tiny.change(
        tiny.body,
        "      process:\n",
        "      process:\n        environment: {requirements: requirements.txt}\n",
    )
    done = tiny.harness(*QUICK)
    assert done.returncode == 2
    assert "no-such-distribution-here" in done.stderr
    clean(tiny, done)
    assert json.loads(tiny.harness("list", "trials", "--json").stdout) == []


def test_a_system_that_exits_at_once_is_no_data_and_says_why(tiny) -> None:
    tiny.change(tiny.body, "configuration: {work: 52}", "configuration: {work: 52, exit: true}")
    tiny.change(tiny.pilot, "system: desk-twin", "system: desk-slower")
    done = tiny.harness(*QUICK)
    assert done.returncode == 4, done.stderr
    assert "desk is closed" in done.stderr + done.stdout
    assert "ready in no" in done.stdout
    clean(tiny, done)


@pytest.mark.slow
def test_a_system_that_never_gets_ready_is_no_data(tiny) -> None:
    tiny.change(tiny.body, "configuration: {work: 52}", "configuration: {work: 52, deaf: true}")
    tiny.change(tiny.body, "deadline: 3s", "deadline: 1s")
    tiny.change(tiny.pilot, "system: desk-twin", "system: desk-slower")
    done = tiny.harness(*QUICK)
    assert done.returncode == 4, done.stderr
    assert "503" in done.stderr + done.stdout
    clean(tiny, done)


def test_a_port_that_is_taken(tiny) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        tiny.change(tiny.body, "      process:\n", f"      process:\n        port: {port}\n")
        done = tiny.harness(*QUICK)
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "port" in done.stderr
    clean(tiny, done)


def test_a_scenario_that_raises_names_its_line(tiny) -> None:
    tiny.change(tiny.journeys, "        self.note(name=name)", "        self.note(name=1 / 0)")
    done = tiny.harness(*QUICK)
    assert done.returncode == 2
    line = 1 + tiny.journeys.read_text().splitlines().index("        self.note(name=1 / 0)")
    assert f"journeys.py:{line}" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    clean(tiny, done)


@pytest.mark.slow
def test_a_journey_that_never_ends_is_bounded_and_counted(tiny) -> None:
    tiny.change(tiny.body, "configuration: {work: 52}", "configuration: {work: 52, hang: true}")
    tiny.change(tiny.pilot, "system: desk-twin", "system: desk-slower")
    tiny.change(tiny.root / "scenarios/desk/scenario.yaml", "patience: 2s", "patience: 500ms")
    done = tiny.harness(*QUICK, "--json")
    assert done.returncode == 3, done.stderr
    (row,) = json.loads(done.stdout)
    completion = next(
        g for g in row["judgement"]["arms"][0]["guardrails"] if g["metric"] == "completion_rate"
    )
    assert completion["after"] == 0.0
    assert completion["guardrail"] == "broken"
    clean(tiny, done)


@pytest.mark.slow
def test_a_system_that_dies_in_the_run_fails_its_journeys(tiny) -> None:
    tiny.change(tiny.body, "configuration: {work: 52}", "configuration: {work: 52, die_after: 10}")
    tiny.change(tiny.pilot, "system: desk-twin", "system: desk-slower")
    done = tiny.harness(*QUICK, "--json")
    assert done.returncode == 3, done.stderr
    (row,) = json.loads(done.stdout)
    completion = next(
        g for g in row["judgement"]["arms"][0]["guardrails"] if g["metric"] == "completion_rate"
    )
    assert completion["after"] < 0.7
    assert completion["guardrail"] == "broken"
    clean(tiny, done)


@pytest.mark.slow
def test_a_broken_invariant_stops_the_candidate(tiny) -> None:
    tiny.change(tiny.body, "configuration: {work: 52}", "configuration: {work: 52, lose: true}")
    tiny.change(tiny.pilot, "system: desk-twin", "system: desk-slower")
    done = tiny.harness(*QUICK, "--json")
    assert done.returncode == 3, done.stderr
    (row,) = json.loads(done.stdout)
    recommendation = row["judgement"]["arms"][0]["recommendation"]
    assert recommendation["recommended"] == "stop"
    assert "every visitor is kept once" in json.dumps(recommendation)
    clean(tiny, done)


@pytest.mark.slow
def test_two_runs_of_one_pilot_at_once(tiny) -> None:
    with subprocess.Popen(
        tiny.command(*QUICK), cwd=tiny.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stderr is not None
        assert "exploratory trial" in first.stderr.readline()
        second = tiny.harness(*QUICK)
        assert second.returncode == 2
        assert "already being run" in second.stderr
        out, _ = first.communicate(timeout=100)
    assert first.returncode in (0, 3, 4)
    assert "report: " in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run",), "name pilots"),
        (("run", "dsk"), "desk"),
        (("run", "desk", "--measure", "5"), "with its unit"),
        (("run", "desk", "--rounds", "0"), "--rounds"),
        (("runn", "desk"), "run"),
        (("list", "pilot"), "pilots"),
        (("register", "dsk"), "desk"),
        (("run", "desk", "--resume"), "no interrupted trial"),
    ],
)
def test_bad_usage(tiny, words: tuple[str, ...], expected: str) -> None:
    done = tiny.harness(*words)
    assert done.returncode == 2
    assert expected in done.stderr
    clean(tiny, done)


def test_outside_a_workspace(tiny, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        tiny.command("list", "pilots"), cwd=elsewhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "harness init" in done.stderr


@pytest.mark.parametrize(
    ("hook", "anchor"), [("seed", "    @journey\n"), ("audit", "        kept = Counter")]
)
@pytest.mark.slow
def test_a_scenario_whose_seed_or_audit_raises_is_not_the_systems_failure(
    tiny, hook: str, anchor: str
) -> None:
    raising = {
        "seed": "    @classmethod\n    def seed(cls, system: SystemUnderTest) -> None:\n        {}['missing']\n\n    @journey\n",
        "audit": "        {}['missing']\n        kept = Counter",
    }
    tiny.change(tiny.journeys, anchor, raising[hook])
    done = tiny.harness(*QUICK)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"in {hook}: KeyError" in done.stderr
    assert "journeys.py:" in done.stderr
    clean(tiny, done)
