"""What a ledger costs: bytes on disk, queries to read a trial, milliseconds to commit and to open."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, event

from harness.store.ledger import Ledger
from harness.store.records import RoundRecord


def _large(samples: SimpleNamespace, number: int) -> RoundRecord:
    """A round whose histograms are of 1 KB, as busy windows leave; bytes that compress no further."""
    item: RoundRecord = samples.round_(number)
    chance = random.Random(number)
    runs = [replace(run, histograms={s: chance.randbytes(1024) for s in run.histograms}) for run in item.runs]
    assert all(len(run.histograms) == 14 and len(run.timeline) == 20 for run in runs)
    return replace(item, runs=tuple(runs))


@contextmanager
def _queries() -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _typical(times: int, call: Callable[[int], object]) -> float:
    """The median of some calls in seconds: one stall of a shared machine must not decide."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        call(number)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


@pytest.fixture
def twelve_runs(url: str, samples: SimpleNamespace) -> str:
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
        for number in range(1, 7):
            ledger.commit_round("trial-1", _large(samples, number))
    return url


def test_a_trial_of_twelve_runs_stays_small(twelve_runs: str, file: Path, samples: SimpleNamespace) -> None:
    """12 runs of 14 series of 1 KB and 20 seconds each: nothing near the 5 MB that a trial may take."""
    size = sum(path.stat().st_size for path in file.parent.iterdir())
    assert size < 1_000_000


def test_a_trial_is_read_in_as_many_queries_as_there_are_tables(url: str, samples: SimpleNamespace) -> None:
    counted = []
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
        number = 0
        for rounds in (1, 6, 24):
            while number < rounds:
                number += 1
                ledger.commit_round("trial-1", samples.round_(number))
            with _queries() as said:
                assert len(ledger.load("trial-1").rounds) == rounds
            counted.append(len(said))
        for other in range(8):
            ledger.begin(samples.trial(f"other-{other}", pilot=f"body/pilot-{other}"))
        with _queries() as said:
            assert len(ledger.trials()) == 9
        assert len(said) == 2
    assert counted == [8, 8, 8]


def test_speed(twelve_runs: str, samples: SimpleNamespace) -> None:
    opening = _typical(7, lambda _: Ledger.open(twelve_runs).close())
    with Ledger.open(twelve_runs) as ledger:
        rounds = [_large(samples, number) for number in range(7, 18)]
        committing = _typical(len(rounds), lambda number: ledger.commit_round("trial-1", rounds[number]))
    with Ledger.open(twelve_runs) as ledger:
        loading = _typical(7, lambda _: ledger.load("trial-1"))
    assert opening <= 0.150
    assert committing <= 0.050
    assert loading <= 0.250  # 34 runs
