"""Numbers as people read them: seconds, shares, percentage points, money, bytes, counts.

The one idea: figures that stand beside each other are written with one unit and one number of decimals,
enough that different figures look different, and a share never rounds up to 100% or down to 0%.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import TypeGuard

_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}
_NO_BREAK = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
NONE = "not known"
"""What is written where there is no figure."""


def fixed(value: float, decimals: int) -> str:
    """A number with this many decimals, thousands separated, a true minus sign, never "-0".

    Half is rounded to even on the decimal digits as written, so that the text is the same on every machine.
    """
    exact = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    text = f"{abs(exact):,}"
    return f"{_MINUS}{text}" if exact < 0 else text


def count(value: float) -> str:
    """A whole number with thousands separated: 12,345."""
    return fixed(round(value), 0)


def level(value: float) -> str:
    """A confidence level: 0.95 is "95%", 0.975 is "97.5%"."""
    return f"{round(value * 100, 2):g}%"


def together(values: Sequence[float | None], unit: str, currency: str = "GBP") -> tuple[str, ...]:
    """Figures of one metric that are read beside each other (before and after, or the rounds of a trial).

    `unit` is the registry's: seconds, bytes, fraction, money; any other is written after the number. None
    and figures that are not finite become "not known".
    """
    finite = [v for v in values if v is not None and math.isfinite(v)]
    if unit == "fraction":
        decimals = _enough([v * 100 for v in finite], 1, 4)
        return tuple(NONE if not _is_number(v) else _share(v, decimals) for v in values)
    scale, suffix = _scale(max((abs(v) for v in finite), default=0.0), unit)
    scaled = [v / scale for v in finite]
    start = 2 if unit == "money" else 0
    decimals = _enough(scaled, max(start, _decimals(max((abs(v) for v in scaled), default=0.0))), 8)
    prefix = money_symbol(currency) if unit == "money" else ""
    written = []
    for value in values:
        if not _is_number(value):
            written.append(NONE)
            continue
        text = fixed(value / scale, decimals)
        sign, digits = (_MINUS, text[1:]) if text.startswith(_MINUS) else ("", text)
        written.append(f"{sign}{prefix}{digits}{suffix}")
    return tuple(written)


def one(value: float | None, unit: str, currency: str = "GBP") -> str:
    """One figure on its own."""
    return together((value,), unit, currency)[0]


def axis(values: Sequence[float], unit: str, currency: str = "GBP") -> tuple[str, ...]:
    """Ticks of an axis: one unit, no more decimals than the finest tick needs."""
    if unit == "fraction":
        scaled, suffix, prefix = [v * 100 for v in values], "%", ""
    else:
        scale, suffix = _scale(max((abs(v) for v in values), default=0.0), unit)
        scaled, prefix = [v / scale for v in values], money_symbol(currency) if unit == "money" else ""
    decimals = next(
        (d for d in range(9) if all(abs(round(v, d) - v) <= 1e-9 * max(1, abs(v)) for v in scaled)), 9
    )
    return tuple(f"{prefix}{fixed(v, decimals)}{suffix}" for v in scaled)


def milliseconds(value: float) -> str:
    """Seconds as milliseconds with three digits that matter and no unit, for a column that names it."""
    return fixed(value * 1e3, min(3, _decimals(abs(value) * 1e3)))


def at_least(value: float, unit: str) -> str:
    """A censored figure, known only to be more than this: "> 10 s"."""
    return f">{_NO_BREAK}{_trim(one(value, unit))}"


def points(value: float, decimals: int = 2) -> str:
    """A difference of fractions in percentage points, signed: "+0.30 pp"."""
    text = fixed(value * 100, decimals)
    return f"{text if text.startswith(_MINUS) or value == 0 else '+' + text}{_NO_BREAK}pp"


def p_value(value: float) -> str:
    """A p-value as printed beside a verdict: three decimals, never 0."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def money_symbol(currency: str) -> str:
    """The currency's sign, or its code and a space."""
    return _SYMBOLS.get(currency, currency + _NO_BREAK)


def parts(share: float) -> tuple[int, int]:
    """A share as "n in m" with the least m of 100, 1,000 and 10,000 that does not round it to all or none.

    0.95 is (95, 100); 0.9963 is (996, 1000); exactly 0 and 1 are out of 100.
    """
    for whole in (100, 1000, 10_000):
        part = round(share * whole)
        off = abs(part / whole - share)
        if (0 < part < whole or share in (0.0, 1.0)) and (off < 5e-4 or whole == 10_000):
            return part, whole
    return (9_999 if share > 0.5 else 1), 10_000


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _share(value: float, decimals: int) -> str:
    percent = value * 100
    if value in (0.0, 1.0):
        return f"{percent:.0f}%"
    for more in range(decimals, 5):
        text = fixed(percent, more)
        if float(text.replace(_MINUS, "-")) not in (0.0, 100.0):
            return text + "%"
    return f"> {100 - 10**-4:.4f}%" if percent > 50 else "< 0.0001%"


def _scale(largest: float, unit: str) -> tuple[float, str]:
    if unit == "seconds":
        if largest >= 0.1 or largest == 0:
            return 1.0, f"{_NO_BREAK}s"
        return (1e-3, f"{_NO_BREAK}ms") if largest >= 1e-4 else (1e-6, f"{_NO_BREAK}µs")
    if unit == "bytes":
        for size, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
            if largest >= size:
                return size, _NO_BREAK + name
        return 1.0, f"{_NO_BREAK}bytes"
    return (1.0, "") if unit == "money" or not unit else (1.0, _NO_BREAK + unit)


def _decimals(largest: float) -> int:
    """Decimals that give the largest figure three digits that matter."""
    if largest == 0:
        return 0
    return min(8, max(0, 2 - math.floor(math.log10(largest) + 1e-12)))


def _enough(values: Sequence[float], start: int, most: int) -> int:
    """The least number of decimals from `start` at which figures that differ by a thousandth look "
    "different."""
    distinct = sorted(set(values))
    for decimals in range(start, most):
        clash = any(
            fixed(a, decimals) == fixed(b, decimals)
            for a, b in pairwise(distinct)
            if abs(b - a) > 1e-3 * max(abs(a), abs(b))
        )
        if not clash:
            return decimals
    return most


def _trim(text: str) -> str:
    """Without decimals that are all zero: "10.0 s" is "10 s"."""
    number, _, unit = text.partition(_NO_BREAK)
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number}{_NO_BREAK}{unit}" if unit else number
