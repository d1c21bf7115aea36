"""The open book: a body's cost lines, a CSV file read with the place of every cell.

The one idea: the file is cut into cells here, because a fault must name the cell's own line and column
and the standard reader does not know them; every line then passes a model, as YAML does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.workspace.faults import Fault, describe, nearest, suggest
from harness.workspace.models import OpenBookLine
from harness.workspace.validation import validate
from harness.workspace.yamlfile import Document, KeyPath, Position, decode

LARGEST = 1024 * 1024
"""Bytes an open book may hold: some ten thousand lines."""

COLUMNS = tuple(OpenBookLine.model_fields)
"""The header, in its order; columns may stand in any other."""

_AMOUNTS = ("low", "likely", "high")
_OPTIONAL = ("system", "role")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SEPARATOR = re.compile(r"[,\r\n]")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Cell:
    """One cell: its text without the quotes around it, and line and column, from 1, at which it begins."""

    text: str
    place: Position


@dataclass(frozen=True)
class PlacedLine:
    """One sound cost line, and where its cells stand."""

    line: OpenBookLine
    document: Document


def parse(content: bytes, file: str) -> tuple[list[PlacedLine], list[Fault]]:
    """The sound lines of an open book, and every fault of the others; `file` is what faults print."""
    if len(content) > LARGEST:
        found, expected = f"a file of {len(content):,} bytes", f"at most {LARGEST:,} bytes"
        return [], [Fault(file, 1, 1, found, expected, "sum up lines")]
    text, fault = decode(content, file)
    if text is None:
        return [], [fault] if fault else []
    rows, faults = cells(text, file)
    rows = [row for row in rows if any(cell.text.strip() for cell in row)]
    if not rows:
        return [], faults or [
            Fault(file, 1, 1, "an empty file", "a header line", f"write {','.join(COLUMNS)}")
        ]
    names, wrong = _header(rows[0], file)
    faults += wrong
    lines = []
    for row in rows[1:]:
        if len(row) != len(names):
            found = f"{len(row)} cell{'s' * (len(row) != 1)}"
            advice = "put text that holds a comma into double quotes, and leave blank cells in"
            faults.append(Fault(file, *row[0].place, found, f"{len(names)} cells, as in the header", advice))
            continue
        document, wrong = _row(row, names, file)
        line, more = validate(OpenBookLine, document)
        faults += [*wrong, *more]
        if line is not None and not document.spoilt:
            lines.append(PlacedLine(line, document))
    return lines, faults


def cells(text: str, file: str) -> tuple[list[list[Cell]], list[Fault]]:
    """The rows of a CSV text (RFC 4180) as far as they can be told apart, and the fault there."""
    rows: list[list[Cell]] = []
    row: list[Cell] = []
    at, line, line_start = 0, 1, 0
    while at < len(text):
        place = (line, at - line_start + 1)
        quoted = _QUOTED.match(text, at)
        if quoted is not None:
            row.append(Cell(quoted[1].replace('""', '"'), place))
            for end in _LINE_END.finditer(quoted[0]):
                line, line_start = line + 1, at + end.end()
            at = quoted.end()
        elif text[at] == '"':
            return rows, [
                Fault(file, *place, "a quote that never ends", 'a closing "', "close it, or double it")
            ]
        else:
            end_of_cell = _SEPARATOR.search(text, at)
            stop = end_of_cell.start() if end_of_cell else len(text)
            row.append(Cell(text[at:stop], place))
            at = stop
        if text[at : at + 1] == ",":
            at += 1
            if text[at : at + 1] not in ("", "\r", "\n"):
                continue
            row.append(Cell("", (line, at - line_start + 1)))
        line_end = _LINE_END.match(text, at)
        if line_end is None and at < len(text):
            place = (line, at - line_start + 1)
            found = f"{describe(text[at])} after a closing quote"
            advice = 'double quotes inside quotes: ""'
            return rows, [Fault(file, *place, found, "a comma or the line's end", advice)]
        rows.append(row)
        row = []
        if line_end is not None:
            line, line_start = line + 1, line_end.end()
            at = line_start
    return rows, []


def _header(row: Sequence[Cell], file: str) -> tuple[list[str | None], list[Fault]]:
    """The column that each cell of the header means (for a misspelt one, the nearest), and all faults."""
    names: list[str | None] = []
    faults = []
    free = [name for name in COLUMNS if name not in {cell.text.strip() for cell in row}]
    for cell in row:
        written = cell.text.strip()
        name: str | None = written
        if written not in COLUMNS:
            name = nearest(written, free)
            advice = "separate cells with commas" if ";" in written else suggest(written, free or COLUMNS)
            free = [other for other in free if other != name]
            found = f"the unknown column {describe(written)}"
            faults.append(Fault(file, *cell.place, found, "a column of the open book", advice))
        if name in names:
            if written in COLUMNS:
                found = f"the column {written} a second time"
                faults.append(Fault(file, *cell.place, found, "each column once", "remove one"))
            name = None
        names.append(name)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        found = f"no column {', '.join(missing)}"
        faults.append(
            Fault(file, *row[0].place, found, f"the columns {', '.join(COLUMNS)}", "add what is missing")
        )
    return names, faults


def _row(row: Sequence[Cell], names: Sequence[str | None], file: str) -> tuple[Document, list[Fault]]:
    """One line as a document; cells that cannot be taken over, and columns that are not there, are spoilt."""
    data: dict[str, Any] = dict.fromkeys(COLUMNS)
    places: dict[KeyPath, Position] = {(): row[0].place}
    spoilt: set[KeyPath] = {(name,) for name in COLUMNS if name not in names}
    faults = []
    for cell, name in zip(row, names, strict=True):
        if name is None:
            continue
        text = cell.text.strip()
        places[(name,)] = cell.place
        value: Any = text or None
        wrong = None
        if not text and name not in _OPTIONAL:
            wrong = Fault(file, *cell.place, f"an empty cell under {name}", _wanted(name), "fill it in")
        elif name in _AMOUNTS:
            value = float(text) if _NUMBER.fullmatch(text) else math.nan
            if not math.isfinite(value):
                advice = "write the amount alone: no currency sign, no thousands separator"
                wrong = Fault(file, *cell.place, f"{describe(text)} under {name}", "a number", advice)
        if wrong is not None:
            faults.append(wrong)
            spoilt.add((name,))
        else:
            data[name] = value
    return Document(file, data, places, places, frozenset(spoilt)), faults


def _wanted(name: str) -> str:
    return (OpenBookLine.model_fields[name].description or name).lower()
