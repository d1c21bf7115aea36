"""The percentile spectrum: how long people waited at every percentile, an arm a line, from merged histograms.

The one idea: the axis stretches the tail (each step to the right is ten times rarer), a line ends where the
sample no longer bears the percentile or where it falls among journeys that never ended, and that is written
at its end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.histogram import Histogram
from harness.reporting import formats
from harness.reporting.charts.scale import Scale, log_span
from harness.reporting.charts.svg import Chart, DataTable, Drawing, arm_role, fit

_STOPS = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)
_TABLE = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)


@dataclass(frozen=True)
class Series:
    """One arm's merged journey times; `slower` journeys failed or were abandoned and rank slowest.

    A percentile that falls among those is only known to be more than `bound` seconds.
    """

    arm: str
    label: str
    times: Histogram
    slower: int
    bound: float | None = None

    @property
    def total(self) -> int:
        """Journeys in the sample."""
        return self.times.count + self.slower

    @property
    def top(self) -> float:
        """The highest percentile that the sample bears: p99 from 100 journeys, p99.9 from 1,000."""
        return 100.0 * (1 - 1 / self.total) if self.total else 0.0


def borne(percent: float, sample: int) -> bool:
    """Whether a percentile may be given from this many journeys: p95 from 20, p99 from 100, p99.9 "
    "from 1,000."""
    return sample >= 20 and sample * (100 - percent) / 100 >= 1 - 1e-9


def spectrum(key: str, series: Sequence[Series]) -> Chart | None:
    """The spectrum of all arms; None when no arm has a percentile to show."""
    drawn = [s for s in series if s.times.count and borne(50.0, s.total) and _line(s)]
    if not drawn:
        return None
    title = _title(series)
    description = (
        "Journey time (response times summed, think time left out) at each percentile, all valid "
        "rounds merged, one line an "
        "arm; the percentile axis stretches the slowest journeys; the time axis is logarithmic. "
        + " ".join(f"{s.label}: {_in_words(s)}." for s in drawn)
    )
    return Chart(
        key,
        title,
        description,
        _draw(drawn, 720, 300, 150).svg(f"{key}-w", title, description),
        _draw(drawn, 330, 280, 0).svg(f"{key}-n", title, description),
        DataTable(
            "Journey time by percentile, valid rounds merged",
            ("Arm", "Journeys", *(f"p{p:g}" for p in _TABLE)),
            tuple((s.label, formats.count(s.total), *(_cell(s, p) for p in _TABLE)) for s in series),
        ),
    )


def _title(series: Sequence[Series]) -> str:
    if len(series) != 2:
        return "How long people waited, from typical to slowest"
    shared = [p for p in (50.0, 95.0, 99.0) if all(borne(p, s.total) for s in series)]
    faster = []
    for p in shared:
        old, new = (s.times.percentile(p, s.slower) for s in series)
        if new is not None and (old is None or new < old):
            faster.append(p)
    if not shared:
        return "How long people waited, from typical to slowest"
    if len(faster) == len(shared):
        return "The candidate’s journeys were shorter at " + _and([f"p{p:g}" for p in shared])
    if not faster:
        return "The candidate’s journeys were not shorter at " + _or([f"p{p:g}" for p in shared])
    return f"The candidate’s journeys were shorter only at {_and([f'p{p:g}' for p in faster])}"


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _or(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}"


def _in_words(s: Series) -> str:
    return ", ".join(f"p{p:g} {_cell(s, p)}" for p in (50.0, 95.0, 99.0) if borne(p, s.total))


def _cell(s: Series, percent: float) -> str:
    if not borne(percent, s.total):
        return "sample too small"
    value = s.times.percentile(percent, s.slower)
    if value is not None:
        return formats.one(value, "seconds")
    return "did not end" if s.bound is None else formats.at_least(s.bound, "seconds")


def _rarity(percent: float) -> float:
    """The axis: 0 at p0, 1 at p90, 2 at p99 …"""
    return -math.log10(1 - percent / 100)


def _line(s: Series) -> list[tuple[float, float]]:
    """(rarity, seconds) from p10 to the highest percentile that is borne and ended."""
    top = _rarity(min(s.top, 99.99))
    steps = 72
    points = []
    for i in range(steps + 1):
        rarity = _rarity(10) + (top - _rarity(10)) * i / steps
        value = s.times.percentile(100 * (1 - 10**-rarity), s.slower)
        if value is None:
            break
        points.append((rarity, max(value, 1e-6)))
    return points


def _draw(series: Sequence[Series], width: float, height: float, right: float) -> Drawing:
    lines = {s.arm: _line(s) for s in series}
    low, high = log_span([y for line in lines.values() for _, y in line])
    legend = 0 if right else 20 * len(series)
    most = max(x for line in lines.values() for x, _ in line)
    drawing = Drawing(width, height + legend)
    left = 62 if right else 54
    x = Scale(_rarity(10), max(most, 1.05), left, width - right - (0 if right else 8))
    y = Scale(low, high, height - 40, 12 + legend, log=True)
    ticks = y.ticks(6)
    for value, text in zip(ticks, formats.axis(ticks, "seconds"), strict=True):
        drawing.line(left, y(value), x.end, y(value), "grid")
        drawing.text(left - 6, y(value) + 4, text, "quiet", 12, "end")
    last = -99.0
    for percent in _STOPS:
        if _rarity(percent) > x.high:
            break
        place = x(_rarity(percent))
        drawing.line(place, y.start, place, y.start + 4, "quiet")
        if place - last > 34:
            drawing.text(place, y.start + 18, f"p{percent:g}", "quiet", 12, "middle")
            last = place
    drawing.text(left, height + legend - 4, "percentile of journeys: slower to the right →", "quiet", 12)
    ends: list[float] = []
    for i, s in enumerate(sorted(series, key=lambda s: -lines[s.arm][-1][1])):
        role = arm_role(s.arm)
        line = [(x(a), y(b)) for a, b in lines[s.arm]]
        drawing.path(line, role, 3, dash="" if s.arm == "before" else "7 3" if s.arm != "after" else "")
        drawing.mark(*line[-1], role)
        if right:
            place = line[-1][1] + 4
            while any(abs(place - other) < 17 for other in ends):
                place += 4
            ends.append(place)
            drawing.text(x.end + 10, place, fit(s.label, right - 10, 12.5), role, 12.5, bold=True)
        else:
            drawing.mark(8, 8 + 20 * i, role)
            drawing.text(20, 13 + 20 * i, fit(s.label, width - 20, 12.5), role, 12.5, bold=True)
    return drawing
