"""The published rule that turns verdicts into a recommendation; the decision stays the board's.

The one idea: the first line that matches decides, so that anybody can follow the rule with a finger. The
trial hands in what its protocol registered and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.metrics import ALWAYS_GUARDED, METRICS
from harness.judge.results import (
    GuardrailState,
    Judgement,
    Note,
    Recommendation,
    Recommended,
    Role,
    Verdict,
)

_AT_LEAST_NO_WORSE = (Verdict.BETTER, Verdict.EQUIVALENT, Verdict.NO_WORSE)


def recommend(
    primary: Judgement,
    guardrails: Sequence[Judgement],
    secondary: Sequence[Judgement] = (),
    broken_invariants: Sequence[str] = (),
    blocking_findings: Sequence[str] = (),
) -> Recommendation:
    """The recommendation on one candidate (docs/method.md, "Recommendation").

    `broken_invariants` are the candidate's; `blocking_findings` those still open. Guardrails that must be
    there and are not (completion and correctness, unless one is the primary metric) keep it from being
    adopted.
    """
    stopped = [
        Note("invariant_broken", f"the audit found an invariant broken: {name}") for name in broken_invariants
    ]
    if stopped:
        return Recommendation(Recommended.STOP, tuple(stopped))
    if primary.verdict in (Verdict.INVALID, Verdict.NO_DATA):
        why = "; ".join(reason.text for reason in primary.reasons)
        text = f"{_title(primary)} has no verdict ({primary.verdict.value}): {why}"
        return Recommendation(Recommended.NOT_PROVEN, (Note("no_verdict", text), *_broken(guardrails)))
    stopped = _broken(guardrails)
    if primary.benefit is not None and primary.benefit.highest < -primary.margin:
        text = f"{_title(primary)} is worse by more than its margin of {primary.margin_text}"
        stopped = [Note("primary_beyond_margin", text), *stopped]
    if stopped:
        return Recommendation(Recommended.STOP, tuple(stopped))
    repair = [Note("finding_open", f"a blocking finding is open: {text}") for text in blocking_findings]
    if primary.verdict is Verdict.WORSE:
        repair = [Note("primary_worse", f"{_title(primary)} is worse"), *repair]
    if repair:
        return Recommendation(Recommended.ITERATE, tuple(repair))
    lacking = _lacking(primary, guardrails)
    better = [j for j in (primary, *guardrails, *secondary) if _counts_as_better(j)]
    if not better:
        lacking.append(Note("no_benefit_shown", "nothing that the protocol registered is shown to be better"))
    if lacking:
        return Recommendation(Recommended.NOT_PROVEN, tuple(lacking))
    shown = [Note("benefit_shown", f"{_title(j)} is better ({j.evidence.value})") for j in better]
    held = Note("guardrails_hold", f"{_title(primary)} is at least no worse and every guardrail holds")
    return Recommendation(Recommended.ADOPT, (*shown, held))


def _broken(guardrails: Sequence[Judgement]) -> list[Note]:
    return [
        Note("guardrail_broken", f"{_title(g)} broke its guardrail of {g.margin_text}")
        for g in guardrails
        if g.guardrail is GuardrailState.BROKEN
    ]


def _lacking(primary: Judgement, guardrails: Sequence[Judgement]) -> list[Note]:
    notes: list[Note] = []
    if primary.verdict not in _AT_LEAST_NO_WORSE:
        text = f"{_title(primary)} is not shown to be no worse ({primary.verdict.value})"
        notes.append(Note("primary_not_shown", text))
    notes += [
        Note("guardrail_not_shown", f"{_title(g)} is not shown to stay within its margin of {g.margin_text}")
        for g in guardrails
        if g.guardrail is not GuardrailState.HOLDS
    ]
    judged = {primary.metric, *(g.metric for g in guardrails)}
    notes += [
        Note("guardrail_missing", f"{METRICS[name].title} was not guarded")
        for name in ALWAYS_GUARDED
        if name not in judged
    ]
    return notes


def _counts_as_better(judgement: Judgement) -> bool:
    """Better, and for one of several secondary metrics still so after Holm's adjustment (where it has a p at
    all).
    """
    if judgement.verdict is not Verdict.BETTER:
        return False
    if judgement.role is not Role.SECONDARY or judgement.interval is None:
        return True
    p = judgement.p_value if judgement.p_holm is None else judgement.p_holm
    return p is None or p <= 1 - judgement.interval.level + 1e-12


def _title(judgement: Judgement) -> str:
    metric = METRICS.get(judgement.metric)
    return metric.title if metric else judgement.metric
