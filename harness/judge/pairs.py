"""What the judge is given of one metric, round by round, and how it is read.

The one idea: an arm's failure can only count against what is claimed for it. Every pair becomes a benefit
(positive is good) that is exact, or a bound, or unknown; bounds and unknowns open an end of the interval, so
that nothing can be called better, equivalent or no worse on the strength of what was not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.judge.effect import spread
from harness.judge.metrics import Direction, Kind, Metric
from harness.judge.results import Note, Verdict


@dataclass(frozen=True)
class Pair:
    """One round: both arms' values of a metric in its unit.

    None: this arm has no value in this round (it did not get ready, or too few journeys to bear the figure).
    Censored: the truth is at least the value. For a proportion, `successes` of `trials` stand behind the
    value.
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

    `benefits` one a round on the verdict's scale (log ratio or difference), positive good; `observed` those
    of them that stand on both arms' values; `shown` the (before, after) behind `observed`. `low_open`,
    `high_open`: the interval has no such end. `counts` (before successes, trials, after successes, trials)
    pooled, None where they are not known.
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


@dataclass
class _Unseen:
    """How many of `rounds` could not be compared, and why."""

    rounds: int
    failed: int = 0
    unknown: int = 0
    neither: int = 0
    both: int = 0


def read(metric: Metric, pairs: Sequence[Pair], margin: float) -> Series | Refusal:
    """Read the rounds of one metric; `margin` on the verdict's scale.

    How rounds without a full pair of values count (docs/method.md, "What was not seen"): a candidate without
    a value counts as its worst other round, and at least the margin worse; an incumbent without a value, or
    both values censored, counts as the candidate's best other round, and at least the margin better, only
    ever to keep it from being called worse. A round without any value is left out.
    """
    refusal = _refused(metric, pairs)
    if refusal is not None:
        return refusal
    if metric.kind is Kind.DIFFERENCE:
        pairs = [_filled(metric, pair) for pair in pairs]
    compared: list[tuple[Pair, float]] = []
    unseen = _Unseen(len(pairs))
    for pair in pairs:
        if pair.before is None and pair.after is None:
            unseen.neither += 1
        elif pair.after is None:
            unseen.failed += 1
        elif pair.before is None:
            unseen.unknown += 1
        elif pair.before_censored and pair.after_censored:
            unseen.both += 1
        else:
            compared.append((pair, _benefit(metric, pair.before, pair.after)))
    if len(compared) < 2:
        return _too_few(unseen, len(compared))
    counts = _counts([pair for pair, _ in compared]) if metric.kind is Kind.DIFFERENCE else None
    if counts is None and spread([benefit for _, benefit in compared]) == 0:
        text = "every round gave exactly the same effect: nothing that varies was measured"
        return Refusal(Verdict.NO_DATA, Note("no_spread", text))
    return _series(metric, compared, margin, unseen, counts)


def _benefit(metric: Metric, before: float, after: float) -> float:
    change = math.log(after / before) if metric.kind is Kind.RATIO else after - before
    return -change if metric.direction is Direction.LOWER else change


def _series(
    metric: Metric,
    compared: Sequence[tuple[Pair, float]],
    margin: float,
    unseen: _Unseen,
    counts: tuple[int, int, int, int] | None,
) -> Series:
    observed = tuple(benefit for _, benefit in compared)
    worst, best = min(*observed, -margin), max(*observed, margin)
    before_cut = any(pair.before_censored for pair, _ in compared)
    after_cut = any(pair.after_censored for pair, _ in compared)
    # a censored value is at least what it says: that is bad where lower is better, good where higher is
    lower = metric.direction is Direction.LOWER
    at_most, at_least = (after_cut, before_cut) if lower else (before_cut, after_cut)
    blind = unseen.failed + unseen.unknown + unseen.both > 0
    cut = (("before", before_cut or unseen.both > 0), ("after", after_cut or unseen.both > 0))
    censored = tuple(arm for arm, found in cut if found)
    return Series(
        benefits=(*observed, *[worst] * unseen.failed, *[best] * (unseen.unknown + unseen.both)),
        observed=observed,
        shown=tuple((pair.before, pair.after) for pair, _ in compared),  # type: ignore[misc]  # both are there
        low_open=at_most or blind,
        high_open=at_least,
        censored=censored,
        counts=counts,
        warnings=tuple(_warnings(unseen, censored)),
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
        return Note(
            "zero_baseline", f"round {number}: the incumbent's value is 0, so a ratio to it is undefined"
        )
    return Note(
        "not_positive", f"round {number}, {arm}: {value:g} is not above zero, so a ratio is undefined"
    )


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
    """A candidate without a value of a proportion has the worst there can be: none of its journeys is known
    to be right.
    """
    if pair.after is not None or pair.before is None:
        return pair
    trials = pair.after_trials or pair.before_trials
    worst = 1.0 if metric.direction is Direction.LOWER else 0.0
    return replace(pair, after=worst, after_successes=trials if worst else 0, after_trials=trials)


def _counts(pairs: Sequence[Pair]) -> tuple[int, int, int, int] | None:
    if any(pair.before_trials == 0 or pair.after_trials == 0 for pair in pairs):
        return None
    return (
        sum(p.before_successes for p in pairs),
        sum(p.before_trials for p in pairs),
        sum(p.after_successes for p in pairs),
        sum(p.after_trials for p in pairs),
    )


def _too_few(unseen: _Unseen, observed: int) -> Refusal:
    parts = [
        (unseen.failed, "the candidate has no value", "no_value_after"),
        (unseen.unknown, "the incumbent has no value", "no_value_before"),
        (unseen.neither, "neither system has a value", "no_value"),
        (unseen.both, "both values lie beyond the bound of the follow-up", "both_censored"),
    ]
    found = [f"in {count} {text}" for count, text, _ in parts if count]
    code = max(parts)[2] if observed == 0 else "too_few_rounds"
    text = f"{observed} of {unseen.rounds} rounds can be compared and at least 2 are needed"
    return Refusal(Verdict.NO_DATA, Note(code, "; ".join([text, *found])))


def _warnings(unseen: _Unseen, censored: Sequence[str]) -> list[Note]:
    of = f"of {unseen.rounds} rounds"
    silent = "did not get ready, or gave too little to measure,"
    blind = "nothing good can be concluded"
    texts = [
        (
            unseen.failed,
            "no_value_after",
            f"the candidate {silent} in {unseen.failed} {of}: each counts as its worst other round and at "
            f"least the margin worse, and {blind}",
        ),
        (
            unseen.unknown,
            "no_value_before",
            f"the incumbent {silent} in {unseen.unknown} {of}: that is no merit of the candidate, "
            f"and {blind}",
        ),
        (unseen.neither, "no_value", f"neither system gave a value in {unseen.neither} {of}: left out"),
        (
            unseen.both,
            "both_censored",
            f"both systems lie beyond the bound of the follow-up in {unseen.both} {of}: which was slower "
            f"is not known, and {blind}",
        ),
    ]
    notes = [Note(code, text) for count, code, text in texts if count]
    if censored:
        arms = [{"before": "incumbent", "after": "candidate"}[arm] for arm in censored]
        text = f"the value of the {' and of the '.join(arms)} is only a lower bound in some rounds"
        notes.append(Note("censored", text))
    return notes
