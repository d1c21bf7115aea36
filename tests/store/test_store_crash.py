"""Whole or not at all, also when the process is killed in the middle or when two write at once."""

from __future__ import annotations

import random
import select
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.store.ledger import Ledger, StoreError
from harness.store.records import TrialState

Child = Callable[..., "subprocess.Popen[str]"]


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_kill_before_any_statement_of_a_commit_leaves_nothing_of_the_round(
    url: str, samples: SimpleNamespace, child: Child
) -> None:
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
    output, _ = child("die", url, "trial-1").communicate(timeout=60)
    *deaths, last = output.splitlines()
    assert len(deaths) >= 6, output  # BEGIN, look-ups, inserts into four tables, COMMIT
    assert deaths == [f"death {number}: 0 rounds" for number in range(1, len(deaths) + 1)]
    assert last == f"{len(deaths)} deaths, then 1 round"
    with Ledger.open(url) as ledger:
        assert ledger.load("trial-1").rounds == (samples.round_(1),)


def test_kill_9_at_any_moment_loses_no_committed_round_and_leaves_no_part_of_one(
    url: str, samples: SimpleNamespace, child: Child
) -> None:
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
    chance = random.Random(20261121)
    first = 1
    for _ in range(5):
        process = child("commit", url, "trial-1", first)
        said = [int(_line(process)) for _ in range(chance.randint(1, 4))]
        # Some way into a later commit; a select that nothing wakes is a wait without a sleep.
        select.select([], [], [], chance.uniform(0, 0.03))
        process.kill()
        output, _ = process.communicate()
        said += [int(line) for line in output.split()]
        with Ledger.open(url) as ledger:
            rounds = ledger.load("trial-1").rounds
        kept = [item.number for item in rounds]
        # The last one may have been committed but not yet said.
        assert kept in ([*range(1, said[-1] + 1)], [*range(1, said[-1] + 2)])
        assert all(item == samples.round_(item.number) for item in rounds[first - 1 :])
        first = kept[-1] + 1


def test_two_processes_write_at_once(url: str, samples: SimpleNamespace, child: Child) -> None:
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
        writers = [
            child("rounds", url, "trial-1", *range(1, 20, 2)),
            child("rounds", url, "trial-1", *range(2, 21, 2)),
        ]
        for writer in writers:
            assert _line(writer) == "ready"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for writer in writers:
            writer.communicate(timeout=60)
            assert writer.returncode == 0
        full = ledger.load("trial-1")
        assert [item.number for item in full.rounds] == list(range(1, 21))
        assert sorted(entry.detail["number"] for entry in ledger.journal_of("trial-1")) == list(range(1, 21))


@pytest.mark.parametrize("attempt", range(3))
def test_processes_that_make_the_same_ledger_at_once_make_one(
    url: str, samples: SimpleNamespace, child: Child, attempt: int
) -> None:
    makers = [child("make", url, f"trial-{number}", f"body/pilot-{number}") for number in range(3)]
    for maker in makers:
        assert _line(maker) == "ready"
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    for maker in makers:
        maker.communicate(timeout=60)
        assert maker.returncode == 0
    with Ledger.open(url) as ledger:
        assert sorted(trial.uid for trial in ledger.trials()) == ["trial-0", "trial-1", "trial-2"]


def test_of_many_that_begin_a_trial_of_one_pilot_one_does(url: str, samples: SimpleNamespace) -> None:
    with Ledger.open(url) as ledger:
        start, outcomes = threading.Barrier(6), []

        def begin(number: int) -> None:
            start.wait()
            try:
                ledger.begin(samples.trial(f"trial-{number}"))
            except StoreError as error:
                outcomes.append(str(error))
            else:
                outcomes.append("begun")

        threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count("begun") == 1
        # Most are told beforehand; who slipped in between (PostgreSQL allows it) meets the unique index.
        refused = ("open trial already", "another process wrote the same thing first")
        assert sum(any(sign in outcome for sign in refused) for outcome in outcomes) == 5
        assert len(ledger.trials()) == 1


def test_reading_a_trial_is_not_held_up_by_a_writer(url: str, file: Path, samples: SimpleNamespace) -> None:
    import sqlite3

    with Ledger.open(url, timeout=0.2) as ledger:
        ledger.begin(samples.trial())
        writer = sqlite3.connect(file, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE trials SET state = 'abandoned'")
        try:
            assert ledger.load("trial-1").trial.state is TrialState.OPEN
            with pytest.raises(StoreError, match="another process holds it"):
                ledger.commit_round("trial-1", samples.round_(1))
        finally:
            writer.close()
        ledger.commit_round("trial-1", samples.round_(1))
