"""The main job as a person runs it: a real short trial of a small workspace, through the command line."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import psutil
import pytest

QUICK = ("--rounds", "2", "--warm-up", "200ms", "--measure", "1s", "--allow-busy")


def processes_of(root: Path) -> list[psutil.Process]:
    """Processes that have anything to do with this workspace."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(root) in word for word in process.info["cmdline"] or []):
            found.append(process)
    return found


def last_trial(tiny, state: str) -> dict[str, object]:
    listed = json.loads(tiny.harness("list", "trials", "--json").stdout)
    assert listed[-1]["state"] == state or listed[0]["state"] == state, listed
    return next(t for t in listed if t["state"] == state)


def test_a_real_short_trial_from_files_to_report(tiny) -> None:
    done = tiny.harness("run", "desk", *QUICK)
    assert done.returncode in (0, 3, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert "exploratory" in done.stderr
    for word in ("Completion rate", "Correctness", "recommendation:"):
        assert word in done.stdout
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("report: ")
    page = tiny.root / last.removeprefix("report: ")
    text = page.read_text(encoding="utf-8")
    assert "Is the same desk again any different?" in text
    assert processes_of(tiny.root) == []
    assert list((tiny.root / ".harness" / "processes").glob("*")) == []
    assert list((tiny.root / ".harness").glob("runs/*/*/scratch")) == []
    assert (tiny.root / ".harness" / "ledger.db").stat().st_size < 5_000_000


@pytest.mark.slow
def test_json_tells_the_judgement_and_nothing_else(tiny) -> None:
    done = tiny.harness("run", "desk", *QUICK, "--json")
    (row,) = json.loads(done.stdout)
    assert row["exit_code"] == done.returncode
    arm = row["judgement"]["arms"][0]
    assert arm["system"] == "desk-twin"
    assert {g["metric"] for g in arm["guardrails"]} == {"completion_rate", "correctness"}
    assert len(arm["primary"]["pairs"]) == 2
    assert Path(row["report"]).is_file()


def test_a_dry_run_deploys_nothing_and_says_what_would_be(tiny) -> None:
    done = tiny.harness("run", "desk", "--dry-run")
    assert done.returncode == 0, done.stderr
    for words in (
        "desk-twin",
        "6 rounds",
        "40 journeys/s",
        "about 480 journeys an arm",
        "no protocol was registered",
    ):
        assert words in done.stdout
    assert not (tiny.root / ".harness" / "runs").exists()
    (row,) = json.loads(tiny.harness("run", "desk", "--dry-run", "--json").stdout)
    assert row["journeys_an_arm"] == 480


def test_register_freezes_and_an_altered_protocol_is_exploratory(tiny) -> None:
    first = json.loads(tiny.harness("register", "desk", "--json").stdout)
    again = json.loads(tiny.harness("register", "desk", "--json").stdout)
    assert first["new"]
    assert not again["new"]
    assert first["protocol_hash"] == again["protocol_hash"]
    (row,) = json.loads(tiny.harness("run", "desk", "--dry-run", "--json").stdout)
    assert row["kind"] == "registered"
    tiny.change(tiny.pilot, "margin: 10%", "margin: 20%")
    (row,) = json.loads(tiny.harness("run", "desk", "--dry-run", "--json").stdout)
    assert row["kind"] == "exploratory"
    assert "altered since it was registered" in row["because"]


def interrupted_after(tiny, line: str, how: signal.Signals) -> subprocess.CompletedProcess[str]:
    """Start a run and end it with a signal as soon as a line of its progress begins so."""
    words = ("run", "desk", "--rounds", "3", "--warm-up", "200ms", "--measure", "1s", "--allow-busy")
    with subprocess.Popen(
        tiny.command(*words), cwd=tiny.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        seen = ""
        for text in process.stderr:
            seen += text
            if text.startswith(line):
                os.kill(process.pid, how)
                break
        rest, error = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, rest, seen + error)


@pytest.mark.parametrize(
    ("how", "code"),
    [pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_an_interrupted_trial_is_resumed_with_no_round_lost_or_counted_twice(tiny, how, code) -> None:
    stopped = interrupted_after(tiny, "round 2/3", how)
    assert stopped.returncode == code, stopped.stderr
    if how is signal.SIGINT:
        assert processes_of(tiny.root) == []
        assert "--resume" in stopped.stderr
    assert last_trial(tiny, "open")
    refused = tiny.harness(
        "run", "desk", "--rounds", "3", "--warm-up", "200ms", "--measure", "1s", "--allow-busy"
    )
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    assert "--abandon" in refused.stderr
    done = tiny.harness(
        "run",
        "desk",
        "--rounds",
        "3",
        "--warm-up",
        "200ms",
        "--measure",
        "1s",
        "--allow-busy",
        "--resume",
        "--json",
    )
    (row,) = json.loads(done.stdout)
    assert "resumed after 1 round" in done.stderr
    pairs = row["judgement"]["arms"][0]["primary"]["pairs"]
    assert len(pairs) == 3
    assert len({tuple(pair) for pair in pairs}) == 3
    assert processes_of(tiny.root) == []
    assert list((tiny.root / ".harness" / "processes").glob("*")) == []


@pytest.mark.slow
def test_files_changed_since_the_trial_began_are_not_resumed(tiny) -> None:
    interrupted_after(tiny, "round 1/3", signal.SIGINT)
    tiny.change(tiny.body, "work: 40", "work: 41")
    words = ("run", "desk", "--rounds", "3", "--warm-up", "200ms", "--measure", "1s", "--allow-busy")
    refused = tiny.harness(*words, "--resume")
    assert refused.returncode == 2
    assert "changed since" in refused.stderr
    listed = json.loads(tiny.harness("list", "trials", "--json").stdout)
    assert [t["state"] for t in listed] == ["open"]


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_thirty_per_cent_more_real_work_is_worse_and_the_same_system_is_not(tiny) -> None:
    """Three arms at once: the desk, the same desk again, and one that does 30% more key derivation a visit."""
    tiny.change(tiny.pilot, "  - system: desk-twin\n", "  - system: desk-twin\n  - system: desk-slower\n")
    tiny.change(tiny.pilot, "rounds: 6", "rounds: 12")
    # Work enough for the network's share to be small, and few enough visitors not to queue for it.
    tiny.change(tiny.pilot, "rate: 40/s", "rate: 12/s")
    tiny.change(tiny.pilot, "measure: 2s", "measure: 3s")
    tiny.change(tiny.body, "work: 40", "work: 100")
    tiny.change(tiny.body, "work: 52", "work: 130")
    done = tiny.harness("run", "desk", "--json", timeout=480)
    (row,) = json.loads(done.stdout)
    twin, slower = row["judgement"]["arms"]
    assert slower["system"] == "desk-slower"
    assert slower["primary"]["verdict"] == "worse", slower["primary"]
    assert 1.1 < slower["primary"]["effect"] < 1.5
    assert twin["primary"]["verdict"] not in ("worse", "better", "invalid", "no_data")
    assert done.returncode == 3


@pytest.mark.slow
def test_busy_rounds_are_not_let_into_an_interrupted_trial_that_began_without(tiny) -> None:
    with subprocess.Popen(
        tiny.command("run", "desk", "--rounds", "3", "--measure", "1s"),
        cwd=tiny.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for text in process.stderr:
            if text.startswith("town/desk: exploratory trial"):
                os.kill(process.pid, signal.SIGINT)
                break
        process.communicate(timeout=60)
    words = ("run", "desk", "--rounds", "3", "--measure", "1s", "--resume")
    loosened = tiny.harness(*words, "--allow-busy")
    assert loosened.returncode == 2
    assert "--allow-busy" in loosened.stderr
    other_seed = tiny.harness(*words, "--seed", "7")
    assert other_seed.returncode == 2
    assert "changed since" in other_seed.stderr


@pytest.mark.slow
def test_abandon_leaves_a_trial_that_is_running_alone(tiny) -> None:
    with subprocess.Popen(
        tiny.command("run", "desk", *QUICK),
        cwd=tiny.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stderr is not None
        assert "exploratory trial" in first.stderr.readline()
        second = tiny.harness("run", "desk", *QUICK, "--abandon")
        assert second.returncode == 2
        assert "already being run" in second.stderr
        first.communicate(timeout=100)
    assert first.returncode in (0, 3, 4)
    listed = json.loads(tiny.harness("list", "trials", "--json").stdout)
    assert [t["state"] for t in listed] == ["finished"]


@pytest.mark.slow
def test_a_trial_killed_before_it_was_judged_is_judged_on_resume(tiny) -> None:
    assert tiny.harness("run", "desk", *QUICK).returncode in (0, 3, 4)
    with sqlite3.connect(tiny.root / ".harness" / "ledger.db") as ledger:
        (judged,) = ledger.execute("select count(*) from judgements").fetchone()
        assert judged == 1
        ledger.execute("delete from judgements")
    ledger.close()
    done = tiny.harness("run", "desk", *QUICK, "--resume", "--json")
    assert done.returncode in (0, 3, 4), done.stderr
    (row,) = json.loads(done.stdout)
    assert len(row["judgement"]["arms"][0]["primary"]["pairs"]) == 2


@pytest.mark.slow
def test_one_hopeless_candidate_does_not_end_the_others_trial(tiny) -> None:
    tiny.change(tiny.body, "configuration: {work: 52}", "configuration: {work: 52, exit: true}")
    tiny.change(tiny.pilot, "  - system: desk-twin\n", "  - system: desk-twin\n  - system: desk-slower\n")
    done = tiny.harness(
        "run", "desk", "--rounds", "3", "--warm-up", "200ms", "--measure", "1s", "--allow-busy", "--json"
    )
    (row,) = json.loads(done.stdout)
    twin, hopeless = row["judgement"]["arms"]
    assert len(twin["primary"]["pairs"]) == 3
    assert hopeless["primary"]["verdict"] == "no_data"
    assert done.returncode in (3, 4)
