"""What the judge is given of one metric, round by round, and how it is read.

The one idea: an arm's failure can only count against what is claimed for it. Every pair becomes a benefit (positive is good)
that is exact, or a bound, or unknown; bounds and unknowns open an end of the interval, so that nothing can be called better,
equivalent or no worse on the strength of what was not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge.metrics import Direction, Kind, Metric
from harness.judge.results import Note, Verdict


@dataclass(frozen=True)
class Pair:
    """One round: both arms' values of a metric in its unit.

    None: this arm has no value in this round (it did not get ready, or too few journeys to bear the figure). Censored: the
    truth is at least the value. For a proportion, `successes` of `trials` stand behind the value.
    """

    round: int
    before: float | None
    after: float | None
    before_censored: bool = False
    after_censored: bool = False
    before_successes: int = 0
    before_trials: int = 0
    after_successes: int = 0
    after_trials: int = 0


@dataclass(frozen=True)
class Refusal:
    """Why there is nothing to judge: the verdict (`no_data` or `invalid`) and the reason."""

    verdict: Verdict
    reason: Note


@dataclass(frozen=True)
class Series:
    """The rounds of a metric, read.

    `benefits` one a round on the verdict's scale (log ratio or difference), positive good; `observed` those of them that
    stand on both arms' values; `shown` the (before, after) behind `observed`. `low_open`, `high_open`: the interval has no
    such end. `counts` (before successes, trials, after successes, trials) pooled, None where they are not known.
    """

    benefits: tuple[float, ...]
    observed: tuple[float, ...]
    shown: tuple[tuple[float, float], ...]
    low_open: bool
    high_open: bool
    censored: tuple[str, ...]
    counts: tuple[int, int, int, int] | None
    warnings: tuple[Note, ...]

    @property
    def clean(self) -> bool:
        """Every round is exact."""
        return not (self.low_open or self.high_open)


def read(metric: Metric, pairs: Sequence[Pair], margin: float) -> Series | Refusal:
    """Read the rounds of one metric; `margin` on the verdict's scale.

    How rounds without a full pair of values count (docs/method.md, "What was not seen"): a candidate without a value counts as
    its worst other round, and at least the margin worse; an incumbent without a value, or both values censored, counts as the
    candidate's best other round, and at least the margin better, only ever to keep it from being called worse.
    """
    refusal = _refused(metric, pairs)
    if refusal is not None:
        return refusal
    if metric.kind is Kind.DIFFERENCE:
        pairs = [_filled(metric, pair) for pair in pairs]
    lower = metric.direction is Direction.LOWER
    observed: list[float] = []
    shown: list[tuple[float, float]] = []
    failed = unknown = neither = both = 0
    before_censored = after_censored = False
    for pair in pairs:
        before_censored |= pair.before_censored
        after_censored |= pair.after_censored
        if pair.before is None and pair.after is None:
            neither += 1
        elif pair.after is None:
            failed += 1
        elif pair.before is None:
            unknown += 1
        elif pair.before_censored and pair.after_censored:
            both += 1
        else:
            change = math.log(pair.after / pair.before) if metric.kind is Kind.RATIO else pair.after - pair.before
            observed.append(-change if lower else change)
            shown.append((pair.before, pair.after))
    if len(observed) < 2:
        return _too_few(len(pairs), len(observed), failed, unknown, neither, both)
    if metric.kind is Kind.RATIO and _still(observed):
        text = "both systems gave the same ratio in every round: nothing that varies was measured"
        return Refusal(Verdict.NO_DATA, Note("no_spread", text))
    worst, best = min(*observed, -margin), max(*observed, margin)
    # a censored value is at least what it says: that is bad where lower is better, good where higher is
    low_open = (after_censored if lower else before_censored) or failed > 0 or unknown > 0 or both > 0
    high_open = any(
        (p.before_censored and not p.after_censored) if lower else (p.after_censored and not p.before_censored)
        for p in pairs
    )
    return Series(
        benefits=(*observed, *[worst] * failed, *[best] * (unknown + both)),
        observed=tuple(observed),
        shown=tuple(shown),
        low_open=low_open,
        high_open=high_open,
        censored=tuple(a for a, c in (("before", before_censored), ("after", after_censored)) if c),
        counts=_counts(pairs) if metric.kind is Kind.DIFFERENCE else None,
        warnings=tuple(_warnings(len(pairs), failed, unknown, neither, both, before_censored, after_censored)),
    )


def _refused(metric: Metric, pairs: Sequence[Pair]) -> Refusal | None:
    if not pairs:
        return Refusal(Verdict.NO_DATA, Note("no_rounds", "no round was measured"))
    if len({pair.round for pair in pairs}) != len(pairs):
        return Refusal(Verdict.INVALID, Note("duplicate_round", "a round is there twice: each counts once"))
    for pair in pairs:
        for arm, value in (("before", pair.before), ("after", pair.after)):
            if value is None:
                continue
            if not math.isfinite(value):
                text = f"round {pair.round}, {arm}: {value} is not a finite number"
                return Refusal(Verdict.INVALID, Note("not_finite", text))
            if metric.kind is Kind.RATIO and value <= 0:
                return Refusal(Verdict.INVALID, _not_positive(pair.round, arm, value))
        refusal = _bad_counts(pair) if metric.kind is Kind.DIFFERENCE else None
        if refusal is not None:
            return refusal
    return None


def _not_positive(number: int, arm: str, value: float) -> Note:
    if arm == "before" and value == 0:
        return Note("zero_baseline", f"round {number}: the incumbent's value is 0, so a ratio to it is undefined")
    return Note("not_positive", f"round {number}, {arm}: {value:g} is not above zero, so a ratio is undefined")


def _bad_counts(pair: Pair) -> Refusal | None:
    arms = (
        ("before", pair.before, pair.before_successes, pair.before_trials),
        ("after", pair.after, pair.after_successes, pair.after_trials),
    )
    for arm, value, successes, trials in arms:
        if not 0 <= successes <= trials:
            text = f"round {pair.round}, {arm}: {successes} of {trials} cannot be"
            return Refusal(Verdict.INVALID, Note("bad_counts", text))
        if value is not None and trials and abs(value - successes / trials) > 1e-6:
            text = f"round {pair.round}, {arm}: the value {value:g} is not {successes} of {trials}"
            return Refusal(Verdict.INVALID, Note("bad_counts", text))
    return None


def _filled(metric: Metric, pair: Pair) -> Pair:
    """A candidate without a value of a proportion has the worst there can be: none of its journeys is known to be right."""
    if pair.after is not None or pair.before is None:
        return pair
    trials = pair.after_trials or pair.before_trials
    worst = 1.0 if metric.direction is Direction.LOWER else 0.0
    return replace(pair, after=worst, after_successes=trials if worst else 0, after_trials=trials)


def _counts(pairs: Sequence[Pair]) -> tuple[int, int, int, int] | None:
    used = [p for p in pairs if p.before is not None and p.after is not None]
    if any(p.before_trials == 0 or p.after_trials == 0 for p in used):
        return None
    return (
        sum(p.before_successes for p in used),
        sum(p.before_trials for p in used),
        sum(p.after_successes for p in used),
        sum(p.after_trials for p in used),
    )


def _still(values: Sequence[float]) -> bool:
    """No spread, rounding errors of the logarithm aside."""
    return max(values) - min(values) <= 1e-12 * max(1.0, max(abs(v) for v in values))


def _too_few(rounds: int, observed: int, failed: int, unknown: int, neither: int, both: int) -> Refusal:
    parts = [
        (failed, "the candidate has no value", "no_value_after"),
        (unknown, "the incumbent has no value", "no_value_before"),
        (neither, "neither system has a value", "no_value"),
        (both, "both values lie beyond the bound of the follow-up", "censored"),
    ]
    found = [f"in {count} {text}" for count, text, _ in parts if count]
    code = max(parts)[2] if observed == 0 else "too_few_rounds"
    text = f"{observed} of {rounds} rounds can be compared and at least 2 are needed"
    return Refusal(Verdict.NO_DATA, Note(code, "; ".join([text, *found])))


def _warnings(
    rounds: int, failed: int, unknown: int, neither: int, both: int, before_censored: bool, after_censored: bool
) -> list[Note]:
    notes: list[Note] = []
    if failed:
        notes.append(
            Note(
                "no_value_after",
                f"the candidate did not get ready, or gave too little to measure, in {failed} of {rounds} rounds: each "
                "counts as its worst other round and at least the margin worse, and nothing good can be concluded",
            )
        )
    if unknown:
        notes.append(
            Note(
                "no_value_before",
                f"the incumbent did not get ready, or gave too little to measure, in {unknown} of {rounds} rounds: that "
                "is no merit of the candidate, and nothing good can be concluded",
            )
        )
    if neither:
        notes.append(Note("no_value", f"neither system gave a value in {neither} of {rounds} rounds: left out"))
    if both:
        notes.append(
            Note(
                "both_censored",
                f"both systems lie beyond the bound of the follow-up in {both} of {rounds} rounds: which was slower is "
                "not known, and nothing good can be concluded",
            )
        )
    arms = [arm for arm, cut in (("incumbent", before_censored), ("candidate", after_censored)) if cut]
    if arms:
        text = f"the value of the {' and of the '.join(arms)} is only a lower bound in some rounds"
        notes.append(Note("censored", text))
    return notes
