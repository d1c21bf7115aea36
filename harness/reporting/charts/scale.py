"""Scales and ticks: from values to pixels, linear or logarithmic.

The one idea: ticks are round numbers a reader can count with, never more than fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` onto pixels from `start` to `end`; logarithmic when `log` (both ends
    above zero).
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value; values outside are put on the nearer end."""
        value = min(max(value, self.low), self.high)
        if self.high == self.low:
            return (self.start + self.end) / 2
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within the scale, at most this many."""
        return log_ticks(self.low, self.high, most) if self.log else linear_ticks(self.low, self.high, most)


def linear_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within low–high."""
    if high <= low:
        return [low]
    raw = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10, 20) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Whole digits times powers of ten within low–high: as many of them as fit, else 1, 2, 5, else "
    "1 alone."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in (range(1, 10), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        found = [d * 10.0**p for p in powers for d in digits if low * 0.999 <= d * 10.0**p <= high * 1.001]
        if 2 <= len(found) <= most:
            return found
        if len(found) < 2:
            break
    found = [10.0**p for p in powers if low <= 10.0**p <= high]
    return found[:: max(1, math.ceil(len(found) / most))] if len(found) > 1 else linear_ticks(low, high, most)


def span(values: Sequence[float], padding: float = 0.08, zero: bool = False) -> tuple[float, float]:
    """The range of values with room at both ends; from zero when asked; never empty."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if zero:
        low = min(low, 0.0)
    if low == high:
        room = abs(low) * 0.1 or 0.5
        return (low if zero and low == 0 else low - room), high + room
    room = (high - low) * padding
    return (low if zero else low - room), high + room


def log_span(values: Sequence[float], padding: float = 0.06) -> tuple[float, float]:
    """The same on a logarithmic scale, of positive values."""
    low, high = (min(values), max(values)) if values else (0.1, 1.0)
    if high / low < 1.2:
        low, high = low / 1.1, high * 1.1
    room = (high / low) ** padding
    return low / room, high * room
