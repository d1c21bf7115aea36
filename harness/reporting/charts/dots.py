"""The per-round plot: each round's values of one metric, before and after joined by a line.

The one idea: the round is the unit of the trial, so a board can count with its own eyes in how many rounds
the candidate did better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.metrics import METRICS, Direction
from harness.reporting import formats
from harness.reporting.charts.scale import Scale, span
from harness.reporting.charts.svg import Chart, DataTable, Drawing, arm_role, fit
from harness.reporting.words import metric_title


@dataclass(frozen=True)
class RoundValues:
    """One round's value of each arm, None where a run has none; `censored` arms' values are lower bounds."""

    number: int
    values: tuple[float | None, ...]
    censored: tuple[bool, ...]


def dots(
    key: str,
    metric: str,
    unit: str,
    arms: Sequence[tuple[str, str]],
    rounds: Sequence[RoundValues],
    currency: str = "GBP",
) -> Chart | None:
    """The per-round plot; `arms` are (arm, label) in the order of each round's values. None without any
    value.
    """
    known = [v for r in rounds for v in r.values if v is not None]
    if not known:
        return None
    direction = METRICS[metric].direction if metric in METRICS else Direction.LOWER
    if len(arms) == 2:
        pairs = [(r.values[0], r.values[1]) for r in rounds]
        complete = [(b, a) for b, a in pairs if b is not None and a is not None]
        title = rounds_title(complete, direction)
    else:
        title = "Every round, every arm"
    what = metric_title(metric)
    description = (
        f"{what} of each round, one mark an arm, joined by a line. "
        + f"{'Lower' if direction is Direction.LOWER else 'Higher'} is better."
    )
    texts = iter(formats.together(known, unit, currency))
    rows = []
    for r in rounds:
        cells = [
            "none" if v is None else ("at least " if c else "") + next(texts)
            for v, c in zip(r.values, r.censored, strict=True)
        ]
        rows.append((f"Round {r.number}", *cells))
    return Chart(
        key,
        title,
        description,
        _draw(arms, rounds, known, unit, currency, 720, 230).svg(f"{key}-w", title, description),
        _draw(arms, rounds, known, unit, currency, 330, 220).svg(f"{key}-n", title, description),
        DataTable(f"{what} by round", ("Round", *(label for _, label in arms)), tuple(rows)),
    )


def rounds_title(pairs: Sequence[tuple[float, float]], direction: Direction) -> str:
    """The per-round chart's active title."""
    better = sum((a < b) if direction is Direction.LOWER else (a > b) for b, a in pairs)
    word = "Lower" if direction is Direction.LOWER else "Higher"
    return f"{word} with the candidate in {better} of {len(pairs)} round{'' if len(pairs) == 1 else 's'}"


def _draw(
    arms: Sequence[tuple[str, str]],
    rounds: Sequence[RoundValues],
    known: Sequence[float],
    unit: str,
    currency: str,
    width: float,
    height: float,
) -> Drawing:
    legend = 22.0 if width > 500 else 20.0 * len(arms)
    drawing = Drawing(width, height + legend)
    low, high = span(known)
    y = Scale(low, high, height + legend - 34, legend + 8)
    left = 70.0
    ticks = [t for t in y.ticks(5) if t >= 0 or low < 0]
    for value, text in zip(ticks, formats.axis(ticks, unit, currency), strict=True):
        drawing.line(left, y(value), width, y(value), "grid")
        drawing.text(left - 6, y(value) + 4, text, "quiet", 12, "end")
    step = (width - left) / max(len(rounds), 1)
    every = max(1, round(24 / step + 0.49))
    for i, r in enumerate(rounds):
        x = left + step * (i + 0.5)
        drawn = [(arm, v) for (arm, _), v in zip(arms, r.values, strict=True) if v is not None]
        drawing.path([(x, y(v)) for _, v in sorted(drawn, key=lambda d: d[1])], "quiet", 1.5)
        for arm, v in drawn:
            drawing.mark(x, y(v), arm_role(arm), min(5, step / 4 + 1.5))
        if i % every == 0:
            drawing.text(x, y.start + 16, str(r.number), "quiet", 12, "middle")
    drawing.text(left, height + legend - 3, "round", "quiet", 12)
    place = left
    for i, (arm, label) in enumerate(arms):
        at = (place, 9.0) if width > 500 else (8.0, 9.0 + 20 * i)
        drawing.mark(*at, arm_role(arm))
        text = fit(label, (width - left) / len(arms) - 40 if width > 500 else width - 24, 12.5)
        drawing.text(at[0] + 11, at[1] + 4.5, text, arm_role(arm), 12.5, bold=True)
        place += len(text) * 7.4 + 46
    return drawing
