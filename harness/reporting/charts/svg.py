"""The drawing surface: elements of SVG with escaped text, and the palette.

The one idea: colours are given by role (`before`, `after`, `ink` …); the role writes the literal colour and
a class, so the picture is right without a stylesheet and can follow one. Orange is for marks only: its text
is darker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

COLOURS = {
    "ink": "#0b0c0c",
    "quiet": "#505a5f",
    "grid": "#d5dade",
    "band": "#e4e8ec",
    "paper": "#ffffff",
    "before": "#12436D",
    "after": "#F46A25",
    "after-2": "#28A197",
    "after-3": "#801650",
    "after-4": "#A285D1",
    "mark": "#12436D",
}
"""Marks by role (Government Analysis Function palette)."""

TEXT_COLOURS = {
    "ink": "#0b0c0c",
    "quiet": "#505a5f",
    "before": "#12436D",
    "after": "#b3400f",
    "after-2": "#17695f",
    "after-3": "#801650",
    "after-4": "#6b4fa0",
}
"""Text by role: each at least 4.5 : 1 on the paper and on the band."""

ARM_ROLES = ("after", "after-2", "after-3", "after-4")


def arm_role(arm: str) -> str:
    """The colour role of an arm: `before`, or one of four for candidates (a ninth candidate shares the
    first's).
    """
    if arm == "before":
        return arm
    number = int(arm.partition("-")[2] or 1) if arm.partition("-")[2].isdigit() or arm == "after" else 1
    return ARM_ROLES[(number - 1) % len(ARM_ROLES)]


@dataclass(frozen=True)
class DataTable:
    """The figures behind a chart, or a table of the page: the first cell of each row is its header.

    Columns of a `numeric` table are set flush right but for the first `words`.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: bool = True
    words: int = 1


@dataclass(frozen=True)
class Chart:
    """A drawn chart: active title, description for those who cannot see it, two drawings, its data."""

    key: str
    title: str
    description: str
    wide: Markup
    narrow: Markup
    table: DataTable


class Drawing:
    """An SVG under construction; coordinates in pixels of its own view box, origin at the top left."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._parts: list[str] = []

    def line(
        self, x1: float, y1: float, x2: float, y2: float, role: str, width: float = 1, dash: str = ""
    ) -> None:
        """A straight line."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" class="s-{role}" '
            f'stroke="{COLOURS[role]}" stroke-width="{_n(width)}"{dashed}/>'
        )

    def rect(self, x: float, y: float, width: float, height: float, role: str) -> None:
        """A filled rectangle."""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}" '
            f'class="f-{role}" fill="{COLOURS[role]}"/>'
        )

    def mark(self, x: float, y: float, role: str, size: float = 5) -> None:
        """A data point; its shape tells arms apart without colour: circle before, square, diamond, triangle
        after.
        """
        shape = {"before": "circle", "mark": "circle", "after": "square", "after-2": "diamond"}.get(
            role, "triangle"
        )
        style = f'class="f-{role}" fill="{COLOURS[role]}"'
        if shape == "circle":
            self._parts.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(size)}" {style}/>')
        elif shape == "square":
            self._parts.append(
                f'<rect x="{_n(x - size)}" y="{_n(y - size)}" width="{_n(2 * size)}" '
                f'height="{_n(2 * size)}" {style}/>'
            )
        else:
            top = f"M{_n(x)} {_n(y - size * 1.25)}"
            rest = (
                f"L{_n(x + size * 1.25)} {_n(y)}L{_n(x)} {_n(y + size * 1.25)}L{_n(x - size * 1.25)} {_n(y)}Z"
                if shape == "diamond"
                else f"L{_n(x + size * 1.2)} {_n(y + size)}L{_n(x - size * 1.2)} {_n(y + size)}Z"
            )
            self._parts.append(f'<path d="{top}{rest}" {style}/>')

    def path(
        self,
        points: Sequence[tuple[float, float]],
        role: str,
        width: float = 2,
        opacity: float = 1,
        dash: str = "",
    ) -> None:
        """A line through points; nothing for fewer than two."""
        if len(points) < 2:
            return
        data = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        faded = f' stroke-opacity="{_n(opacity)}"' if opacity < 1 else ""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<path d="{data}" fill="none" class="s-{role}" stroke="{COLOURS[role]}" '
            f'stroke-width="{_n(width)}" '
            f'stroke-linejoin="round"{faded}{dashed}/>'
        )

    def triangle(self, x: float, y: float, role: str, right: bool, size: float = 6) -> None:
        """An arrow head at the edge of the plot: the interval goes on beyond it."""
        back = x - size if right else x + size
        self._parts.append(
            f'<path d="M{_n(x)} {_n(y)}L{_n(back)} {_n(y - size)}L{_n(back)} {_n(y + size)}Z" '
            f'class="f-{role}" fill="{COLOURS[role]}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        content: str,
        role: str = "ink",
        size: float = 13,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """A line of text; `anchor` start, middle or end."""
        where = f' text-anchor="{anchor}"' if anchor != "start" else ""
        weight = ' font-weight="700"' if bold else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" class="t-{role}" fill="{TEXT_COLOURS[role]}" '
            f'font-size="{_n(size)}"{where}{weight}>'
            f"{escape(content)}</text>"
        )

    def svg(self, key: str, title: str, description: str) -> Markup:
        """The finished element; `key` must be unique on its page."""
        body = "".join(self._parts)
        # Every text above went through escape(); numbers and roles are our own.
        return Markup(  # noqa: S704
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} '
            f'{_n(self.height)}" role="img" '
            f'aria-labelledby="{escape(key)}-t {escape(key)}-d" font-family="Arial, Helvetica, sans-serif">'
            f'<title id="{escape(key)}-t">{escape(title)}</title><desc '
            f'id="{escape(key)}-d">{escape(description)}</desc>'
            f"{body}</svg>"
        )


def fit(text: str, width: float, size: float = 13) -> str:
    """Text shortened to about this width in pixels (Arial is about 0.54 em a letter)."""
    letters = max(4, int(width / (size * 0.54)))
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if value != round(value) else str(round(value))
