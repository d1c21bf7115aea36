"""From a trial's record to its judgement: pairs by round, the judge's word on each metric, the recommendation, the costs.

The one idea: everything is taken from the ledger's record and its document, so that a judgement can be made again, by
anybody, from the same rows and the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import harness
from harness.judge.cost import judge_cost
from harness.judge.holm import holm
from harness.judge.judge import Pair, break_guardrail, judge_metric, unjudged
from harness.judge.metrics import METRICS, Evidence, Kind, Metric, weakest
from harness.judge.recommendation import recommend
from harness.judge.results import (
    ArmJudgement,
    GuardrailState,
    Judgement,
    Note,
    Recommended,
    Role,
    TrialJudgement,
    Verdict,
)
from harness.store.records import (
    FindingRecord,
    FullTrial,
    RoundRecord,
    RunRecord,
    RunState,
    TrialState,
    Value,
)
from harness.trial.costing import cost_trial
from harness.trial.errors import Exit, worst
from harness.trial.order import derive
from harness.value.cost import CostOutcome
from harness.workspace.quantities import Margin

_COUNTED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # successes, trials: what stands behind a proportion
    "completion_rate": (("completed", "refused"), ("completed", "refused", "failed", "abandoned")),
    "abandonment_rate": (("abandoned",), ("completed", "refused", "failed", "abandoned")),
    "correctness": (("correct",), ("completed",)),
}


def judge_trial(full: FullTrial, findings: Sequence[FindingRecord] = ()) -> TrialJudgement:
    """Judge every candidate of a trial against its incumbent by the protocol it ran under.

    `findings` are the pilot's; an open blocking one keeps a candidate from being adopted.
    """
    trial = full.trial
    protocol = trial.document["protocol"]
    costs = cost_trial(full, derive(trial.seed, "cost"))
    candidates = [arm for arm in trial.arms if arm.arm != "before"]
    judged = tuple(
        _judge_arm(full, protocol, arm.arm, arm.system, len(candidates), costs, findings)
        for arm in candidates
    )
    return TrialJudgement(
        trial=trial.uid,
        judged_with=harness.__version__,
        seed=trial.seed,
        arms=judged,
        costs=costs.arms if costs else (),
        warnings=(
            *(Note("exploratory", text) for text in trial.document.get("exploratory_because", ())),
            *_book_warnings(costs),
        ),
    )


def _judge_arm(
    full: FullTrial,
    protocol: Mapping[str, Any],
    arm: str,
    system: str,
    candidates: int,
    costs: CostOutcome | None,
    findings: Sequence[FindingRecord],
) -> ArmJudgement:
    def judged(criterion: Mapping[str, Any], role: Role) -> Judgement:
        return _judge_one(full, protocol, arm, criterion, role, candidates, costs)

    primary = judged(protocol["primary"], Role.PRIMARY)
    broken = _broken_invariants(full, arm)
    guardrails = tuple(
        break_guardrail(found, broken) if found.metric == "correctness" else found
        for found in (judged(criterion, Role.GUARDRAIL) for criterion in protocol["guardrails"])
    )
    secondary = holm([judged(criterion, Role.SECONDARY) for criterion in protocol["secondary"]])
    return ArmJudgement(
        arm=arm,
        system=system,
        primary=primary,
        guardrails=guardrails,
        secondary=tuple(secondary),
        recommendation=recommend(
            primary,
            guardrails,
            tuple(secondary),
            broken_invariants=broken,
            blocking_findings=[f.text for f in findings if f.blocking and f.resolved_at is None],
        ),
    )


def _judge_one(
    full: FullTrial,
    protocol: Mapping[str, Any],
    arm: str,
    criterion: Mapping[str, Any],
    role: Role,
    candidates: int,
    costs: CostOutcome | None,
) -> Judgement:
    metric = METRICS[criterion["metric"]]
    margin = Margin.parse(criterion["margin"])
    alpha = float(protocol["alpha"])

    def withheld(verdict: Verdict, code: str, why: str) -> Judgement:
        note = Note(code, why)
        return unjudged(metric, verdict, note, margin=margin.value, margin_text=str(margin), role=role)

    if full.trial.state is TrialState.INVALID:
        why = full.trial.state_reason or "a validity check failed in every attempt at a round"
        return withheld(Verdict.INVALID, "trial_invalid", why)
    if full.trial.state is TrialState.ABANDONED:
        return withheld(Verdict.NO_DATA, "abandoned", full.trial.state_reason or "the trial was abandoned")
    unready = _never_ready(full, arm)
    if unready is not None:
        return withheld(Verdict.NO_DATA, "never_ready", unready)
    if metric.kind is Kind.COST:
        if costs is None:
            return withheld(Verdict.NO_DATA, "cost_unknown", "the body's prices or volumes are not known")
        draws = (
            costs.per_transaction if metric.name == "cost_per_transaction" else costs.per_successful_outcome
        )
        if "before" not in draws or arm not in draws:
            return withheld(Verdict.NO_DATA, "cost_unknown", "; ".join(w.text for w in costs.warnings))
        return judge_cost(
            metric,
            draws["before"],
            draws[arm],
            margin=margin.value,
            margin_text=str(margin),
            role=role,
            alpha=alpha,
            evidence=_cost_evidence(metric, costs, arm),
            candidates=candidates,
            rounds=len(full.valid_rounds),
        )
    return judge_metric(
        metric,
        pairs(full.valid_rounds, metric, arm),
        margin=margin.value,
        margin_text=str(margin),
        role=role,
        alpha=alpha,
        candidates=candidates,
    )


def _book_warnings(costs: CostOutcome | None) -> tuple[Note, ...]:
    """What the cost warns of that no single arm's figures carry."""
    if costs is None:
        return ()
    told = {note for cost in costs.arms for note in cost.warnings}
    return tuple(note for note in costs.warnings if note not in told)


def _cost_evidence(metric: Metric, costs: CostOutcome, arm: str) -> Evidence:
    """The weakest class of what either arm's cost rests on."""
    found = [
        cost.per_transaction if metric.name == "cost_per_transaction" else cost.per_successful_outcome
        for cost in costs.arms
        if cost.arm in ("before", arm)
    ]
    return weakest(figure.evidence for figure in found if figure is not None)


def pairs(rounds: Sequence[RoundRecord], metric: Metric, arm: str) -> tuple[Pair, ...]:
    """(before, after) of each valid round for one metric and candidate, with the counts behind a proportion."""
    found: list[Pair] = []
    for record in rounds:
        runs = {run.arm: run for run in record.runs}
        before, after = runs["before"], runs[arm]
        old, new = before.values.get(metric.name), after.values.get(metric.name)
        if metric.name == "correctness" and not (_audited(before) and _audited(after)):
            continue  # not known, which is neither right nor wrong
        old_k, old_n = _counts(before, metric.name)
        new_k, new_n = _counts(after, metric.name)
        found.append(
            Pair(
                round=record.number,
                before=_plain(old),
                after=_plain(new),
                before_censored=old.censored if old else False,
                after_censored=new.censored if new else False,
                before_successes=old_k,
                before_trials=old_n,
                after_successes=new_k,
                after_trials=new_n,
            )
        )
    return tuple(found)


def _audited(run: RunRecord) -> bool:
    """Whether correctness can be spoken of: the audit ran, or the system was not there to be audited."""
    return run.state is not RunState.MEASURED or "correct" in run.counts


def _plain(value: Value | None) -> float | None:
    return value.value if value is not None else None


def _counts(run: RunRecord, metric: str) -> tuple[int, int]:
    names = _COUNTED.get(metric)
    if names is None:
        return 0, 0
    successes, trials = names
    return sum(run.counts.get(n, 0) for n in successes), sum(run.counts.get(n, 0) for n in trials)


def _never_ready(full: FullTrial, arm: str) -> str | None:
    """Why there is nothing to judge: one of the two systems got ready in no round."""
    for key in ("before", arm):
        runs = [run for record in full.valid_rounds for run in record.runs if run.arm == key]
        if runs and all(run.state is RunState.NOT_READY for run in runs):
            label = next(a.system for a in full.trial.arms if a.arm == key)
            return f"{label} got ready in no round: {runs[-1].reason}"
    return None if full.valid_rounds else "no round was completed"


def _broken_invariants(full: FullTrial, arm: str) -> list[str]:
    """Invariants of the candidate that the audit found violated, once each with the worst count.

    Attempts at a round that were found invalid count here: a broken invariant needs no quiet machine.
    """
    found: dict[str, tuple[int, int, str]] = {}
    for record in full.rounds:
        for run in record.runs:
            for check in run.audit if run.arm == arm else ():
                if check.violations > found.get(check.name, (0, 0, ""))[0]:
                    found[check.name] = (check.violations, check.examined, check.detail)
    return [f"{name}: {bad} of {of} ({detail})" for name, (bad, of, detail) in found.items()]


def exit_code(judgement: TrialJudgement, *, strict: bool = False) -> Exit:
    """The exit code of a judged trial (DESIGN's contract); secondary metrics never decide it."""
    none = {Verdict.INVALID, Verdict.NO_DATA} | ({Verdict.INCONCLUSIVE} if strict else set())
    codes = [Exit.DONE]
    for arm in judgement.arms:
        broken = any(guardrail.guardrail is GuardrailState.BROKEN for guardrail in arm.guardrails)
        stopped = arm.recommendation.recommended is Recommended.STOP
        if arm.primary.verdict is Verdict.WORSE or broken or stopped:
            codes.append(Exit.WORSE)
        if any(judged.verdict in none for judged in (arm.primary, *arm.guardrails)):
            codes.append(Exit.NO_VERDICT)
    return worst(codes)
