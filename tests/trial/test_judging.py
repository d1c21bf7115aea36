"""What a trial's record is judged to be: exit codes, what counts as known, what withholds a verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.judge.metrics import METRICS, Evidence, Kind
from harness.judge.results import (
    ArmJudgement,
    GuardrailState,
    Judgement,
    Recommendation,
    Recommended,
    Role,
    TrialJudgement,
    Verdict,
)
from harness.store.records import AuditCheck, RoundRecord, RunRecord, RunState, Value
from harness.trial.errors import Exit
from harness.trial.judging import exit_code, pairs

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def judgement(verdict: Verdict, role: Role = Role.PRIMARY, state: GuardrailState | None = None) -> Judgement:
    return Judgement("journey_time_p95", role, Kind.RATIO, verdict, state, Evidence.MEASURED, 0.1, "10%", 6)


def trial(
    primary: Verdict,
    guardrail: tuple[Verdict, GuardrailState] = (Verdict.EQUIVALENT, GuardrailState.HOLDS),
    recommended: Recommended = Recommended.NOT_PROVEN,
    secondary: Verdict = Verdict.EQUIVALENT,
) -> TrialJudgement:
    arm = ArmJudgement(
        "after",
        "x",
        judgement(primary),
        (judgement(guardrail[0], Role.GUARDRAIL, guardrail[1]),),
        (judgement(secondary, Role.SECONDARY),),
        Recommendation(recommended, ()),
    )
    return TrialJudgement("t", "0", 1, (arm,))


NO_DATA = (Verdict.NO_DATA, GuardrailState.NOT_SHOWN)
BROKEN = (Verdict.WORSE, GuardrailState.BROKEN)


@pytest.mark.parametrize(
    ("judged", "strict", "code"),
    [
        (trial(Verdict.BETTER, recommended=Recommended.ADOPT), False, Exit.DONE),
        (trial(Verdict.EQUIVALENT), True, Exit.DONE),
        (trial(Verdict.WORSE), False, Exit.WORSE),
        (trial(Verdict.BETTER, guardrail=BROKEN), False, Exit.WORSE),
        (trial(Verdict.BETTER, recommended=Recommended.STOP), False, Exit.WORSE),
        (trial(Verdict.INVALID), False, Exit.NO_VERDICT),
        (trial(Verdict.NO_DATA), False, Exit.NO_VERDICT),
        (trial(Verdict.BETTER, guardrail=NO_DATA), False, Exit.NO_VERDICT),
        (trial(Verdict.WORSE, guardrail=NO_DATA), False, Exit.WORSE),
        (trial(Verdict.INCONCLUSIVE), False, Exit.DONE),
        (trial(Verdict.INCONCLUSIVE), True, Exit.NO_VERDICT),
        (trial(Verdict.BETTER, secondary=Verdict.WORSE), False, Exit.DONE),
    ],
)
def test_the_exit_code_of_a_judged_trial(judged: TrialJudgement, strict: bool, code: Exit) -> None:
    assert exit_code(judged, strict=strict) == code


def run(arm: str, **changes: object) -> RunRecord:
    made = RunRecord(
        arm=arm,
        place=1,
        state=RunState.MEASURED,
        started_at=NOW,
        values={"correctness": Value(1.0), "completion_rate": Value(1.0)},
        counts={"completed": 90, "refused": 10, "failed": 0, "abandoned": 0, "correct": 90},
        started_mix={},
        histograms={},
        audit=(AuditCheck("kept once", 90, 0),),
    )
    return replace(made, **changes)


def rounds(*afters: RunRecord) -> list[RoundRecord]:
    return [
        RoundRecord(n, 1, True, ("before", "after"), NOW, NOW, (run("before"), after))
        for n, after in enumerate(afters, 1)
    ]


def test_a_proper_refusal_counts_as_completed_but_is_not_audited() -> None:
    (pair,) = pairs(rounds(run("after")), METRICS["completion_rate"], "after")
    assert (pair.after_successes, pair.after_trials) == (100, 100)
    (pair,) = pairs(rounds(run("after")), METRICS["correctness"], "after")
    assert (pair.after_successes, pair.after_trials) == (90, 90)


def test_a_system_that_was_up_but_not_audited_is_not_known_to_be_wrong() -> None:
    counts = {"completed": 90, "refused": 10, "failed": 0, "abandoned": 0}
    unaudited = run("after", counts=counts, values={"completion_rate": Value(1.0)}, audit=())
    found = pairs(rounds(unaudited, run("after")), METRICS["correctness"], "after")
    assert [pair.round for pair in found] == [2]
    assert len(pairs(rounds(unaudited, run("after")), METRICS["completion_rate"], "after")) == 2


def test_a_system_that_died_before_its_audit_is_not_let_off() -> None:
    died = run("after", state=RunState.DIED, counts={"completed": 5, "failed": 95}, values={})
    (pair,) = pairs(rounds(died), METRICS["correctness"], "after")
    assert pair.after is None
