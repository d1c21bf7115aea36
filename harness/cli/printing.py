"""A trial's outcome in the terminal: the verdict table and the recommendation, in the words of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.judge.results import TrialJudgement
    from harness.store.records import FullTrial

_COLOURS = {"better": "green", "worse": "red", "broken": "red", "holds": "green", "equivalent": "cyan"}


def seconds(value: float) -> str:
    """A time with three figures: `41.2 ms`, `1.27 s`."""
    if value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} s"


def duration(value: float) -> str:
    """How long something takes, to the second: `2 min 40 s`."""
    whole = round(value)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def count(number: int, noun: str) -> str:
    """`1 round`, `6 rounds`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def print_outcome(full: FullTrial, judgement: TrialJudgement) -> None:
    """The verdict table of every candidate, then what the rule recommends, on standard output."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from harness.reporting.text import finding_sentence, verdict_rows

    console = Console(highlight=False)
    rows = verdict_rows(full, judgement)
    several = len(judgement.arms) > 1
    table = Table(box=box.SIMPLE, pad_edge=False)
    candidate = ("candidate",) if several else ()
    for column in (*candidate, "metric", "before", "after", "effect", "interval", "margin", "verdict"):
        table.add_column(
            column, overflow="fold", justify="right" if column in ("before", "after") else "left"
        )
    for row, judged in zip(rows, (j for arm in judgement.arms for j in arm.judgements), strict=True):
        word = row.guardrail or row.verdict
        told = Text(word, style=_COLOURS.get(word.lower(), "")) + Text(f"\n{row.role.lower()}", style="dim")
        cells = (row.metric, row.before, row.after, row.estimate, row.interval, judged.margin_text)
        table.add_row(*((row.candidate,) if several else ()), *(Text(cell) for cell in cells), told)
    console.print(table)
    for arm in judgement.arms:
        console.print(Text(finding_sentence(full, judgement, arm.arm), style="bold"))
        reasons = "; ".join(reason.text for reason in arm.recommendation.reasons)
        word = arm.recommendation.recommended.value.replace("_", " ")
        if not full.trial.registered:
            word += ", were it not exploratory"
        console.print(Text(f"recommendation: {word} ({reasons})"))
