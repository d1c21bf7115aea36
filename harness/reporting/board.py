"""Page one of a pilot's page from a trial and its judgement.

The one idea: it is put together from tested sentences and figures; nothing is worded here that depends on a
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge.metrics import METRICS
from harness.judge.results import ArmJudgement, CostFigure, GuardrailState, Judgement, Recommended, Verdict
from harness.reporting import formats, sentences
from harness.reporting.charts.forest import forest
from harness.reporting.effects import effect_text, margin_words
from harness.reporting.model import (
    Board,
    CandidateFinding,
    Figure,
    FindingLine,
    GuardrailRow,
    KeyRow,
    Notice,
)
from harness.reporting.view import TrialView
from harness.reporting.words import (
    EVIDENCE_WORDS,
    GUARDRAIL_WORDS,
    RECOMMENDED_WORDS,
    VERDICT_WORDS,
    clean,
    metric_title,
    metric_unit,
    metric_words,
    plural,
    sentence,
)
from harness.store.records import FindingRecord, TrialState

_KEY_METRICS = ("cost_per_successful_outcome", "completion_rate", "correctness")
_MOST_FOREST_ROWS = 8
_MOST_FINDINGS = 3
_MOST_REASONS = 2


@dataclass(frozen=True)
class Before:
    """How many other trials of the pilot there are: started before this one by kind, and after it."""

    exploratory: int = 0
    abandoned: int = 0
    registered: int = 0
    later: int = 0


def board(view: TrialView, before: Before) -> Board | None:
    """Page one; None where the trial has no judgement to tell."""
    if view.judgement is None or not view.judgement.arms:
        return None
    judged = view.judgement.arms
    shown = [a.arm for a in judged]
    # figures of an invalid trial would be read as its result: they stand in the engineers' part alone
    withheld = view.full.trial.state is TrialState.INVALID
    openly = [line(f) for f in view.full.findings if f.resolved_at is None]
    openly.sort(key=lambda f: not f.blocking)
    return Board(
        candidates=tuple(_candidate(view, a) for a in judged),
        arm_heads=(f"Before: {view.label('before')}", *(f"After: {view.label(a)}" for a in shown)),
        change_heads=("Change",) if len(shown) == 1 else tuple(f"Change: {view.label(a)}" for a in shown),
        key_rows=() if withheld else _key_rows(view, judged),
        forests=tuple(
            forest(f"forest-{i}", _shown(a, len(judged)), view.label(a.arm), len(judged) > 1)
            for i, a in enumerate(judged)
            if any(j.interval is not None for j in a.judgements)
        ),
        guardrails=tuple(_guardrail(view, a, g, len(judged) > 1) for a in judged for g in a.guardrails),
        changes=view.texts("pilot", "changes"),
        limits=sentences.limits(view.names(shown[0]), _demand(view), _processors(view), view.illustrative),
        open_findings=tuple(openly[:_MOST_FINDINGS]),
        more_findings=max(0, len(openly) - _MOST_FINDINGS),
        trials_before=sentences.trials_before(
            before.exploratory, before.abandoned, before.registered, before.later
        ),
    )


def _shown(judged: ArmJudgement, candidates: int) -> tuple[Judgement, ...]:
    """The rows of a candidate's forest plot: all that fit; of several candidates the primary metric and
    guardrails.
    """
    return judged.judgements[:_MOST_FOREST_ROWS] if candidates == 1 else (judged.primary, *judged.guardrails)


def _candidate(view: TrialView, judged: ArmJudgement) -> CandidateFinding:
    names = view.names(judged.arm)
    primary = judged.primary
    record = next((a for a in view.arms if a.arm == judged.arm), None)
    given = judged.recommendation
    return CandidateFinding(
        arm=judged.arm,
        label=names.candidate,
        title=clean(record.title, 120) if record else names.candidate,
        verdict=primary.verdict,
        verdict_word=VERDICT_WORDS[primary.verdict],
        finding=sentences.finding(names, _cleaned(judged), view.broken_invariants(judged.arm)),
        confidence=sentences.confidence(primary),
        human=_human(view, judged),
        recommended=given.recommended,
        recommended_word=RECOMMENDED_WORDS[given.recommended],
        reason=clean(sentences.recommendation(given), 500),
        decision=sentences.decision(names, given.recommended, view.full.trial.registered),
    )


def _human(view: TrialView, judged: ArmJudgement) -> str | None:
    """The sentence about people; none where there is no verdict, so that no difference is told that was not
    judged.
    """
    primary = judged.primary
    if primary.verdict in (Verdict.INVALID, Verdict.NO_DATA):
        return None
    before = view.arm_range("before", primary.metric, primary)
    return sentences.human(
        primary.metric, before, view.arm_range(judged.arm, primary.metric, primary), view.currency
    )


def _cleaned(judged: ArmJudgement) -> ArmJudgement:
    """The same with the primary's reasons cleaned: they may quote a system's log."""
    reasons = tuple(replace(n, text=clean(n.text, 240)) for n in judged.primary.reasons)
    return replace(judged, primary=replace(judged.primary, reasons=reasons))


def _key_rows(view: TrialView, judged: Sequence[ArmJudgement]) -> tuple[KeyRow, ...]:
    names = dict.fromkeys([*(a.primary.metric for a in judged[:1]), *_KEY_METRICS])
    return tuple(_key_row(view, judged, name) for name in names)


def _key_row(view: TrialView, judged: Sequence[ArmJudgement], name: str) -> KeyRow:
    found = [next((j for j in a.judgements if j.metric == name), None) for a in judged]
    arms = ["before", *(a.arm for a in judged)]
    cost = name.startswith("cost_per_")
    figures = _cost_figures(view, arms, name) if cost else _figures(view, arms, name, found)
    changes = tuple(_change(j) for j in found)
    if cost:
        order = list(EVIDENCE_WORDS)
        classes = [a.evidence for a in (_amount(view, arm, name) for arm in arms) if a is not None]
        evidence = EVIDENCE_WORDS[max(classes, key=order.index)] if classes else "not known"
    else:
        evidence = EVIDENCE_WORDS[METRICS[name].evidence] if name in METRICS else "not known"
    meaning = METRICS[name].meaning if name in METRICS else ""
    return KeyRow(metric_title(name), meaning, figures, changes, evidence)


def _figures(
    view: TrialView, arms: Sequence[str], name: str, judged: Sequence[Judgement | None]
) -> tuple[Figure, ...]:
    owners = [judged[0], *judged]
    ranges = [view.arm_range(arm, name, j) for arm, j in zip(arms, owners, strict=True)]
    unit = metric_unit(name)
    ends = [end for r in ranges for end in ((None, None) if r.censored else (r.least, r.greatest))]
    plain = [None if r.censored else r.value for r in ranges]
    texts = formats.together(plain, unit, view.currency)
    end_texts = formats.together(ends, unit, view.currency)
    figures = []
    for i, r in enumerate(ranges):
        text = formats.at_least(r.value, unit) if r.censored and r.value is not None else texts[i]
        low, high = end_texts[2 * i], end_texts[2 * i + 1]
        known = r.least is not None and low != high and not r.censored
        figures.append(Figure(text, f"{low} to {high}" if known else ""))
    return tuple(figures)


def _amount(view: TrialView, arm: str, name: str) -> CostFigure | None:
    """One arm's cost figure; None where it is not known or the metric is no cost of an arm."""
    costs = view.judgement.costs if view.judgement else ()
    found = next((c for c in costs if c.arm == arm), None)
    if found is None:
        return None
    amounts = {
        "cost_per_transaction": found.per_transaction,
        "cost_per_successful_outcome": found.per_successful_outcome,
    }
    return amounts.get(name)


def _cost_figures(view: TrialView, arms: Sequence[str], name: str) -> tuple[Figure, ...]:
    amounts = [_amount(view, arm, name) for arm in arms]
    flat = [v for a in amounts for v in ((a.likely, a.low, a.high) if a else (None, None, None))]
    texts = formats.together(flat, "money", view.currency)
    figures = []
    for i, amount in enumerate(amounts):
        likely, low, high = texts[3 * i : 3 * i + 3]
        figures.append(Figure(likely, f"{low} to {high}" if amount and low != high else ""))
    return tuple(figures)


def _change(judgement: Judgement | None) -> str:
    if judgement is None:
        return "not judged"
    effect = effect_text(judgement, metric_words(judgement.metric).times_word)
    word = VERDICT_WORDS[judgement.verdict]
    return f"{word}: {effect.short}" if effect else word


def _guardrail(view: TrialView, judged: ArmJudgement, given: Judgement, several: bool) -> GuardrailRow:
    state = given.guardrail or GuardrailState.NOT_SHOWN
    return GuardrailRow(
        metric=metric_title(given.metric),
        margin=margin_words(given),
        candidate=view.label(judged.arm) if several else "",
        state=state,
        word=GUARDRAIL_WORDS[state],
        meaning=sentence(clean(sentences.guardrail(given), 160)),
        evidence=EVIDENCE_WORDS[given.evidence],
    )


def line(finding: FindingRecord) -> FindingLine:
    """A recorded problem as a line."""
    resolved = ""
    if finding.resolved_at is not None:
        resolved = (
            f"Resolved {finding.resolved_at:%-d %B %Y}: {clean(finding.resolution or 'no word on how')}"
        )
    return FindingLine(
        sentence(clean(finding.text, 200)),
        clean(finding.source, 60),
        finding.blocking,
        f"{finding.opened_at:%-d %B %Y}",
        resolved,
    )


def _demand(view: TrialView) -> str:
    rate = view.number("demand", "rate")
    text = view.text("demand", "text", default="not recorded")
    if rate is None or "a second" in text:
        return text
    return f"{text}, {rate:.3g} arrivals a second"


def _processors(view: TrialView) -> int | None:
    for key in ("processors", "cores", "cpus", "cpu_count"):
        found = view.full.trial.machine.get(key)
        if isinstance(found, int):
            return found
    return None


def notices(view: TrialView, planned: int | None) -> tuple[Notice, ...]:
    """What must be known before the finding is read."""
    trial = view.full.trial
    found: list[Notice] = []
    if trial.state is TrialState.INVALID:
        why = clean(trial.state_reason or "a round could not be made valid within its repeats", 300)
        # where it was judged, the finding says why
        told = () if view.judgement else (sentence(why),)
        found.append(Notice("invalid", "This trial is invalid: it gives no verdict", told))
    elif trial.state is TrialState.OPEN:
        done = len(view.full.valid_rounds)
        of = f" of {planned}" if planned else ""
        found.append(Notice("open", f"This trial has not finished: {done}{of} rounds are in"))
    elif trial.state is TrialState.ABANDONED:
        why = clean(trial.state_reason or "no reason was recorded", 300)
        found.append(Notice("abandoned", "This trial was abandoned", (sentence(why),)))
    if not trial.registered:
        reasons = view.texts("exploratory_because") or (
            "its protocol was not registered before the first run",
        )
        lines = tuple(sentence(r) for r in reasons[:_MOST_REASONS])
        if len(reasons) > _MOST_REASONS:
            more = plural(len(reasons) - _MOST_REASONS, "more reason")
            lines = (*lines, sentence(f"{more} below, with the protocol"))
        found.append(Notice("exploratory", "Exploratory: a quick look, not a registered trial.", lines))
    if view.judgement is None and trial.state in (TrialState.FINISHED, TrialState.INVALID):
        old = view.full.judgement is not None
        text = (
            "Its judgement was stored by another version and cannot be read here"
            if old
            else "It has not been judged yet"
        )
        found.append(Notice("old", text, ("Judge the trial again to see its finding.",)))
    if _uncounted_finding(view):
        heading = "A blocking finding is open that the recommendation below did not count"
        found.append(Notice("finding", heading, ("Judge the trial again before deciding.",)))
    return tuple(found)


def _uncounted_finding(view: TrialView) -> bool:
    """Whether a candidate is recommended for adoption in spite of a blocking finding, recorded since."""
    blocked = any(f.blocking and f.resolved_at is None for f in view.full.findings)
    judged = view.judgement.arms if view.judgement else ()
    return blocked and any(a.recommendation.recommended is Recommended.ADOPT for a in judged)
