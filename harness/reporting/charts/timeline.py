"""The time line: the 95th percentile of journeys that ended in each second, one thin line a round, a panel
an arm.

The one idea: seconds of different rounds are never averaged (percentiles do not average); every round is
drawn, so a stall shows as what it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.reporting import formats
from harness.reporting.charts.scale import Scale, span
from harness.reporting.charts.svg import Chart, DataTable, Drawing, arm_role, fit

_MOST_POINTS = 700


@dataclass(frozen=True)
class ArmTimes:
    """One arm's seconds by round: mappings with `second`, `sent`, `completed`, `failed` and, where a
    journey ended, `p95`.
    """

    arm: str
    label: str
    rounds: tuple[tuple[int, tuple[Mapping[str, float], ...]], ...]


def timeline(key: str, arms: Sequence[ArmTimes]) -> Chart | None:
    """The time line of all arms; None when no second has a percentile."""
    if not any("p95" in s for a in arms for _, seconds in a.rounds for s in seconds):
        return None
    points = sum(len(seconds) for a in arms for _, seconds in a.rounds)
    width = max(1, math.ceil(points / _MOST_POINTS))
    binned = [ArmTimes(a.arm, a.label, tuple((n, _bins(s, width)) for n, s in a.rounds)) for a in arms]
    title = "Second by second: one line a round"
    unit = "second" if width == 1 else f"{width} seconds (the highest second of each)"
    description = (
        f"95th percentile of the journeys that ended in each {unit} of the window, one line a "
        f"round, one panel an arm, "
        "on one time axis and one scale."
    )
    return Chart(
        key,
        title,
        description,
        _draw(binned, 720).svg(f"{key}-w", title, description),
        _draw(binned, 330).svg(f"{key}-n", title, description),
        DataTable(
            "Second by second, all valid rounds together (percentiles: lowest and highest round)",
            (
                "Second",
                *(
                    f"{a.label}: {what}"
                    for a in arms
                    for what in ("sent", "completed", "failed", "p95, least to greatest")
                ),
            ),
            _table(arms),
        ),
    )


def _bins(seconds: Sequence[Mapping[str, float]], width: int) -> tuple[Mapping[str, float], ...]:
    if width == 1:
        return tuple(seconds)
    groups: dict[int, float] = {}
    for s in seconds:
        if "p95" in s:
            place = int(s.get("second", 0)) // width * width
            groups[place] = max(groups.get(place, 0.0), s["p95"])
    return tuple({"second": float(second), "p95": p95} for second, p95 in sorted(groups.items()))


def _table(arms: Sequence[ArmTimes]) -> tuple[tuple[str, ...], ...]:
    length = 1 + max(int(s.get("second", 0)) for a in arms for _, seconds in a.rounds for s in seconds)
    width = max(1, math.ceil(length / 60))
    rows = []
    for start in range(0, length, width):
        cells = [f"{start}" if width == 1 else f"{start}–{min(start + width, length) - 1}"]
        for a in arms:
            here = [
                s for _, seconds in a.rounds for s in seconds if start <= s.get("second", 0) < start + width
            ]
            cells += [
                formats.count(sum(s.get(what, 0) for s in here)) for what in ("sent", "completed", "failed")
            ]
            found = [s["p95"] for s in here if "p95" in s]
            cells.append(
                " to ".join(formats.together((min(found), max(found)), "seconds")) if found else "none"
            )
        rows.append(tuple(cells))
    return tuple(rows)


def _draw(arms: Sequence[ArmTimes], width: float) -> Drawing:
    values = [s["p95"] for a in arms for _, seconds in a.rounds for s in seconds if "p95" in s]
    latest = max(s.get("second", 0.0) for a in arms for _, seconds in a.rounds for s in seconds)
    panel, head, foot, left = 120.0, 30.0, 34.0, 62.0
    drawing = Drawing(width, len(arms) * (panel + head) + foot)
    x = Scale(0, max(latest, 1.0), left, width - 6)
    low, high = span(values, zero=True)
    for i, a in enumerate(arms):
        top = i * (panel + head)
        y = Scale(low, high, top + head + panel - 6, top + head)
        drawing.text(left, top + 18, fit(a.label, width - left, 12.5), arm_role(a.arm), 12.5, bold=True)
        ticks = y.ticks(4)
        for value, text in zip(ticks, formats.axis(ticks, "seconds"), strict=True):
            drawing.line(left, y(value), width - 6, y(value), "grid")
            drawing.text(left - 6, y(value) + 4, text, "quiet", 12, "end")
        for _, seconds in a.rounds:
            line = [(x(s.get("second", 0.0)), y(s["p95"])) for s in seconds if "p95" in s]
            drawing.path(line, arm_role(a.arm), 1.5, 0.7)
            for place in line if len(line) == 1 else ():
                drawing.mark(*place, arm_role(a.arm), 3)
    bottom = len(arms) * (panel + head)
    for second in x.ticks(8 if width > 500 else 5):
        drawing.text(x(second), bottom + 12, f"{second:g}", "quiet", 12, "middle")
    drawing.text(left, bottom + 29, "second of the window (warm-up left out)", "quiet", 12)
    return drawing
