"""The forest plot: every judged metric's interval against its "too small to matter" band.

The one idea: rows are drawn on the benefit's own scale (log for ratios and costs, points for differences),
so that right is better in every row whatever the metric's direction, and the band of each row is that row's
margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.metrics import METRICS, Direction, Kind
from harness.judge.results import Judgement, Role
from harness.reporting.charts.scale import Scale, linear_ticks
from harness.reporting.charts.svg import Chart, DataTable, Drawing, fit
from harness.reporting.effects import band_text, effect_text
from harness.reporting.sentences import forest_title
from harness.reporting.words import ROLE_WORDS, VERDICT_WORDS, metric_title, metric_words

_RATIO_TICKS = (1.05, 1.1, 1.25, 1.5, 2.0, 4.0, 10.0)
_WIDEST = math.log(10)


@dataclass(frozen=True)
class _Panel:
    """Rows that share an axis: ratios of metrics where lower is better, differences, …"""

    judgements: tuple[Judgement, ...]
    difference: bool
    direction: Direction


def forest(key: str, judgements: Sequence[Judgement], candidate: str, named: bool = False) -> Chart:
    """The forest plot of one candidate's judgements; a metric without an interval keeps its row and says
    why there is none.
    """
    title = f"{candidate}: {forest_title(judgements)}" if named else forest_title(judgements)
    panels = _panels(judgements)
    description = (
        f"Each row is one metric of {candidate} against the incumbent with its interval; right of "
        f"the zero line is better, "
        "left is worse; the grey band of a row holds the differences settled beforehand as too "
        "small to matter."
    )
    return Chart(
        key=key,
        title=title,
        description=description,
        wide=_draw(panels, 720, 214, 178, 22).svg(f"{key}-w", title, description),
        narrow=_draw(panels, 330, 0, 0, 62).svg(f"{key}-n", title, description),
        table=DataTable(
            f"Effect of {candidate} on each judged metric",
            ("Metric", "Role", "Verdict", "Effect", "Interval", "Level", "Too small to matter"),
            tuple(_row(j) for j in judgements),
            numeric=False,
        ),
    )


def _row(j: Judgement) -> tuple[str, ...]:
    effect = effect_text(j, metric_words(j.metric).times_word)
    words = (effect.estimate, effect.interval or "none", effect.level or "none") if effect else ("none",) * 3
    band = band_text(j) if effect else "not judged"
    return metric_title(j.metric), ROLE_WORDS[j.role], VERDICT_WORDS[j.verdict], *words, band


def _panels(judgements: Sequence[Judgement]) -> list[_Panel]:
    groups: dict[tuple[bool, Direction], list[Judgement]] = {}
    for j in judgements:
        metric = METRICS.get(j.metric)
        direction = metric.direction if metric else Direction.LOWER
        difference = j.kind is Kind.DIFFERENCE
        groups.setdefault((difference, Direction.HIGHER if difference else direction), []).append(j)
    return [_Panel(tuple(rows), difference, direction) for (difference, direction), rows in groups.items()]


def _draw(panels: Sequence[_Panel], width: float, left: float, right: float, row: float) -> Drawing:
    """`left` and `right` are the columns for words beside the plot; without them the words stand above each
    row's line.
    """
    foot = 26
    heads = [20 if i == 0 else 6 for i in range(len(panels))]
    drawing = Drawing(
        width, sum(h + foot + row * len(p.judgements) for h, p in zip(heads, panels, strict=True))
    )
    top = 0.0
    for head, panel in zip(heads, panels, strict=True):
        _panel(drawing, panel, top, left, width - right, row, head)
        top += head + foot + row * len(panel.judgements)
    return drawing


def _panel(
    drawing: Drawing, panel: _Panel, top: float, left: float, right: float, row: float, head: float
) -> None:
    reach = _reach(panel)
    scale = Scale(-reach, reach, left + (10 if left else 22), right - (10 if left else 22))
    bottom = top + head + row * len(panel.judgements)
    middle = scale(0)
    if top == 0:
        drawing.text(scale(-reach), 14, "← worse", "quiet", 12)
        drawing.text(scale(reach), 14, "better →", "quiet", 12, "end")
    for i, j in enumerate(panel.judgements):
        y = top + head + i * row
        if j.interval is not None and j.margin < reach * 4:
            drawing.rect(
                scale(-j.margin),
                y + (row - 24 if row > 30 else 1),
                scale(j.margin) - scale(-j.margin),
                22,
                "band",
            )
    drawing.line(middle, top + head - 2, middle, bottom, "quiet", 1)
    for value, label in _ticks(panel, reach, 7 if left else 5):
        drawing.line(scale(value), bottom, scale(value), bottom + 4, "quiet")
        drawing.text(scale(value), bottom + 17, label, "quiet", 12, "middle")
    for i, j in enumerate(panel.judgements):
        _judged(drawing, j, top + head + i * row, left, right, row, scale)


def _judged(
    drawing: Drawing, j: Judgement, y: float, left: float, right: float, row: float, scale: Scale
) -> None:
    wide = left > 0
    effect = effect_text(j, metric_words(j.metric).times_word)
    words = f"{VERDICT_WORDS[j.verdict]}: {effect.short}" if effect else VERDICT_WORDS[j.verdict]
    primary = j.role is Role.PRIMARY
    centre = y + row / 2 if wide else y + row - 13
    if wide:
        drawing.text(0, centre + 4.5, fit(metric_title(j.metric), left, 13), "ink", 13, bold=primary)
        drawing.text(
            right + 2, centre + 4.5, fit(words, drawing.width - right, 12.5), "ink", 12.5, bold=primary
        )
    else:
        drawing.text(0, y + 16, fit(metric_title(j.metric), drawing.width, 13), "ink", 13, bold=True)
        drawing.text(0, y + 32, fit(words, drawing.width, 13), "ink", 13)
    if j.benefit is None or not (math.isfinite(j.benefit.low) and math.isfinite(j.benefit.high)):
        drawing.text(scale(0) + 8, centre + 4.5, "no interval", "quiet", 12)
        return
    low, high = j.benefit.low, j.benefit.high
    drawing.line(scale(low), centre, scale(high), centre, "mark", 4 if primary else 2.5)
    for end, right_hand in ((low, False), (high, True)):
        if scale.low <= end <= scale.high:
            drawing.line(scale(end), centre - 5, scale(end), centre + 5, "mark", 2)
        else:
            drawing.triangle(scale(end), centre, "mark", right_hand)
    middle = _benefit_of_effect(j)
    if middle is not None and scale.low <= middle <= scale.high:
        drawing.mark(scale(middle), centre, "mark", 6 if primary else 4.5)


def _benefit_of_effect(j: Judgement) -> float | None:
    metric = METRICS.get(j.metric)
    if j.effect is None or (j.kind is not Kind.DIFFERENCE and j.effect <= 0):
        return None
    value = j.effect if j.kind is Kind.DIFFERENCE else math.log(j.effect)
    return -value if metric is None or metric.direction is Direction.LOWER else value


def _reach(panel: _Panel) -> float:
    """How far the axis goes either way: all intervals and margins, at most tenfold (ratios) or 100 points
    (differences).
    """
    ends = [
        abs(e)
        for j in panel.judgements
        if j.benefit
        for e in (j.benefit.low, j.benefit.high)
        if math.isfinite(e)
    ]
    margins = [j.margin for j in panel.judgements if j.interval is not None]
    furthest = max([*ends, *(m * 1.3 for m in margins)], default=0.01 if panel.difference else 0.1)
    return min(furthest * 1.08, 1.0 if panel.difference else _WIDEST) or 0.01


def _ticks(panel: _Panel, reach: float, most: int) -> list[tuple[float, str]]:
    if panel.difference:
        values = linear_ticks(-reach * 100, reach * 100, most)
        return [(v / 100, f"{v:+g} pp".replace("-", "−") if v else "0") for v in values]
    sides = [r for r in _RATIO_TICKS if math.log(r) <= reach * 1.0001]
    while 2 * len(sides) + 1 > most or any(
        math.log(b / a) < reach * 0.24 for a, b in zip([1.0, *sides], sides, strict=False)
    ):
        if len(sides) <= 1:
            break
        sides = (
            sides[1:]
            if math.log(sides[0]) < reach * 0.24
            else [s for i, s in enumerate(sides) if i != len(sides) - 2]
        )
    lower_better = panel.direction is Direction.LOWER
    ticks = [(0.0, "0%")]
    for r in sides:
        rise, fall = f"+{(r - 1) * 100:.0f}%", f"−{(1 - 1 / r) * 100:.0f}%"
        ticks += [
            (-math.log(r), rise if lower_better else fall),
            (math.log(r), fall if lower_better else rise),
        ]
    return sorted(ticks)
