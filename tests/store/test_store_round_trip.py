"""Whatever a record may hold comes back equal, and what it may not hold never gets in (the law behind the
examples)."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.store.ledger import Ledger, StoreError
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

# Characters that databases keep: no NUL, no lone surrogate (what becomes of those is tested by example).
words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
names = st.text(st.characters(categories=("Ll", "Nd"), include_characters="-_/. "), min_size=1, max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=zones)
# Text inside JSON is kept whatever it holds.
leaves = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | finite | st.text(max_size=8)
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(st.text(max_size=6), json_values, max_size=3)
counts = st.dictionaries(names, st.integers(0, 2**60), max_size=3)


def several(strategy: st.SearchStrategy[Any], size: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=size).map(tuple)


def run_of(arm: str) -> st.SearchStrategy[RunRecord]:
    return st.builds(
        RunRecord,
        arm=st.just(arm),
        place=st.integers(1, 9),
        state=st.sampled_from(RunState),
        started_at=instants,
        values=st.dictionaries(names, st.builds(Value, finite, st.booleans()), max_size=3),
        counts=counts,
        started_mix=counts,
        histograms=st.dictionaries(names, st.binary(max_size=40), max_size=2),
        failures=several(st.builds(Failure, st.text(), st.text(), st.integers(0, 2**60), st.text())),
        audit=several(st.builds(AuditCheck, words, st.integers(0), st.integers(0), words)),
        checks=several(st.builds(Check, words, st.booleans(), words, words, words)),
        timeline=several(st.dictionaries(names, finite, max_size=3)),
        resources=st.dictionaries(names, st.none() | finite, max_size=3),
        health=st.dictionaries(names, finite, max_size=3),
        schedule_hash=words,
        reason=st.none() | words,
        log_folder=st.none() | words,
    )


@st.composite
def trials_and_rounds(draw: st.DrawFn) -> tuple[TrialRecord, tuple[RoundRecord, ...]]:
    arms = draw(st.lists(names, min_size=2, max_size=3, unique=True))
    trial = TrialRecord(
        uid=draw(names),
        pilot=draw(names),
        body=draw(names),
        registered=draw(st.booleans()),
        protocol_hash=draw(words),
        document=draw(documents),
        seed=draw(st.integers(0, 2**63 - 1)),
        arms=tuple(
            ArmRecord(arm, draw(words), draw(words), draw(words), draw(words), draw(documents))
            for arm in arms
        ),
        machine=draw(documents),
        state=TrialState.OPEN,
        started_at=draw(instants),
        state_reason=draw(st.none() | words),
        deviations=draw(several(words)),
    )
    attempts = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), unique=True, max_size=3))
    counted: set[int] = set()
    rounds = []
    for number, attempt in sorted(attempts):
        valid = number not in counted and draw(st.booleans())
        if valid:
            counted.add(number)
        order = tuple(draw(st.permutations(arms)))
        ran = order if valid else order[: draw(st.integers(0, len(order)))]
        rounds.append(
            RoundRecord(
                number=number,
                attempt=attempt,
                valid=valid,
                order=order,
                started_at=draw(instants),
                finished_at=draw(instants),
                runs=tuple(draw(run_of(arm)) for arm in ran),
                reason=draw(st.none() | words),
            )
        )
    return trial, tuple(rounds)


findings = st.builds(
    FindingRecord,
    uid=names,
    pilot=names,
    trial=st.none(),
    text=words,
    source=words,
    blocking=st.booleans(),
    opened_at=instants,
    resolved_at=st.none() | instants,
    resolution=st.none() | words,
)


@settings(max_examples=40, deadline=None)
@given(made=trials_and_rounds(), judgement=documents, finding=findings, data=st.data())
def test_whatever_is_kept_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory,
    made: tuple[TrialRecord, tuple[RoundRecord, ...]],
    judgement: dict[str, Any],
    finding: FindingRecord,
    data: st.DataObject,
) -> None:
    trial, rounds = made
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    with Ledger.open(f"sqlite:///{file}") as ledger:
        ledger.begin(trial)
        for item in data.draw(st.permutations(rounds)):
            ledger.commit_round(trial.uid, item)
        full = ledger.load(trial.uid)
        assert full.trial == trial
        assert full.rounds == rounds
        ledger.save_judgement(trial.uid, judgement)
        ledger.journal(trial.uid, "event", judgement)
        finding = replace(finding, trial=data.draw(st.sampled_from([None, trial.uid])))
        ledger.add_finding(finding)
        state = data.draw(st.sampled_from([s for s in TrialState if s is not TrialState.OPEN]))
        at = data.draw(instants)
        ledger.conclude(trial.uid, state, "because", at, ())
        closed = ledger.load(trial.uid)
        assert closed.judgement == judgement
        assert ledger.journal_of(trial.uid)[0].detail == judgement
        assert ledger.findings(finding.pilot) == (finding,)
        assert closed.findings == ((finding,) if finding.trial else ())
        assert closed.trial == replace(
            trial,
            state=state,
            state_reason="because",
            finished_at=at,
            deviations=tuple(dict.fromkeys(trial.deviations)),
        )
        registration = ledger.register(trial.pilot, trial.protocol_hash, trial.document)
        assert ledger.registration(trial.pilot) == registration


@settings(max_examples=30, deadline=None)
@given(document=documents, bad=st.sampled_from([math.nan, math.inf, -math.inf]), depth=st.integers(0, 5))
def test_a_figure_that_is_not_finite_is_found_however_deep(
    document: dict[str, Any], bad: float, depth: int
) -> None:
    document = {**document, "bad": bad}
    for level in range(depth):
        document = {"inner": document} if level % 2 else {"inner": [1, document]}
    with Ledger.open("sqlite://") as ledger:
        with pytest.raises(StoreError, match="expected a finite number"):
            ledger.register("a/b", "sha256:1", document)
        assert ledger.registration("a/b") is None
