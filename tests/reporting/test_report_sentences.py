"""Every sentence of page one over a table of outcomes, as it is read."""

# ruff: noqa: E501 - sentences stand on one line, as they are read

from __future__ import annotations

import math
import re

import pytest

from harness.judge.metrics import METRICS, Direction, Evidence, Kind
from harness.judge.results import (
    ArmJudgement,
    GuardrailState,
    Interval,
    Judgement,
    Note,
    Recommendation,
    Recommended,
    Role,
    Verdict,
)
from harness.reporting import sentences
from harness.reporting.charts.dots import rounds_title
from harness.reporting.sentences import ArmRange, Names

NAMES = Names("booking@1.0.0", "registrar-forms", "Registrar appointments", "Northmoor")


def judged(verdict, effect=None, low=None, high=None, *, metric="journey_time_p95", margin="10%", role=Role.PRIMARY, guardrail=None, reasons=(), rounds=8, level=0.95):  # fmt: skip
    kind = METRICS[metric].kind
    size = float(margin.rstrip("%p")) / 100
    scale = size if kind is Kind.DIFFERENCE else math.log1p(size)
    interval = benefit = None
    if low is not None:
        interval = Interval(low, high, level)
        ends = (low, high) if kind is Kind.DIFFERENCE else (math.log(low), math.log(high))
        if METRICS[metric].direction is Direction.LOWER:
            ends = (-ends[1], -ends[0])
        benefit = Interval(*ends, level)
    return Judgement(
        metric=metric, role=role, kind=kind, verdict=verdict, guardrail=guardrail, evidence=Evidence.MEASURED,
        margin=scale, margin_text=margin, rounds=rounds, effect=effect, interval=interval, benefit=benefit,
        reasons=tuple(Note(*r) for r in reasons),
    )  # fmt: skip


def arm(primary, *guardrails):
    return ArmJudgement(
        "after", "booking@1.0.0", primary, guardrails, (), Recommendation(Recommended.NOT_PROVEN, ())
    )


BROKEN = judged(
    Verdict.WORSE, -0.058, -0.08, -0.036, metric="completion_rate", margin="1pp", role=Role.GUARDRAIL,
    guardrail=GuardrailState.BROKEN,
)  # fmt: skip

FINDINGS = [
    (
        arm(judged(Verdict.BETTER, 0.757, 0.71, 0.81)),
        (),
        "booking@1.0.0 is better than registrar-forms: the 95th-percentile journey time was 24% lower "
        "(95% interval: between 19% and 29% lower).",
    ),
    (
        arm(judged(Verdict.WORSE, 1.22, 1.15, 1.29)),
        (),
        "booking@1.0.0 is worse than registrar-forms: the 95th-percentile journey time was 22% higher "
        "(95% interval: between 15% and 29% higher).",
    ),
    (
        arm(judged(Verdict.WORSE, 2.4, 2.1, 2.8)),
        (),
        "booking@1.0.0 is worse than registrar-forms: the 95th-percentile journey time was 2.4 times as long "
        "(95% interval: between 2.1 and 2.8 times).",
    ),
    (
        arm(judged(Verdict.EQUIVALENT, 1.02, 0.97, 1.07)),
        (),
        "booking@1.0.0 and registrar-forms are equivalent: the 95th-percentile journey time was 2% higher "
        "(95% interval: between 3% lower and 7% higher), within the 10% settled beforehand as too small to matter.",
    ),
    (
        arm(judged(Verdict.NO_WORSE, 0.95, 0.87, 1.04)),
        (),
        "booking@1.0.0 is no worse than registrar-forms, and whether it is better is not shown: "
        "the 95th-percentile journey time was 5% lower (95% interval: between 13% lower and 4% higher).",
    ),
    (
        arm(judged(Verdict.INCONCLUSIVE, 1.26, 0.75, 2.13)),
        (),
        "The trial does not show whether booking@1.0.0 is better or worse than registrar-forms: "
        "the 95th-percentile journey time was 26% higher (95% interval: between 25% lower and 113% higher).",
    ),
    (
        arm(judged(Verdict.NO_DATA, reasons=(("never_ready", "booking@1.0.0 got ready in no round."),))),
        (),
        "There is no verdict on booking@1.0.0, because there is nothing to judge: booking@1.0.0 got ready in no round.",
    ),
    (
        arm(judged(Verdict.INVALID, reasons=(("trial_invalid", "the generator was late"),))),
        (),
        "The trial is invalid and gives no verdict on booking@1.0.0: the generator was late.",
    ),
    (
        arm(judged(Verdict.INVALID, reasons=(("zero_baseline", "the incumbent's value is 0"),))),
        (),
        "There is no verdict on booking@1.0.0, because it cannot be compared with registrar-forms: "
        "the incumbent's value is 0.",
    ),
    (
        arm(judged(Verdict.BETTER, 0.757, 0.71, 0.81), BROKEN),
        (),
        "booking@1.0.0 is better than registrar-forms: the 95th-percentile journey time was 24% lower "
        "(95% interval: between 19% and 29% lower), but the completion rate broke its guardrail.",
    ),
    (
        arm(judged(Verdict.WORSE, 1.22, 1.15, 1.29), BROKEN),
        ("no slot is booked twice", "one receipt a payment"),
        "booking@1.0.0 is worse than registrar-forms: the 95th-percentile journey time was 22% higher "
        "(95% interval: between 15% and 29% higher), and the completion rate broke its guardrail and the audit found "
        "two rules of the service broken.",
    ),
    (
        arm(judged(Verdict.BETTER, 0.031, 0.018, 0.044, metric="completion_rate", margin="1pp")),
        (),
        "booking@1.0.0 is better than registrar-forms: the completion rate was 3.1 percentage points higher "
        "(95% interval: between 1.8 and 4.4 percentage points higher).",
    ),
    (
        arm(judged(Verdict.BETTER, 0.7, 0.62, 0.79, level=0.975)),
        (),
        "booking@1.0.0 is better than registrar-forms: the 95th-percentile journey time was 30% lower "
        "(97.5% interval: between 21% and 38% lower).",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("judgement", "invariants", "expected"), FINDINGS)
def test_the_finding_is_one_sentence(judgement, invariants, expected):
    assert sentences.finding(NAMES, judgement, invariants) == expected


def test_every_verdict_has_a_finding_in_the_table():
    assert {j.primary.verdict for j, _, _ in FINDINGS} == set(Verdict)


HUMAN = [
    (
        "journey_time_p95",
        ArmRange(0.3613, 0.321, 0.39),
        ArmRange(0.2734, 0.262, 0.288),
        "In the trial 19 in 20 people now wait 0.273 s or less; before, it was 0.361 s "
        "(over the rounds 0.262 s to 0.288 s now, 0.321 s to 0.390 s before).",
    ),
    (
        "journey_time_p50",
        ArmRange(0.2, None, None),
        ArmRange(0.2, None, None),
        "In the trial half of all people wait 0.200 s or less, as they did before.",
    ),
    (
        "journey_time_p95",
        ArmRange(0.364, 0.33, 0.4, rounds=8),
        ArmRange(2.73, 0.3, 10, True, 8, 5),
        "In the trial 19 in 20 people waited 0.364 s or less before; now, in five of eight rounds more than 1 in 20 "
        "people did not reach the end of their task.",
    ),
    (
        "journey_time_p95",
        ArmRange(10, 10, 10, True, 8, 8),
        ArmRange(0.27, 0.26, 0.28, rounds=8),
        "In the trial 19 in 20 people now wait 0.270 s or less; before, in every round more than 1 in 20 people did "
        "not reach the end of their task.",
    ),
    (
        "journey_time_p99",
        ArmRange(10, 10, 10, True, 8, 8),
        ArmRange(10, 10, 10, True, 8, 1),
        "In the trial in one of eight rounds more than 1 in 100 people did not reach the end of their task; before, "
        "it was so in every round too.",
    ),
    (
        "completion_rate",
        ArmRange(0.969, 0.95, 0.99),
        ArmRange(1.0, 1.0, 1.0),
        "In the trial all people reached the end of their task; before, it was 969 in 1,000.",
    ),
    (
        "correctness",
        ArmRange(0.99996, 0.99, 1.0),
        ArmRange(0.9, 0.8, 1.0),
        "In the trial 9,000 in 10,000 people who finished got an outcome that the audit found right; before, it was "
        "9,999 in 10,000.",
    ),
    (
        "abandonment_rate",
        ArmRange(0.05, 0.0, 0.1),
        ArmRange(0.05, 0.0, 0.1),
        "In the trial 5 in 100 people gave up because a page kept them waiting too long, as before.",
    ),
    (
        "cpu_per_journey",
        ArmRange(0.0192, 0.018, 0.02),
        ArmRange(0.0112, 0.0107, 0.0117),
        "In the trial processor time per journey is 11.2 ms; before, it was 19.2 ms "
        "(over the rounds 10.7 ms to 11.7 ms now, 18.0 ms to 20.0 ms before).",
    ),
    (
        "cost_per_successful_outcome",
        ArmRange(3.73, None, None),
        ArmRange(3.25, None, None),
        "In the trial the cost per successful outcome is £3.25; before, it was £3.73.",
    ),
]


@pytest.mark.parametrize(("metric", "before", "after", "expected"), HUMAN)
def test_the_human_sentence(metric, before, after, expected):
    assert sentences.human(metric, before, after).replace("\N{NO-BREAK SPACE}", " ") == expected


def test_no_human_sentence_without_figures():
    assert sentences.human("journey_time_p95", ArmRange(None, None, None), ArmRange(1, 1, 1)) is None


@pytest.mark.parametrize(
    ("judgement", "expected"),
    [
        (
            judged(Verdict.BETTER, 0.757, 0.71, 0.81),
            "Confidence: 95%, over eight rounds; measured. "
            "Settled beforehand as too small to matter: from 9.09% lower to 10% higher.",
        ),
        (
            judged(Verdict.BETTER, 0.03, 0.01, 0.05, metric="completion_rate", margin="0.5pp"),
            "Confidence: 95%, over eight rounds; measured. "
            "Settled beforehand as too small to matter: up to 0.5 percentage points either way.",
        ),
        (judged(Verdict.NO_DATA), "No interval can be given, so nothing is claimed."),
        (judged(Verdict.INVALID), "No interval can be given, so nothing is claimed."),
    ],
)
def test_confidence(judgement, expected):
    assert sentences.confidence(judgement) == expected


def guard(state, *values, metric="completion_rate", margin="1pp", reasons=()):
    return judged(
        Verdict.INCONCLUSIVE,
        *values,
        metric=metric,
        margin=margin,
        role=Role.GUARDRAIL,
        guardrail=state,
        reasons=reasons,
    )


@pytest.mark.parametrize(
    ("judgement", "expected"),
    [
        (guard(GuardrailState.HOLDS, 0.0, -0.002, 0.002), "worse by 1 percentage point or more is excluded"),
        (guard(GuardrailState.BROKEN, -0.05, -0.08, -0.02), "worse by more than 1 percentage point"),
        (guard(GuardrailState.NOT_SHOWN, -0.005, -0.02, 0.01), "worse by 1 percentage point or more is not excluded"),
        (guard(GuardrailState.NOT_SHOWN, reasons=(("x", "no prices."),)), "no prices"),
        (guard(GuardrailState.NOT_SHOWN), "nothing to judge"),
        (
            guard(GuardrailState.BROKEN, 0.0, -0.002, 0.002, reasons=(("invariant_broken", "no slot twice: 3 of 9"), ("y", "z"))),
            "no slot twice: 3 of 9",
        ),
        (
            guard(GuardrailState.HOLDS, 0.9, 0.8, 1.0, metric="cost_per_successful_outcome", margin="10%"),
            "worse by 10% or more is excluded",
        ),
    ],
)  # fmt: skip
def test_guardrails(judgement, expected):
    assert sentences.guardrail(judgement) == expected


DECISIONS = [
    (
        Recommended.ADOPT,
        "Decide whether to adopt booking@1.0.0 for Northmoor (Registrar appointments). The rule recommends it; "
        "the decision is the board’s.",
    ),
    (
        Recommended.ITERATE,
        "Decide whether to have booking@1.0.0 for Northmoor (Registrar appointments) improved and tried again.",
    ),
    (
        Recommended.STOP,
        "Decide whether to stop trying booking@1.0.0 for Northmoor (Registrar appointments) and keep registrar-forms "
        "meanwhile.",
    ),
    (
        Recommended.NOT_PROVEN,
        "Decide whether a further trial of booking@1.0.0 for Northmoor (Registrar appointments) is worth its cost. "
        "This one does not support a change.",
    ),
]


@pytest.mark.parametrize(("recommended", "expected"), DECISIONS)
def test_the_decision_asked_for(recommended, expected):
    assert sentences.decision(NAMES, recommended) == expected
    assert sentences.decision(NAMES, recommended, registered=False).startswith("None: an exploratory trial")


def test_the_reason_names_two_benefits_and_counts_the_rest():
    notes = tuple(Note("benefit_shown", f"M{i} is better (measured)") for i in range(5))
    given = Recommendation(Recommended.ADOPT, (*notes, Note("guardrails_hold", "every guardrail holds.")))
    assert sentences.recommendation(given) == (
        "M0 is better (measured); M1 is better (measured); so are three more metrics; every guardrail holds."
    )
    assert sentences.recommendation(Recommendation(Recommended.STOP, ())) == "The rule gave no reason."


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 0, 0), "No trial of this pilot came before this one."),
        ((3, 1, 0), "Before this one came three exploratory trials and one abandoned trial."),
        ((0, 0, 2), "Before this one came no exploratory trials, no abandoned trials and two concluded registered trials."),
        ((0, 0, 0, 2), "No trial of this pilot came before this one. Two trials began after it."),
        ((12, 0, 0), "Before this one came 12 exploratory trials and no abandoned trials."),
    ],
)  # fmt: skip
def test_trials_before(counts, expected):
    assert sentences.trials_before(*counts) == expected


def test_limits_name_the_demand_the_machine_and_invention():
    text = " ".join(sentences.limits(NAMES, "60 times the peak hour", 2, True))
    for part in ("60 times the peak hour", "simulated", "one machine with two processors", "illustrative"):
        assert part in text
    assert "illustrative" not in " ".join(sentences.limits(NAMES, "x", None, False))


def test_titles_have_at_most_ten_words():
    many = [judged(v, 0.9, 0.8, 1.0) for v in Verdict]
    assert sentences.forest_title(many) == "Of 7 metrics: 1 better, 1 worse, 2 no worse, 3 not shown"
    assert rounds_title([(1, 0.9), (1, 1.1)], Direction.LOWER) == (
        "Lower with the candidate in 1 of 2 rounds"
    )
    for title in (rounds_title([(1, 0.9)], Direction.HIGHER),):
        assert len(title.split()) <= 10


FORBIDDEN = re.compile(
    r"signific|because of|\bcaus|saving|satisf|value for money|\bprove[sd]?\b|likely|probab", re.I
)


def test_nothing_that_the_method_forbids_is_said():
    said = [sentences.finding(NAMES, j, i) for j, i, _ in FINDINGS]
    said += [sentences.human(m, b, a) for m, b, a, _ in HUMAN]
    said += [sentences.decision(NAMES, r) for r in Recommended]
    said += list(sentences.limits(NAMES, "60 times the peak hour", 2, True))
    for text in said:
        text = text.replace("satisfaction, take-up, staff time or causes", "")
        assert not FORBIDDEN.search(text), text
        assert text.strip() == text
        assert text.endswith((".", "?"))
        assert "  " not in text
