"""Sample records of realistic size, and what a child process does with them (`python ledger_child.py TASK
…`).

commit URL TRIAL FIRST    commits rounds FIRST, FIRST + 1, … until it is killed; says each one's number
die URL TRIAL             for every statement of a commit: a process that dies just before it
rounds URL TRIAL NUMBER…  once told to, commits these rounds and ends
make URL TRIAL PILOT      once told to, opens the ledger and begins a trial
hold FILE                 holds the file's lock until its input ends
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from harness.judge.histogram import Histogram
from harness.store.ledger import Ledger
from harness.store.records import (
    ArmRecord,
    AuditCheck,
    Check,
    Failure,
    FindingRecord,
    RoundRecord,
    RunRecord,
    RunState,
    TrialRecord,
    TrialState,
    Value,
)

PILOT = "northmoor/registrar-appointments"
START = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
METRICS = (
    "journey_time_p50",
    "journey_time_p95",
    "journey_time_p99",
    "citizen_time_p95",
    "completion_rate",
    "abandonment_rate",
    "correctness",
    "cpu_per_journey",
    "memory_mean",
    "memory_peak",
    "disk_written_per_journey",
    "network_per_journey",
    "time_to_deploy",
)
STEPS = ("open", "choose a slot", "enter details", "pay", "confirm")


def trial(
    uid: str = "trial-1", pilot: str = "northmoor/registrar-appointments", **changes: object
) -> TrialRecord:
    fields: dict[str, object] = {
        "uid": uid,
        "pilot": pilot,
        "body": "northmoor",
        "registered": True,
        "protocol_hash": "sha256:" + "ab" * 32,
        "document": {
            "pilot": {"pilot": pilot, "question": "Is it as good, für weniger?"},
            "demand": {"rate": 8.0},
        },
        "seed": 2**62 + 1,
        "arms": (
            ArmRecord("before", "registrar-forms", "Registrar's forms", "forms/v1", "sha256:01", {}),
            ArmRecord(
                "after", "booking@1.0.0", "Booking", "booking/v1", "sha256:02", {"slots": {"minutes": 30}}
            ),
        ),
        "machine": {"cpu": "a processor", "cores": 2, "memory": 8e9},
        "state": TrialState.OPEN,
        "started_at": START,
        "deviations": ("warm-up of 2 s",),
    }
    return TrialRecord(**{**fields, **changes})  # type: ignore[arg-type]


def histogram(chance: random.Random) -> bytes:
    """What a window of 20 s at 8 journeys a second leaves."""
    return Histogram.of(chance.lognormvariate(-2.0, 0.7) for _ in range(160)).to_bytes()


def run(arm: str, place: int, seed: int) -> RunRecord:
    chance = random.Random(seed)
    steps = [f"step/{step}/{kind}" for step in STEPS for kind in ("response", "service")]
    return RunRecord(
        arm=arm,
        place=place,
        state=RunState.MEASURED,
        started_at=START + timedelta(minutes=seed),
        values={name: Value(chance.lognormvariate(0, 1), name.endswith("p99")) for name in METRICS},
        counts={"scheduled": 160, "sent": 160, "shed": 0, "completed": 158, "failed": 2},
        started_mix={"book": 120, "cancel": 40},
        histograms={name: histogram(chance) for name in ("journey", "citizen", "lateness", "think", *steps)},
        failures=(Failure("pay", "status 500", 2, "Internal \0 Server \ud800 Error"),),
        audit=(AuditCheck("no slot booked twice", 158, 0),),
        checks=(Check("lateness", True, "1.2 ms", "25 ms"),),
        timeline=tuple(
            {
                "second": s,
                "sent": 8,
                "completed": 8,
                "failed": 0,
                "p50": chance.random(),
                "p95": chance.random(),
            }
            for s in range(20)
        ),
        resources={"cpu_seconds": chance.random(), "memory_mean": 1.25e8, "network_sent": None},
        health={"cpu_share": 0.21, "lateness_p99": 0.0012, "other_share": 0.03},
        schedule_hash="sha256:" + "cd" * 32,
        log_folder=f"logs/{seed}/{arm}",
    )


def round_(number: int, attempt: int = 1, valid: bool = True, **changes: object) -> RoundRecord:
    arms = ("before", "after") if number % 2 else ("after", "before")
    fields: dict[str, object] = {
        "number": number,
        "attempt": attempt,
        "valid": valid,
        "order": arms,
        "started_at": START + timedelta(minutes=number),
        "finished_at": START + timedelta(minutes=number + 1),
        "runs": tuple(run(arm, place, number * 1000 + place) for place, arm in enumerate(arms, start=1)),
        "reason": None if valid else "generator late: p99 31 ms",
    }
    return RoundRecord(**{**fields, **changes})  # type: ignore[arg-type]


def finding(uid: str, trial_uid: str | None = None, **changes: object) -> FindingRecord:
    fields: dict[str, object] = {
        "uid": uid,
        "pilot": PILOT,
        "trial": trial_uid,
        "text": "Slots at 12:00 are offered twice",
        "source": "audit",
        "blocking": True,
        "opened_at": START,
    }
    return FindingRecord(**{**fields, **changes})  # type: ignore[arg-type]


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _commit(url: str, uid: str, first: int) -> None:
    with Ledger.open(url) as ledger:
        number = first
        while True:
            ledger.commit_round(uid, round_(number))
            _say(number)
            number += 1


def _die(url: str, uid: str) -> None:
    """Fork a process for each statement until one gets through the whole commit; say how many there were."""
    for deaths in itertools.count():
        child = os.fork()
        if child == 0:
            _die_before(deaths + 1, url, uid)
        status = os.waitpid(child, 0)[1]
        with Ledger.open(url) as ledger:
            kept = len(ledger.load(uid).rounds)
        _say(f"death {deaths + 1}: {kept} rounds" if status else f"{deaths} deaths, then {kept} round")
        if status == 0:
            return


def _die_before(statement: int, url: str, uid: str) -> NoReturn:
    """Commit a round, but be killed before the n-th statement that goes to the database."""
    from sqlalchemy import Engine, event

    left = itertools.count(statement - 1, -1)

    def step(*_: object) -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with Ledger.open(url) as ledger:
        event.listen(Engine, "before_cursor_execute", step)
        event.listen(Engine, "commit", step)  # just before COMMIT itself
        ledger.commit_round(uid, round_(1))
    os._exit(0)


def _rounds(url: str, uid: str, numbers: list[int]) -> None:
    _say("ready")
    sys.stdin.readline()
    with Ledger.open(url, timeout=30) as ledger:
        for number in numbers:
            ledger.commit_round(uid, round_(number))
            ledger.journal(uid, "round_committed", {"number": number})


def _make(url: str, uid: str, pilot: str) -> None:
    _say("ready")
    sys.stdin.readline()
    with Ledger.open(url, timeout=30) as ledger:
        ledger.begin(trial(uid, pilot))


def _hold(file: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    _say("held")
    sys.stdin.read()
    connection.close()


def main(task: str, *words: str) -> None:
    if task == "commit":
        _commit(words[0], words[1], int(words[2]))
    elif task == "die":
        _die(words[0], words[1])
    elif task == "rounds":
        _rounds(words[0], words[1], [int(word) for word in words[2:]])
    elif task == "make":
        _make(*words)
    elif task == "hold":
        _hold(words[0])
    else:
        raise SystemExit(f"unknown task {task}")


if __name__ == "__main__":
    main(*sys.argv[1:])
