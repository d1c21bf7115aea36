"""From the rounds of one metric to its judgement: effect, interval, verdict, guardrail, and the reasons as
data.

The one idea: the verdict is read off the interval and the margin settled beforehand, by one small table;
nothing measured, or something that cannot be compared, is a verdict of its own and never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge import effect
from harness.judge.holm import holm
from harness.judge.metrics import Direction, Evidence, Kind, Metric
from harness.judge.pairs import Pair, Refusal, Series, read
from harness.judge.planning import least_rounds
from harness.judge.results import GuardrailState, Interval, Judgement, Note, Role, Verdict

__all__ = [
    "Pair",
    "break_guardrail",
    "guardrail_of",
    "holm",
    "judge_metric",
    "on_scale",
    "unjudged",
    "verdict_of",
]

_FEW = 6
_SPREADS_DIFFER = 0.05


def verdict_of(low: float, high: float, margin: float) -> Verdict:
    """The verdict on a benefit-signed interval (docs/method.md, "Verdicts"); ends may be infinite."""
    if -margin < low and high < margin:
        return Verdict.EQUIVALENT
    if low > 0:
        return Verdict.BETTER
    if high < 0:
        return Verdict.WORSE
    if low > -margin:
        return Verdict.NO_WORSE
    return Verdict.INCONCLUSIVE


def guardrail_of(low: float, high: float, margin: float) -> GuardrailState:
    """Whether a guardrail holds on a benefit-signed interval; ends may be infinite."""
    if low > -margin:
        return GuardrailState.HOLDS
    return GuardrailState.BROKEN if high < -margin else GuardrailState.NOT_SHOWN


def on_scale(kind: Kind, margin: float) -> float:
    """A margin as written (a fraction) on the verdict's scale: ln(1 + margin) for ratios and costs.

    Raises:
        ValueError: zero, negative, over 1 (100%, 100 percentage points), or not finite.
    """
    if not 0 < margin <= 1:
        raise ValueError(f"a margin above 0 and at most 1 (100%); found {margin}")
    return margin if kind is Kind.DIFFERENCE else math.log1p(margin)


def judge_metric(
    metric: Metric,
    pairs: Sequence[Pair],
    *,
    margin: float,
    margin_text: str,
    role: Role,
    alpha: float,
    candidates: int = 1,
) -> Judgement:
    """Judge one metric of one candidate against the incumbent, paired by round.

    `margin` as a fraction (10% is 0.1, 0.5pp is 0.005); `alpha` the trial's two-sided error rate, shared by
    the candidates for a primary or secondary metric, not for a guardrail (intersection–union).

    Raises:
        ValueError: a cost metric (see `judge.cost`), a margin or alpha out of range.
    """
    if metric.kind is Kind.COST:
        raise ValueError(f"{metric.name} is a cost metric: it is judged from draws, by judge_cost")
    if not 0 < alpha < 1 or candidates < 1:
        raise ValueError(f"alpha between 0 and 1 and at least one candidate; found {alpha}, {candidates}")
    scale = on_scale(metric.kind, margin)
    found = read(metric, pairs, scale)
    if isinstance(found, Refusal):
        return unjudged(
            metric,
            found.verdict,
            found.reason,
            margin=margin,
            margin_text=margin_text,
            role=role,
            rounds=len(pairs),
        )
    level = alpha if role is Role.GUARDRAIL else alpha / candidates
    return _judged(metric, found, scale, margin_text, role, level)


def unjudged(
    metric: Metric,
    verdict: Verdict,
    reason: Note,
    *,
    margin: float,
    margin_text: str,
    role: Role,
    rounds: int = 0,
    evidence: Evidence | None = None,
) -> Judgement:
    """The judgement of what cannot be judged: `no_data` or `invalid` with its reason; a guardrail is not
    shown.
    """
    return Judgement(
        metric=metric.name,
        role=role,
        kind=metric.kind,
        verdict=verdict,
        guardrail=GuardrailState.NOT_SHOWN if role is Role.GUARDRAIL else None,
        evidence=evidence or metric.evidence,
        margin=on_scale(metric.kind, margin),
        margin_text=margin_text,
        rounds=rounds,
        reasons=(reason,),
    )


def break_guardrail(judgement: Judgement, invariants: Sequence[str]) -> Judgement:
    """The guardrail broken, whatever its interval says, because audited invariants of the candidate were."""
    if not invariants:
        return judgement
    note = Note("invariant_broken", f"the audit found an invariant broken: {'; '.join(invariants)}")
    return replace(judgement, guardrail=GuardrailState.BROKEN, reasons=(note, *judgement.reasons))


@dataclass(frozen=True)
class _Arms:
    """The arms' own figures and how their spreads compare."""

    before: float
    after: float
    spread_ratio: float | None
    spread_p: float | None


def _judged(
    metric: Metric, series: Series, margin: float, margin_text: str, role: Role, level: float
) -> Judgement:
    values = series.benefits
    low, high = effect.t_interval(values, level)
    if series.counts is not None:
        # pooled counts of after − before, turned to benefit like everything else
        score = effect.newcombe(series.counts, level)
        low, high = effect.hull(
            (low, high), score if metric.direction is Direction.HIGHER else (-score[1], -score[0])
        )
    benefit = Interval(low, high, 1 - level, series.low_open, series.high_open)
    verdict = verdict_of(benefit.lowest, benefit.highest, margin)
    guardrail = guardrail_of(benefit.lowest, benefit.highest, margin) if role is Role.GUARDRAIL else None
    noise = effect.spread(series.observed)
    known = series.clean and noise > 0
    mde = effect.least_detectable(noise, len(values), level) if known else None
    arms = _arms(metric, series)
    return Judgement(
        metric=metric.name,
        role=role,
        kind=metric.kind,
        verdict=verdict,
        guardrail=guardrail,
        evidence=metric.evidence,
        margin=margin,
        margin_text=margin_text,
        rounds=len(values),
        effect=_as_measured(metric, effect.mean(values)),
        interval=_turned(metric, benefit),
        benefit=benefit,
        before=arms.before,
        after=arms.after,
        censored=series.censored,
        pairs=series.shown,
        noise_floor=noise,
        mde=mde,
        p_value=effect.sign_flip_p(values) if series.clean else None,
        spread_ratio=arms.spread_ratio,
        reasons=tuple(reasons(verdict, benefit, margin_text, guardrail)),
        warnings=(*series.warnings, *_warnings(metric, series, arms, benefit, margin, mde, level)),
    )


def _as_measured(metric: Metric, benefit: float) -> float:
    change = benefit if metric.direction is Direction.HIGHER else -benefit
    return change if metric.kind is Kind.DIFFERENCE else math.exp(change)


def _turned(metric: Metric, benefit: Interval) -> Interval:
    """The benefit interval as measured: a ratio after/before, or after − before."""
    if metric.direction is Direction.HIGHER:
        low, high, low_open, high_open = benefit.low, benefit.high, benefit.low_open, benefit.high_open
    else:
        low, high, low_open, high_open = benefit.high, benefit.low, benefit.high_open, benefit.low_open
    return Interval(_as_measured(metric, low), _as_measured(metric, high), benefit.level, low_open, high_open)


def _arms(metric: Metric, series: Series) -> _Arms:
    before, after = [b for b, _ in series.shown], [a for _, a in series.shown]
    if metric.kind is Kind.DIFFERENCE:
        figures = effect.mean(before), effect.mean(after)
    else:
        figures = effect.geometric_mean(before), effect.geometric_mean(after)
        before, after = [math.log(b) for b in before], [math.log(a) for a in after]
    if not series.clean or effect.spread(before) == 0:
        return _Arms(*figures, None, None)
    return _Arms(*figures, effect.spread(after) / effect.spread(before), effect.spread_p(before, after))


def reasons(
    verdict: Verdict, benefit: Interval, margin_text: str, guardrail: GuardrailState | None
) -> list[Note]:
    """Why this verdict and this state, one sentence each."""
    interval = f"{benefit.level * 100:g}% interval"
    texts = {
        Verdict.EQUIVALENT: (
            "within_margin",
            f"the whole {interval} lies within the margin of {margin_text} either way",
        ),
        Verdict.BETTER: ("better_side", f"the whole {interval} lies on the better side of no difference"),
        Verdict.WORSE: ("worse_side", f"the whole {interval} lies on the worse side of no difference"),
        Verdict.NO_WORSE: (
            "worse_excluded",
            f"the {interval} leaves out worse by {margin_text}, and leaves open whether it is better",
        ),
        Verdict.INCONCLUSIVE: (
            "too_wide",
            f"the {interval} holds both no difference and one for the worse of {margin_text}",
        ),
    }
    found = [Note(*texts[verdict])]
    if benefit.low_open and verdict is Verdict.INCONCLUSIVE:
        found = [Note("bound_only", "what was measured leaves open how much worse the candidate may be")]
    states = {
        GuardrailState.HOLDS: ("guardrail_holds", f"worse by {margin_text} or more is excluded"),
        GuardrailState.BROKEN: (
            "guardrail_broken",
            f"the whole {interval} is worse by more than {margin_text}",
        ),
        GuardrailState.NOT_SHOWN: ("guardrail_not_shown", f"worse by {margin_text} or more is not excluded"),
    }
    if guardrail is not None:
        found.append(Note(*states[guardrail]))
    return found


def _warnings(
    metric: Metric,
    series: Series,
    arms: _Arms,
    benefit: Interval,
    margin: float,
    mde: float | None,
    level: float,
) -> list[Note]:
    rounds = len(series.benefits)
    notes: list[Note] = []
    if rounds < _FEW:
        text = (
            f"{rounds} rounds: the interval leans on normally distributed effects; {_FEW} or more are better"
        )
        notes.append(Note("few_rounds", text))
    least = least_rounds(level)
    if rounds < least:
        text = f"with {rounds} rounds no outcome of the permutation test reaches {level:.3g}; {least} could"
        notes.append(Note("alpha_not_attainable", text))
    if rounds > effect.EXACT_UP_TO and series.clean:
        notes.append(Note("p_sampled", "the permutation p is from 100,000 seeded flips, not all of them"))
    if (benefit.high - benefit.low) / 2 > margin if mde is None else mde > margin:
        text = "the margin is smaller than the least effect that this many rounds find in four trials of five"
        notes.append(Note("margin_within_noise", text))
    if arms.spread_p is not None and arms.spread_p < _SPREADS_DIFFER:
        wider = "candidate" if (arms.spread_ratio or 0) > 1 else "incumbent"
        notes.append(
            Note("spread_differs", f"the {wider} varies more from round to round (p = {arms.spread_p:.2g})")
        )
    if metric.kind is Kind.DIFFERENCE and series.counts is None:
        notes.append(Note("no_counts", "no counts behind the proportions: the interval is over rounds alone"))
    if metric.kind is Kind.DIFFERENCE and effect.spread(series.benefits) == 0:
        text = "the same in every round: the interval is that of the counts alone"
        notes.append(Note("no_spread_over_rounds", text))
    return notes
