"""The ledger's promises to the rest of the house: what goes in comes out, and nothing in it changes."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from harness.store.ledger import Ledger, StoreError
from harness.store.records import RunState, TrialState, Value
from harness.store.rows import rows

PILOT = "northmoor/registrar-appointments"


def test_a_trial_comes_back_as_it_went_in(ledger: Ledger, samples: SimpleNamespace) -> None:
    trial = samples.trial()
    kept = (
        samples.round_(1),
        samples.round_(2, attempt=1, valid=False),
        samples.round_(2, attempt=2),
        samples.round_(3),
    )
    ledger.begin(trial)
    for item in kept:
        ledger.commit_round(trial.uid, item)
    full = ledger.load(trial.uid)
    assert full.trial == trial
    assert full.rounds == kept
    assert full.judgement is None
    assert [item.number for item in full.valid_rounds] == [1, 2, 3]


def test_rounds_come_in_order_however_they_were_committed(ledger: Ledger, samples: SimpleNamespace) -> None:
    ledger.begin(samples.trial())
    for number in (3, 1, 2):
        ledger.commit_round("trial-1", samples.round_(number))
    assert [item.number for item in ledger.load("trial-1").rounds] == [1, 2, 3]


def test_everything_is_there_after_closing_and_opening_again(url: str, samples: SimpleNamespace) -> None:
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
        ledger.commit_round("trial-1", samples.round_(1))
        before = ledger.load("trial-1")
    with Ledger.open(url) as ledger:
        assert ledger.load("trial-1") == before
        assert ledger.open_trial(PILOT) == samples.trial()


def test_a_ledger_in_memory_serves_for_a_look(samples: SimpleNamespace) -> None:
    with Ledger.open("sqlite://") as ledger:
        ledger.begin(samples.trial())
        ledger.commit_round("trial-1", samples.round_(1))
        assert len(ledger.load("trial-1").rounds) == 1


def test_times_come_back_as_the_same_instant_in_utc(ledger: Ledger, samples: SimpleNamespace) -> None:
    local = datetime(2026, 7, 1, 0, 30, 15, 7, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    ledger.begin(samples.trial(started_at=local))
    ledger.commit_round("trial-1", samples.round_(1, started_at=local, finished_at=local))
    full = ledger.load("trial-1")
    for found in (full.trial.started_at, full.rounds[0].started_at):
        assert found == local
        assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("field", ["started_at", "finished_at"])
def test_a_time_without_a_zone_is_refused(ledger: Ledger, samples: SimpleNamespace, field: str) -> None:
    ledger.begin(samples.trial())
    with pytest.raises(StoreError, match=f"{field} of round 1 .* without a zone"):
        ledger.commit_round("trial-1", samples.round_(1, **{field: datetime(2026, 1, 1)}))
    assert ledger.load("trial-1").rounds == ()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["values", "timeline", "health", "resources"])
def test_no_figure_that_is_not_finite_gets_in(
    ledger: Ledger, samples: SimpleNamespace, bad: float, place: str
) -> None:
    ledger.begin(samples.trial())
    good = samples.round_(1)
    broken = {
        "values": {"values": {"journey_time_p95": Value(bad)}},
        "timeline": {"timeline": ({"second": 0, "p95": bad},)},
        "health": {"health": {"lateness_p99": bad}},
        "resources": {"resources": {"cpu_seconds": bad}},
    }[place]
    runs = (good.runs[0], replace(good.runs[1], **broken))
    with pytest.raises(StoreError, match=r"of after in round 1 \(attempt 1\).* is -?(nan|inf); expected"):
        ledger.commit_round("trial-1", replace(good, runs=runs))
    assert ledger.load("trial-1").rounds == ()


def test_nan_in_a_document_or_a_judgement_is_refused_with_its_place(
    ledger: Ledger, samples: SimpleNamespace
) -> None:
    with pytest.raises(StoreError, match=r"the trial's document\.demand\.rate is nan"):
        ledger.begin(samples.trial(document={"demand": {"rate": math.nan}}))
    ledger.begin(samples.trial())
    with pytest.raises(StoreError, match=r"the judgement\.arms\[0\]\.effect is inf"):
        ledger.save_judgement("trial-1", {"arms": [{"effect": math.inf}]})
    with pytest.raises(StoreError, match="text"):
        ledger.save_judgement("trial-1", {"years": {2026: 1}})
    with pytest.raises(StoreError, match="datetime"):
        ledger.journal("trial-1", "odd", {"at": datetime.now(UTC)})


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_no_column_holds_is_refused(ledger: Ledger, samples: SimpleNamespace, seed: int) -> None:
    with pytest.raises(StoreError, match="seed"):
        ledger.begin(samples.trial(seed=seed))


def test_text_of_a_system_under_test_never_costs_a_round(ledger: Ledger, samples: SimpleNamespace) -> None:
    ledger.begin(samples.trial())
    ledger.commit_round("trial-1", samples.round_(1, valid=False, reason="exit \0 after \udcff 'bytes'"))
    assert ledger.load("trial-1").rounds[0].reason == "exit \ufffd after \ufffd 'bytes'"


class TestAppendOnly:
    """What is refused, and that refusing leaves the record as it was."""

    @pytest.fixture(autouse=True)
    def _trial(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        ledger.begin(samples.trial())
        ledger.commit_round("trial-1", samples.round_(1))

    def test_the_same_attempt_twice(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        before = ledger.load("trial-1")
        with pytest.raises(StoreError, match="in the ledger already"):
            ledger.commit_round("trial-1", samples.round_(1, valid=False))
        assert ledger.load("trial-1") == before

    def test_a_second_valid_attempt(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        with pytest.raises(StoreError, match="has a valid attempt already"):
            ledger.commit_round("trial-1", samples.round_(1, attempt=2))
        ledger.commit_round("trial-1", samples.round_(1, attempt=2, valid=False))
        assert [item.attempt for item in ledger.load("trial-1").rounds] == [1, 2]

    def test_a_concluded_trial(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        ledger.conclude("trial-1", TrialState.FINISHED, None, samples.START, ("one arm's port was taken",))
        with pytest.raises(StoreError, match="concluded"):
            ledger.commit_round("trial-1", samples.round_(2))
        with pytest.raises(StoreError, match="concluded"):
            ledger.conclude("trial-1", TrialState.ABANDONED, "again", samples.START)
        found = ledger.load("trial-1").trial
        assert (found.state, found.finished_at, found.state_reason) == (
            TrialState.FINISHED,
            samples.START,
            None,
        )
        assert found.deviations == ("warm-up of 2 s", "one arm's port was taken")

    def test_concluding_as_open(self, ledger: Ledger) -> None:
        with pytest.raises(StoreError, match="expected finished, abandoned or invalid"):
            ledger.conclude("trial-1", TrialState.OPEN)

    def test_a_taken_uid(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        with pytest.raises(StoreError, match="trial-1 is in the ledger already"):
            ledger.begin(samples.trial(pilot="northmoor/rooms"))

    def test_a_second_open_trial_of_the_pilot(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        with pytest.raises(StoreError, match=r"open trial already \(trial-1\); resume"):
            ledger.begin(samples.trial("trial-2"))
        ledger.begin(samples.trial("trial-3", pilot="northmoor/rooms"))
        ledger.conclude("trial-1", TrialState.ABANDONED, "Ctrl-C", samples.START)
        ledger.begin(samples.trial("trial-2"))
        assert [trial.uid for trial in ledger.trials(PILOT)] == ["trial-1", "trial-2"]
        assert [trial.uid for trial in ledger.trials()] == ["trial-1", "trial-3", "trial-2"]
        assert ledger.pilots() == (PILOT, "northmoor/rooms")
        found = ledger.open_trial(PILOT)
        assert found is not None
        assert found.uid == "trial-2"
        assert ledger.open_trial("nobody/nothing") is None

    def test_a_trial_that_does_not_begin_open(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        with pytest.raises(StoreError, match="begins open"):
            ledger.begin(samples.trial("trial-9", state=TrialState.FINISHED))

    def test_a_valid_round_without_one_of_its_arms(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        whole = samples.round_(2)
        with pytest.raises(StoreError, match="without a run of before"):
            ledger.commit_round("trial-1", replace(whole, runs=whole.runs[:1]))
        ledger.commit_round("trial-1", replace(whole, valid=False, runs=whole.runs[:1]))

    def test_arms_that_are_not_the_trials(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        whole = samples.round_(2)
        strange = replace(whole.runs[0], arm="after-2")
        for runs in [(*whole.runs, strange), (*whole.runs, whole.runs[0])]:
            with pytest.raises(StoreError, match="expected each of after, before once"):
                ledger.commit_round("trial-1", replace(whole, runs=runs))
        assert len(ledger.load("trial-1").rounds) == 1

    def test_a_trial_that_is_not_there(self, ledger: Ledger, samples: SimpleNamespace) -> None:
        for call in (
            lambda: ledger.load("no-such"),
            lambda: ledger.commit_round("no-such", samples.round_(2)),
            lambda: ledger.conclude("no-such", TrialState.FINISHED),
            lambda: ledger.save_judgement("no-such", {}),
            lambda: ledger.journal("no-such", "event"),
            lambda: ledger.journal_of("no-such"),
            lambda: ledger.judgements("no-such"),
            lambda: ledger.add_finding(samples.finding("f", "no-such")),
        ):
            with pytest.raises(StoreError, match="there is no trial no-such"):
                call()


def test_judging_again_adds_and_the_latest_counts(ledger: Ledger, samples: SimpleNamespace) -> None:
    ledger.begin(samples.trial())
    ledger.conclude("trial-1", TrialState.FINISHED)
    first, second = {"judged_with": "0.1", "p": 0.03125}, {"judged_with": "0.2", "arms": [{"effect": 0.8}]}
    ledger.save_judgement("trial-1", first)
    assert ledger.load("trial-1").judgement == first
    ledger.save_judgement("trial-1", second)
    assert ledger.load("trial-1").judgement == second
    assert ledger.judgements("trial-1") == (first, second)


def test_the_journal_keeps_its_order(ledger: Ledger, samples: SimpleNamespace) -> None:
    ledger.begin(samples.trial())
    before = datetime.now(UTC)
    for number in range(5):
        ledger.journal("trial-1", "round_started", {"number": number})
    ledger.journal("trial-1", "interrupted")
    entries = ledger.journal_of("trial-1")
    assert [entry.detail.get("number") for entry in entries] == [0, 1, 2, 3, 4, None]
    assert entries[-1].event == "interrupted"
    assert all(before <= entry.at <= datetime.now(UTC) for entry in entries)


def test_a_finding_is_resolved_once(ledger: Ledger, samples: SimpleNamespace) -> None:
    ledger.begin(samples.trial())
    inside, outside = samples.finding("f1", "trial-1"), samples.finding("f2", blocking=False)
    ledger.add_finding(inside)
    ledger.add_finding(outside)
    assert ledger.findings(PILOT) == (inside, outside)
    assert ledger.findings("northmoor/rooms") == ()
    assert ledger.load("trial-1").findings == (inside,)
    later = samples.START + timedelta(days=1)
    ledger.resolve_finding("f1", "fixed in 1.0.1", later)
    assert ledger.findings(PILOT)[0] == replace(inside, resolved_at=later, resolution="fixed in 1.0.1")
    with pytest.raises(StoreError, match="resolved already"):
        ledger.resolve_finding("f1", "again")
    with pytest.raises(StoreError, match="no finding f3"):
        ledger.resolve_finding("f3", "what")
    with pytest.raises(StoreError, match="in the ledger already"):
        ledger.add_finding(inside)


def test_registering_the_same_protocol_keeps_its_first_time(ledger: Ledger) -> None:
    assert ledger.registration(PILOT) is None
    first = ledger.register(PILOT, "sha256:1", {"rounds": 6})
    assert ledger.register(PILOT, "sha256:1", {"rounds": 6}) == first
    second = ledger.register(PILOT, "sha256:2", {"rounds": 8})
    assert ledger.registration(PILOT) == second
    assert ledger.registrations(PILOT) == (first, second)
    assert ledger.register(PILOT, "sha256:1", {"rounds": 6}).uid not in (first.uid, second.uid)


def test_a_system_that_was_never_ready_is_a_valid_result(ledger: Ledger, samples: SimpleNamespace) -> None:
    whole = samples.round_(1)
    bare = replace(
        whole.runs[1],
        state=RunState.NOT_READY,
        values={},
        histograms={},
        counts={},
        started_mix={},
        timeline=(),
        resources={},
        health={},
        failures=(),
        audit=(),
        checks=(),
        reason="no answer in 30 s",
    )
    ledger.begin(samples.trial())
    ledger.commit_round("trial-1", replace(whole, runs=(whole.runs[0], bare)))
    assert ledger.load("trial-1").rounds[0].runs[1] == bare


def test_rows_hold_every_value_of_every_attempt(ledger: Ledger, samples: SimpleNamespace) -> None:
    ledger.begin(samples.trial())
    ledger.commit_round("trial-1", samples.round_(1, valid=False))
    ledger.commit_round("trial-1", samples.round_(1, attempt=2))
    full = ledger.load("trial-1")
    found = list(rows(full))
    assert len(found) == 2 * 2 * len(samples.METRICS)
    assert {row.valid for row in found if row.attempt == 1} == {False}
    for row in found:
        run = next(r for r in full.rounds[row.attempt - 1].runs if r.arm == row.arm)
        assert run.values[row.metric] == Value(row.value, row.censored)
