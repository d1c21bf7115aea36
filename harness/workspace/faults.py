"""Faults: what is wrong with what somebody wrote, where, and what to do about it.

The one idea: a fault is data with a place, never an exception by itself, so that every fault of every
file can be collected and shown at once; `WorkspaceError` carries them to whoever must stop.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_SHOWN = 60
_LISTED = 12


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong. `path` is relative to the workspace's root; `line` and `column` count from 1.

    Line 0 means that the fault has no place inside a file (a missing file, a name typed at a prompt), and an
    empty path that it has no file either.
    """

    path: str
    line: int
    column: int
    found: str
    expected: str
    advice: str

    def __str__(self) -> str:
        place = (
            f"{self.path}:{self.line}:{self.column}: " if self.line else f"{self.path}: " if self.path else ""
        )
        return f"{place}found {self.found}; expected {self.expected}; {self.advice}"

    def to_json(self) -> dict[str, Any]:
        """The fault as JSON-ready data, its printed form among it as `message`."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "found": self.found,
            "expected": self.expected,
            "advice": self.advice,
            "message": str(self),
        }


class WorkspaceError(Exception):
    """What people wrote cannot be used. `faults` holds every reason, sorted by file, line and column."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def to_json(self) -> dict[str, Any]:
        """All faults as JSON-ready data."""
        return {"faults": [fault.to_json() for fault in self.faults]}


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that looks most like `name` (case aside), or None when none looks like it."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(valid)}
    matches = difflib.get_close_matches(name.casefold()[:200], by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def suggest(name: str, valid: Iterable[str], none: str = "there is none yet") -> str:
    """Advice for a name that is not there: the nearest valid one, else the valid ones, else `none`."""
    names = sorted(set(valid))
    if not names:
        return none
    match = nearest(name, names)
    if match is not None:
        return f'did you mean "{match}"?'
    listed = ", ".join(names[:_LISTED]) + (
        f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    )
    return f"there is: {listed}"


def describe(value: Any) -> str:
    """A value as a fault shows it: short, on one line, nothing that a terminal would act upon."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        keys = ", ".join(_clean(str(key)) for key in list(value)[:6])
        return f"a mapping with {keys}{' …' if len(value) > 6 else ''}" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, str):
        return '"' + _clean(value) + '"'
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)[:_SHOWN]
    return _clean(str(value))


def _clean(text: str) -> str:
    """Text cut short, with whatever does not print left as its escape."""
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)
