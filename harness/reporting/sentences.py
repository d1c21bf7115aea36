"""Every sentence of page one, each a pure function of the result.

The one idea: the verdict decides the grammar, the interval decides the words, and nothing is said that a
load test cannot bear: no cause, no satisfaction, no cash, and never a pass where nothing was shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.metrics import METRICS, Direction, Kind
from harness.judge.results import (
    ArmJudgement,
    GuardrailState,
    Judgement,
    Recommendation,
    Recommended,
    Verdict,
)
from harness.reporting import formats
from harness.reporting.effects import band_text, effect_text, margin_words
from harness.reporting.words import (
    EVIDENCE_WORDS,
    listed,
    metric_unit,
    metric_words,
    number_word,
    plural,
    sentence,
)


@dataclass(frozen=True)
class Names:
    """What the systems, the service and the body are called in sentences; already cleaned."""

    candidate: str
    incumbent: str
    service: str
    body: str


@dataclass(frozen=True)
class ArmRange:
    """One arm's figure of one metric with its least and greatest value over the rounds, in the metric's unit.

    `censored`: the figure is only a lower bound, because in `censored_rounds` of `rounds` it fell among
    journeys that never ended.
    """

    value: float | None
    least: float | None
    greatest: float | None
    censored: bool = False
    rounds: int = 0
    censored_rounds: int = 0


def finding(names: Names, judged: ArmJudgement, broken_invariants: Sequence[str] = ()) -> str:
    """The finding of one candidate as one sentence; a broken guardrail or invariant is never left "
    "out of it."""
    return sentence(_core(names, judged.primary) + _but(judged, broken_invariants))


def _core(names: Names, primary: Judgement) -> str:
    new, old = names.candidate, names.incumbent
    subject = metric_words(primary.metric).subject
    effect = effect_text(primary, metric_words(primary.metric).times_word)
    verdict = primary.verdict
    if verdict is Verdict.INVALID and any(note.code == "trial_invalid" for note in primary.reasons):
        return f"The trial is invalid and gives no verdict on {new}{_because(primary)}"
    if verdict is Verdict.INVALID:
        return f"There is no verdict on {new}, because it cannot be compared with {old}{_because(primary)}"
    if verdict is Verdict.NO_DATA or effect is None:
        return f"There is no verdict on {new}, because there is nothing to judge{_because(primary)}"
    bracket = f" ({effect.level} interval: {effect.interval})" if effect.interval else ""
    if verdict in (Verdict.BETTER, Verdict.WORSE):
        return f"{new} is {verdict.value} than {old}: {subject} was {effect.estimate}{bracket}"
    if verdict is Verdict.EQUIVALENT:
        return (
            f"{new} and {old} are equivalent: {subject} was {effect.estimate}{bracket}, "
            f"within the {margin_words(primary)} settled beforehand as too small to matter"
        )
    if verdict is Verdict.NO_WORSE:
        return (
            f"{new} is no worse than {old}, and whether it is better is not shown: "
            f"{subject} was {effect.estimate}{bracket}"
        )
    return (
        f"The trial does not show whether {new} is better or worse than {old}: "
        f"{subject} was {effect.estimate}{bracket}"
    )


def _because(primary: Judgement) -> str:
    text = "; ".join(note.text.strip().rstrip(".") for note in primary.reasons)
    return f": {text}" if text else ""


def _but(judged: ArmJudgement, broken_invariants: Sequence[str]) -> str:
    broken = [
        metric_words(g.metric).subject for g in judged.guardrails if g.guardrail is GuardrailState.BROKEN
    ]
    said = []
    if broken:
        said.append(f"{listed(broken)} broke {'its guardrail' if len(broken) == 1 else 'their guardrails'}")
    if broken_invariants:
        said.append(f"the audit found {plural(len(broken_invariants), 'rule')} of the service broken")
    if not said:
        return ""
    favourable = judged.primary.verdict in (Verdict.BETTER, Verdict.EQUIVALENT, Verdict.NO_WORSE)
    return f", {'but' if favourable else 'and'} {' and '.join(said)}"


def confidence(primary: Judgement) -> str:
    """The verdict's confidence in words: level, rounds, evidence class, and what was too small to matter."""
    effect = effect_text(primary, metric_words(primary.metric).times_word)
    if primary.verdict in (Verdict.INVALID, Verdict.NO_DATA) or effect is None:
        return "No interval can be given, so nothing is claimed."
    evidence = EVIDENCE_WORDS[primary.evidence]
    if not effect.interval:
        return f"No interval can be given; the figure is {evidence}."
    basis = f"over {plural(primary.rounds, 'round')}" if primary.rounds else "over the declared ranges"
    return (
        f"Confidence: {effect.level}, {basis}; {evidence}. "
        f"Settled beforehand as too small to matter: {band_text(primary)}."
    )


_WAITS = {
    "journey_time_p50": ("half of all people", "half or more of all people"),
    "journey_time_p95": ("19 in 20 people", "more than 1 in 20 people"),
    "journey_time_p99": ("99 in 100 people", "more than 1 in 100 people"),
}
_SHARES = {
    "completion_rate": ("people", "reached the end of their task"),
    "abandonment_rate": ("people", "gave up because a page kept them waiting too long"),
    "correctness": ("people who finished", "got an outcome that the audit found right"),
}


def human(metric: str, before: ArmRange, after: ArmRange, currency: str = "GBP") -> str | None:
    """The primary metric as one sentence about people, with its range over the rounds; None where a figure
    is missing.
    """
    if before.value is None or after.value is None:
        return None
    old, new = _figures(metric, before, after, currency)
    if metric in _WAITS:
        return _waits(metric, before, after)
    if metric in _SHARES:
        return _shares(metric, before.value, after.value)
    subject = metric_words(metric).subject
    return sentence(
        f"In the trial {subject} is {new}; before, it was {old}{_ranges(metric, before, after, currency)}"
    )


def _waits(metric: str, before: ArmRange, after: ArmRange) -> str:
    who, lost = _WAITS[metric]
    old, new = _figures(metric, before, after, "GBP")
    never = "did not reach the end of their task"
    if after.censored and before.censored:
        return f"In the trial {_in_rounds(after)}{lost} {never}; before, it was so {_in_rounds(before)}too."
    if after.censored:
        return f"In the trial {who} waited {old} or less before; now, {_in_rounds(after)}{lost} {never}."
    if before.censored:
        return f"In the trial {who} now wait {new} or less; before, {_in_rounds(before)}{lost} {never}."
    if old == new:
        return (
            f"In the trial {who} wait {new} or less, as they did "
            f"before{_ranges(metric, before, after, 'GBP')}."
        )
    return (
        f"In the trial {who} now wait {new} or less; before, it was "
        f"{old}{_ranges(metric, before, after, 'GBP')}."
    )


def _in_rounds(arm: ArmRange) -> str:
    """In how many rounds it was so, with a blank after it; nothing where that is not known."""
    if not arm.rounds or not arm.censored_rounds:
        return ""
    if arm.rounds == arm.censored_rounds:
        return "in every round "
    return f"in {number_word(arm.censored_rounds)} of {plural(arm.rounds, 'round')} "


def _shares(metric: str, old: float, new: float) -> str:
    whole = max(formats.parts(old)[1], formats.parts(new)[1])
    who, did = _SHARES[metric]
    was, is_ = _of(old, whole), _of(new, whole)
    if was == is_:
        return f"In the trial {is_} {who} {did}, as before."
    return f"In the trial {is_} {who} {did}; before, it was {was}."


def _of(share: float, whole: int) -> str:
    """The share as "996 in 1,000", never all or none where it is not."""
    part = round(share * whole)
    if share < 1:
        part = min(part, whole - 1)
    if share > 0:
        part = max(part, 1)
    return "all" if part == whole else "no" if part == 0 else f"{part:,} in {whole:,}"


def _figures(metric: str, before: ArmRange, after: ArmRange, currency: str) -> tuple[str, str]:
    unit = metric_unit(metric)
    if before.censored or after.censored:
        # a bound of many seconds must not take the digits of the figure beside it
        texts = (formats.one(before.value, unit, currency), formats.one(after.value, unit, currency))
    else:
        texts = _pair(formats.together((before.value, after.value), unit, currency))
    pair = [
        formats.at_least(arm.value, unit) if arm.censored and arm.value is not None else text
        for arm, text in zip((before, after), texts, strict=True)
    ]
    return pair[0], pair[1]


def _pair(texts: Sequence[str]) -> tuple[str, str]:
    return texts[0], texts[1]


def _ranges(metric: str, before: ArmRange, after: ArmRange, currency: str) -> str:
    ends = (after.least, after.greatest, before.least, before.greatest)
    if any(e is None for e in ends) or (after.least == after.greatest and before.least == before.greatest):
        return ""
    a, b, c, d = formats.together(ends, metric_unit(metric), currency)
    return f" (over the rounds {a} to {b} now, {c} to {d} before)"


def recommendation(given: Recommendation) -> str:
    """Why the published rule recommends so; of many benefits the first two are named and the "
    "others counted."""
    # why there is no verdict stands in the finding, just above
    texts = [
        (note.text.split(": ")[0] if note.code == "no_verdict" else note.text).strip().rstrip(".")
        for note in given.reasons
    ]
    shown = [i for i, note in enumerate(given.reasons) if note.code == "benefit_shown"]
    if len(shown) > 3:
        rest = len(shown) - 2
        texts = [t for i, t in enumerate(texts) if i not in shown[2:]]
        texts.insert(shown[1] + 1, f"so are {number_word(rest)} more metrics")
    reason = "; ".join(texts)
    return sentence(reason) if reason else "The rule gave no reason."


def decision(names: Names, recommended: Recommended, registered: bool = True) -> str:
    """The decision asked of the board; an exploratory trial asks for none."""
    what = f"{names.candidate} for {names.body} ({names.service})"
    if not registered:
        return (
            "None: an exploratory trial is no basis for a decision. "
            "Register the protocol and run it before deciding anything."
        )
    return {
        Recommended.ADOPT: f"Decide whether to adopt {what}. The rule recommends it; the decision "
        f"is the board’s.",
        Recommended.ITERATE: f"Decide whether to have {what} improved and tried again.",
        Recommended.STOP: f"Decide whether to stop trying {what} and keep {names.incumbent} meanwhile.",
        Recommended.NOT_PROVEN: (
            f"Decide whether a further trial of {what} is worth its cost. This one does not support a change."
        ),
    }[recommended]


def guardrail(judgement: Judgement) -> str:
    """What one guardrail's state means, in words."""
    effect = effect_text(judgement, metric_words(judgement.metric).times_word)
    worse = _worse_by(judgement)
    if judgement.guardrail is GuardrailState.HOLDS:
        return f"worse by {worse} or more is excluded"
    invariants = [n.text.strip().rstrip(".") for n in judgement.reasons if n.code == "invariant_broken"]
    if invariants:
        return "; ".join(invariants)
    if judgement.guardrail is GuardrailState.BROKEN:
        reasons = "; ".join(n.text.strip().rstrip(".") for n in judgement.reasons)
        past = (
            effect is not None
            and judgement.benefit is not None
            and judgement.benefit.high < -judgement.margin
        )
        return f"worse by more than {worse}" if past or not reasons else reasons
    if any(n.code == "trial_invalid" for n in judgement.reasons):
        return "the trial is invalid"
    if effect is None:
        return "; ".join(n.text.strip().rstrip(".") for n in judgement.reasons) or "nothing to judge"
    return f"worse by {worse} or more is not excluded"


def _worse_by(judgement: Judgement) -> str:
    """The margin on its bad side: as written for a rise, for a fall of a ratio its reciprocal (10% up is
    9.09% down).
    """
    metric = METRICS.get(judgement.metric)
    if judgement.kind is Kind.DIFFERENCE or metric is None or metric.direction is Direction.LOWER:
        return margin_words(judgement)
    return f"{-math.expm1(-judgement.margin) * 100:.3g}%"


def trials_before(exploratory: int, abandoned: int, registered: int, later: int = 0) -> str:
    """How many trials of this pilot came before this one, and after it: page one counts them all."""
    since = " " + sentence(f"{plural(later, 'trial')} began after it") if later else ""
    if not exploratory and not abandoned and not registered:
        return f"No trial of this pilot came before this one.{since}"
    parts = [f"{plural(exploratory, 'exploratory trial')}", f"{plural(abandoned, 'abandoned trial')}"]
    if registered:
        parts.append(f"{plural(registered, 'concluded registered trial')}")
    return sentence(f"before this one came {listed(parts)}") + since


def forest_title(judgements: Sequence[Judgement]) -> str:
    """The forest plot's active title, ten words or fewer."""
    total = len(judgements)
    better = sum(j.verdict is Verdict.BETTER for j in judgements)
    worse = sum(j.verdict is Verdict.WORSE for j in judgements)
    same = sum(j.verdict in (Verdict.EQUIVALENT, Verdict.NO_WORSE) for j in judgements)
    open_ = total - better - worse - same
    named = ((better, "better"), (worse, "worse"), (same, "no worse"), (open_, "not shown"))
    said = [f"{n} {word}" for n, word in named if n]
    return (
        f"Of {total} metric{'' if total == 1 else 's'}: {', '.join(said)}" if said else "No metric was judged"
    )


def limits(names: Names, demand: str, processors: int | None, illustrative: bool) -> tuple[str, ...]:
    """What the trial does not show: demand, simulated citizens, one machine, invented bodies."""
    said = [
        sentence(f"the demand was {demand}; at another demand the difference may be another"),
        "The citizens are simulated: a load test says nothing of satisfaction, take-up, staff time "
        "or causes.",
    ]
    cores = f" with {plural(processors, 'processor')}" if processors else ""
    said.append(f"Everything ran on one machine{cores}, not where the service would run.")
    if illustrative:
        said.append(f"{names.body} is an invented body: its figures are illustrative.")
    return tuple(said)
