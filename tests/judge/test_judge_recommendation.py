"""The published rule, every line of it and their order."""

from __future__ import annotations

import itertools

import pytest

from harness.judge.judge import guardrail_of, verdict_of
from harness.judge.metrics import Evidence, Kind
from harness.judge.recommendation import recommend
from harness.judge.results import (
    GuardrailState,
    Interval,
    Judgement,
    Note,
    Recommended,
    Role,
    Verdict,
)

M = 0.1
LUCK = "no_benefit_shown"  # one of several, and no longer beyond luck
BENEFITS = {
    "better": (0.05, 0.2),
    "equivalent": (-0.05, 0.05),
    "no_worse": (-0.05, 0.2),
    "inconclusive": (-0.2, 0.2),
    "worse": (-0.15, -0.01),
    "far_worse": (-0.3, -0.2),
    "far_worse_bound": (-0.3, -0.2, True),
    "may_be_far_better": (-0.3, -0.2, True, True),
}


def judged(benefit, metric="journey_time_p95", role=Role.PRIMARY, **more):
    if benefit in ("no_data", "invalid"):
        verdict, state, interval = Verdict(benefit), GuardrailState.NOT_SHOWN, None
    else:
        low, high, *is_open = BENEFITS[benefit]
        interval = Interval(low, high, 0.95, *is_open)
        verdict = verdict_of(interval.lowest, interval.highest, M)
        state = guardrail_of(interval.lowest, interval.highest, M)
    return Judgement(
        metric=metric,
        role=role,
        kind=Kind.RATIO,
        verdict=verdict,
        guardrail=state if role is Role.GUARDRAIL else None,
        evidence=Evidence.MEASURED,
        margin=M,
        margin_text="10%",
        rounds=8,
        interval=interval,
        benefit=interval,
        reasons=(Note("some_code", "some reason"),),
        **more,
    )


def guardrails(completion="equivalent", correctness="equivalent", cost=None):
    found = [
        judged(completion, "completion_rate", Role.GUARDRAIL),
        judged(correctness, "correctness", Role.GUARDRAIL),
    ]
    return found + ([judged(cost, "cost_per_transaction", Role.GUARDRAIL)] if cost else [])


def secondary(benefit, **more):
    return [judged(benefit, "cpu_per_journey", Role.SECONDARY, **more)]


@pytest.mark.parametrize(
    ("primary", "guards", "others", "invariants", "findings", "word", "code"),
    [
        # 1 an invariant broken, before all else
        ("better", {}, [], ["no slot twice"], [], "stop", "invariant_broken"),
        ("no_data", {}, [], ["no slot twice"], [], "stop", "invariant_broken"),
        # 2 no verdict on the primary metric
        ("no_data", {}, [], [], [], "not_proven", "no_verdict"),
        ("invalid", {}, [], [], [], "not_proven", "no_verdict"),
        ("no_data", {"completion": "far_worse"}, [], [], ["blocked"], "not_proven", "no_verdict"),
        # 3 a guardrail broken, or the primary worse by more than its margin
        ("better", {"completion": "far_worse"}, [], [], [], "stop", "guardrail_broken"),
        ("worse", {"cost": "far_worse"}, [], [], ["blocked"], "stop", "guardrail_broken"),
        ("far_worse", {}, [], [], [], "stop", "primary_beyond_margin"),
        ("far_worse_bound", {}, [], [], [], "stop", "primary_beyond_margin"),
        # 4 the primary worse, or a blocking finding open
        ("worse", {}, [], [], [], "iterate", "primary_worse"),
        ("better", {}, [], [], ["the form loses a page"], "iterate", "finding_open"),
        ("inconclusive", {"correctness": "inconclusive"}, [], [], ["blocked"], "iterate", "finding_open"),
        # 5 something better, the primary no worse, every guardrail holds
        ("better", {}, [], [], [], "adopt", "benefit_shown"),
        ("equivalent", {"cost": "better"}, [], [], [], "adopt", "benefit_shown"),
        ("no_worse", {}, secondary("better"), [], [], "adopt", "benefit_shown"),
        ("no_worse", {}, secondary("better", p_value=0.01, p_holm=0.04), [], [], "adopt", "benefit_shown"),
        # 6 otherwise
        ("no_worse", {}, secondary("better", p_holm=0.09, p_value=0.03), [], [], "not_proven", LUCK),
        ("equivalent", {}, [], [], [], "not_proven", "no_benefit_shown"),
        ("no_worse", {}, secondary("no_worse"), [], [], "not_proven", "no_benefit_shown"),
        ("inconclusive", {"cost": "better"}, [], [], [], "not_proven", "primary_not_shown"),
        ("may_be_far_better", {"cost": "better"}, [], [], [], "not_proven", "primary_not_shown"),
        ("better", {"completion": "inconclusive"}, [], [], [], "not_proven", "guardrail_not_shown"),
        ("better", {"correctness": "no_data"}, [], [], [], "not_proven", "guardrail_not_shown"),
        ("better", {"correctness": "invalid"}, [], [], [], "not_proven", "guardrail_not_shown"),
    ],
)  # fmt: skip
def test_first_match(primary, guards, others, invariants, findings, word, code) -> None:
    found = recommend(judged(primary), guardrails(**guards), others, invariants, findings)
    assert found.recommended is Recommended(word)
    assert found.reasons[0].code == code
    assert all(reason.text for reason in found.reasons)


def test_every_combination_follows_the_rule_written_out() -> None:
    names = [*BENEFITS, "no_data", "invalid"]
    for first, completion, cost, broken, blocking in itertools.product(
        names, names, names, ([], ["x"]), ([], ["y"])
    ):
        primary, guards = judged(first), guardrails(completion=completion, cost=cost)
        states = [g.guardrail for g in guards]
        beyond = primary.benefit is not None and primary.benefit.highest < -M
        if broken:
            word = "stop"
        elif primary.verdict in (Verdict.NO_DATA, Verdict.INVALID):
            word = "not_proven"
        elif GuardrailState.BROKEN in states or beyond:
            word = "stop"
        elif primary.verdict is Verdict.WORSE or blocking:
            word = "iterate"
        elif (
            any(j.verdict is Verdict.BETTER for j in (primary, *guards))
            and primary.verdict in (Verdict.BETTER, Verdict.EQUIVALENT, Verdict.NO_WORSE)
            and set(states) == {GuardrailState.HOLDS}
        ):
            word = "adopt"
        else:
            word = "not_proven"
        assert recommend(primary, guards, (), broken, blocking).recommended is Recommended(word)


def test_nothing_is_adopted_unless_completion_and_correctness_were_guarded() -> None:
    found = recommend(judged("better"), guardrails()[:1])
    assert found.recommended is Recommended.NOT_PROVEN
    assert [r.code for r in found.reasons] == ["guardrail_missing"]
    assert recommend(judged("better"), []).recommended is Recommended.NOT_PROVEN
    primary = judged("better", "completion_rate")
    assert recommend(primary, guardrails()[1:]).recommended is Recommended.ADOPT


def test_a_broken_guardrail_is_named_even_where_there_is_no_verdict() -> None:
    found = recommend(judged("no_data"), guardrails(completion="far_worse"))
    assert [r.code for r in found.reasons] == ["no_verdict", "guardrail_broken"]
