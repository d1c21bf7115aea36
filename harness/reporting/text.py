"""The verdict table and the finding as plain text, for a terminal.

The one idea: the terminal says the same words as page one, from the same functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.judge.results import ArmJudgement, Judgement, TrialJudgement
from harness.reporting import formats, sentences
from harness.reporting.effects import effect_text, margin_words
from harness.reporting.view import TrialView
from harness.reporting.words import (
    GUARDRAIL_WORDS,
    ROLE_WORDS,
    VERDICT_WORDS,
    clean,
    metric_title,
    metric_unit,
    metric_words,
)
from harness.store.records import FullTrial


@dataclass(frozen=True)
class VerdictRow:
    """One judged metric of one candidate, every cell finished text; `guardrail` is empty for other roles.

    `effect` is the estimate and its interval in one; `estimate` and `interval` are the two apart, in short units for a
    narrow table.
    """

    candidate: str
    metric: str
    role: str
    before: str
    after: str
    effect: str
    margin: str
    verdict: str
    guardrail: str
    estimate: str
    interval: str


def verdict_rows(trial: FullTrial, judgement: TrialJudgement) -> list[VerdictRow]:
    """The verdict table: each candidate's metrics, primary first."""
    view = TrialView(trial, judgement)
    return [_row(view, arm, j) for arm in judgement.arms for j in arm.judgements]


def finding_sentence(trial: FullTrial, judgement: TrialJudgement, arm: str | None = None) -> str:
    """The finding of one candidate (the first without `arm`) as one sentence.

    Raises:
        KeyError: no such candidate was judged.
    """
    view = TrialView(trial, judgement)
    found = next((a for a in judgement.arms if arm in (None, a.arm)), None)
    if found is None:
        raise KeyError(f"a judged candidate; found {arm!r}")
    return clean(sentences.finding(view.names(found.arm), found, view.broken_invariants(found.arm)), 900)


def _row(view: TrialView, arm: ArmJudgement, j: Judgement) -> VerdictRow:
    unit = metric_unit(j.metric)
    before, after = formats.together((j.before, j.after), unit, view.currency)
    if "before" in j.censored and j.before is not None:
        before = formats.at_least(j.before, unit)
    if ("after" in j.censored or arm.arm in j.censored) and j.after is not None:
        after = formats.at_least(j.after, unit)
    effect = effect_text(j, metric_words(j.metric).times_word)
    words = "–" if effect is None else effect.short
    if effect is not None and effect.interval:
        words = f"{effect.short} ({effect.level}: {effect.interval})"
    return VerdictRow(
        candidate=view.label(arm.arm),
        metric=metric_title(j.metric),
        role=ROLE_WORDS[j.role],
        before=before,
        after=after,
        effect=words,
        margin=margin_words(j),
        verdict=VERDICT_WORDS[j.verdict],
        guardrail=GUARDRAIL_WORDS[j.guardrail] if j.guardrail is not None else "",
        estimate=_short(effect.short) if effect is not None else "–",
        interval=_short(effect.interval) if effect is not None and effect.interval else "–",
    )


def _short(text: str) -> str:
    """The same words in less room."""
    short = re.sub(r" percentage points?", " pp", text)
    return (
        short.removeprefix("between ").replace(" and ", " to ", 1) if short.startswith("between ") else short
    )
