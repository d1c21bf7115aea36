"""Effects and intervals in words, rounded so that the words never contradict the figures.

The one idea: an estimate and the two ends of its interval are rounded to one grid, fine enough that each
stays on its own side of zero and of both margins; so "20% lower, between 12% and 19%" cannot be written,
nor can an interval that crosses a margin look as if it did not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.metrics import Kind
from harness.judge.results import Judgement
from harness.reporting import formats

_MOST_DECIMALS = 4


@dataclass(frozen=True)
class EffectText:
    """An effect in words: `estimate` "28% lower", `interval` "between 25% and 31% lower", `level` "95%",
    `short` for tables.

    `times`: the words say how many times the incumbent's figure it is.
    """

    estimate: str
    interval: str
    level: str
    short: str
    times: bool = False
    short_interval: str = ""


def on_one_grid(
    values: Sequence[float], margins: Sequence[float], zero: float = 0.0
) -> tuple[tuple[float, ...], int]:
    """Round an estimate and the ends of its interval, in this order; returns the rounded values and the
    number of decimals.

    The grid starts as fine as the spread of the values calls for and gets finer until every value is on the
    same side of the margins as it was, the ends on the same side of `zero` too, and the ends differ where
    they differed. (An estimate may round to zero when its interval crosses zero.) At the finest grid a
    value that would still land on a boundary is moved one grid step to its own side. Order is kept.
    """
    spread = max(values) - min(values)
    bounds = [tuple(margins), *((*margins, zero) for _ in values[1:])]
    if len(values) == 1:
        bounds = [(*margins, zero)]
    start = 0 if spread >= 4 else 1 if spread >= 0.4 else 2
    for decimals in range(start, _MOST_DECIMALS + 1):
        rounded = tuple(_round(v, decimals) for v in values)
        sides = all(
            _side(r, b) == _side(v, b) for v, r, own in zip(values, rounded, bounds, strict=True) for b in own
        )
        apart = spread == 0 or max(rounded) > min(rounded)
        if sides and apart:
            return rounded, decimals
    step = 10.0**-_MOST_DECIMALS
    moved = [_own_side(v, own, step) for v, own in zip(values, bounds, strict=True)]
    if len(moved) == 3:
        moved[0] = min(max(moved[0], moved[1]), moved[2])
    return tuple(moved), _MOST_DECIMALS


def effect_text(judgement: Judgement, times_word: str = "high") -> EffectText | None:
    """The judged effect in words; None where the judge gave no effect.

    Ratios and costs read "28% lower" or, from twice upwards, "2.4 times as high" (`times_word`);
    differences read "0.3 percentage points higher". An end of the interval that is open (what was measured
    is only a bound) is said: "at least 31% higher".
    """
    if judgement.effect is None or not math.isfinite(judgement.effect):
        return None
    interval = judgement.interval
    if interval is not None and not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        interval = None
    values = (judgement.effect,) if interval is None else (judgement.effect, interval.low, interval.high)
    ends = _Ends(
        "" if interval is None else formats.level(interval.level),
        interval is not None and interval.low_open,
        interval is not None and interval.high_open,
    )
    if judgement.kind is Kind.DIFFERENCE:
        margin = judgement.margin * 100
        shown, decimals = on_one_grid([v * 100 for v in values], (margin, -margin))
        return _in_words(shown, decimals, ends, " percentage points", " pp")
    low, high = math.expm1(-judgement.margin), math.expm1(judgement.margin)
    if min(values) >= 1.5 and judgement.effect >= 2:
        shown, decimals = on_one_grid(values, (1 + high,), 1.0)
        return _in_times(shown, decimals, ends, times_word)
    shown, decimals = on_one_grid([(v - 1) * 100 for v in values], (low * 100, high * 100))
    return _in_words(shown, decimals, ends, "%", "%")


def band_text(judgement: Judgement) -> str:
    """The differences that were settled beforehand as too small to matter, in both directions."""
    if judgement.kind is Kind.DIFFERENCE:
        return f"up to {_points(_plain(judgement.margin * 100))} either way"
    low, high = -math.expm1(-judgement.margin) * 100, math.expm1(judgement.margin) * 100
    return f"from {_plain(low)}% lower to {_plain(high)}% higher"


def margin_words(judgement: Judgement) -> str:
    """The margin as written, in words: "10%", "0.5 percentage points"."""
    written = judgement.margin_text.strip()
    return _points(written[:-2].strip()) if written.endswith("pp") else written


def _points(number: str) -> str:
    return f"{number} percentage point{'' if number == '1' else 's'}"


@dataclass(frozen=True)
class _Ends:
    level: str
    low_open: bool
    high_open: bool


def _in_words(shown: Sequence[float], decimals: int, ends: _Ends, unit: str, short_unit: str) -> EffectText:
    estimate, short = (_estimate(shown, decimals, ends, u) for u in (unit, short_unit))
    if len(shown) == 1:
        return EffectText(estimate, "", "", short)
    interval, short_interval = (_interval(shown[1], shown[2], decimals, ends, u) for u in (unit, short_unit))
    between = f"between {interval}" if " and " in interval else interval
    return EffectText(
        estimate, between, ends.level, short, short_interval=short_interval.replace(" and ", " to ")
    )


def _interval(low: float, high: float, decimals: int, ends: _Ends, unit: str) -> str:
    if ends.low_open or ends.high_open:
        return _open_interval(low, high, decimals, ends, unit)
    if low == high:
        return f"{_directed(low, decimals, unit)} exactly"
    if low >= 0 or high <= 0:
        near, far = sorted((abs(low), abs(high)))
        first = f"{formats.fixed(near, decimals)}{unit if unit == '%' else ''}"
        return f"{first} and {formats.fixed(far, decimals)}{unit} {'higher' if low >= 0 else 'lower'}"
    return f"{_directed(low, decimals, unit)} and {_directed(high, decimals, unit)}"


def _estimate(shown: Sequence[float], decimals: int, ends: _Ends, unit: str) -> str:
    value = shown[0]
    if len(shown) == 3 and shown[1] < 0 < shown[2] and value == 0:
        return "about the same"
    text = _directed(value, decimals, unit)
    if ends.low_open == ends.high_open or value == 0:
        return text
    return f"at least {text}" if (value > 0) is ends.high_open else f"at most {text}"


def _open_interval(low: float, high: float, decimals: int, ends: _Ends, unit: str) -> str:
    """What is known when one end, or both, is only a bound."""
    if ends.low_open and ends.high_open:
        return "without a bound either way"
    end = low if ends.high_open else high
    if end == 0:
        return "no lower" if ends.high_open else "no higher"
    word = "at least" if (end > 0) is ends.high_open else "at most"
    return f"{word} {_directed(end, decimals, unit)}"


def _in_times(shown: Sequence[float], decimals: int, ends: _Ends, word: str) -> EffectText:
    bound = "" if ends.low_open == ends.high_open else "at least " if ends.high_open else "at most "
    estimate = f"{bound}{formats.fixed(shown[0], decimals)} times as {word}"
    if len(shown) == 1:
        return EffectText(estimate, "", "", estimate, True)
    low, high = (formats.fixed(v, decimals) for v in shown[1:])
    if ends.low_open and ends.high_open:
        interval = "without a bound either way"
    elif ends.high_open:
        interval = f"at least {low} times"
    elif ends.low_open:
        interval = f"at most {high} times"
    else:
        interval = f"between {low} and {high} times"
    short = interval.removeprefix("between ").replace(" and ", " to ")
    return EffectText(estimate, interval, ends.level, estimate, True, short)


def _directed(value: float, decimals: int, unit: str) -> str:
    if value == 0:
        return "no different"
    return f"{formats.fixed(abs(value), decimals)}{unit} {'higher' if value > 0 else 'lower'}"


def _plain(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else formats.count(value)


def _round(value: float, decimals: int) -> float:
    return round(value, decimals) + 0.0


def _side(value: float, boundary: float) -> int:
    if math.isclose(value, boundary, rel_tol=1e-12, abs_tol=1e-12):
        return 0
    return 1 if value > boundary else -1


def _own_side(value: float, boundaries: Sequence[float], step: float) -> float:
    rounded = _round(value, _MOST_DECIMALS)
    for boundary in boundaries:
        if _side(rounded, boundary) == _side(value, boundary):
            continue
        if _side(value, boundary) > 0:
            rounded = _round((math.floor(boundary / step + 1e-9) + 1) * step, _MOST_DECIMALS)
        elif _side(value, boundary) < 0:
            rounded = _round((math.ceil(boundary / step - 1e-9) - 1) * step, _MOST_DECIMALS)
    return rounded
