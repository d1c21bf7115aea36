"""YAML, read safely and with the place of every key and value.

The one idea: the file is read as a stream of parser events and built here, as YAML 1.2's core schema has
it (`no` is text, not false), so nothing in a file can make an object, expand an alias or replace an
earlier key unseen. Everything wrong but syntax is collected, so that one reading gives all faults.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from harness.workspace.faults import Fault, describe

KeyPath = tuple[str | int, ...]
Position = tuple[int, int]

LARGEST = 256 * 1024
"""Bytes a YAML file may hold: what a person writes is far smaller."""

DEEPEST = 32
"""Levels of nesting a YAML file may have; the parser's own time grows with the square of it."""

_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")
_CONSTANTS: Mapping[str, bool | None] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)


@dataclass(frozen=True)
class Document:
    """What a file held and where each part stands.

    `data` is plain: dict with text keys, list, str, int, float, bool, None. `keys` and `values` give line and
    column, from 1, of every key (or list item) and of every value. `spoilt` are the key paths whose values
    could not be taken over; they stand as None in `data`.
    """

    file: str
    data: Any
    keys: Mapping[KeyPath, Position] = field(default_factory=dict)
    values: Mapping[KeyPath, Position] = field(default_factory=dict)
    spoilt: frozenset[KeyPath] = frozenset()

    def locate(self, path: Sequence[str | int]) -> Position:
        """Line and column, from 1, of the key or list item at `path`, or of the nearest part above it."""
        return self._find(self.keys, path)

    def locate_value(self, path: Sequence[str | int]) -> Position:
        """Line and column, from 1, of the value at `path`, or of the nearest part above it."""
        return self._find(self.values, path)

    def _find(self, places: Mapping[KeyPath, Position], path: Sequence[str | int]) -> Position:
        whole = (path,) if isinstance(path, str) else tuple(path)
        for length in range(len(whole), -1, -1):
            place = places.get(whole[:length])
            if place is not None:
                return place
            places = self.keys  # a part above stands where its key stands
        return (1, 1)

    def fault(
        self, path: Sequence[str | int], found: str, expected: str, advice: str, *, key: bool = False
    ) -> Fault:
        """A fault at the value at `path`, or at its key."""
        line, column = self.locate(path) if key else self.locate_value(path)
        return Fault(self.file, line, column, found, expected, advice)


def parse(content: bytes, file: str) -> tuple[Document | None, list[Fault]]:
    """Read `content` as one YAML document; `file` is the name that faults print.

    Returns the document (None where syntax, encoding, size or emptiness leave none) and all faults.
    """
    if len(content) > LARGEST:
        return None, [_oversize(file, len(content))]
    text, fault = decode(content, file)
    if text is None:
        return None, [fault] if fault else []
    builder = _Builder(file, YAML(typ="safe", pure=True).parse(text))
    try:
        document = builder.document()
    except MarkedYAMLError as error:
        return None, [_syntax(file, error)]
    except Exception as error:  # noqa: BLE001 - on garbage the parser raises OverflowError and more
        return None, [
            Fault(
                file,
                1,
                1,
                f"what no YAML reader takes ({describe(str(error))})",
                "YAML 1.2",
                "write the file anew",
            )
        ]
    return document, builder.faults


def decode(content: bytes, file: str) -> tuple[str | None, Fault | None]:
    """UTF-8 text without a leading byte order mark, or the fault at the first byte or character amiss."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        line, column = place_in(before, len(before))
        byte = content[error.start]
        return None, Fault(
            file, line, column, f"byte 0x{byte:02x}, which is not UTF-8", "UTF-8", "save it as UTF-8"
        )
    control = _CONTROL.search(text)
    if control is not None:
        line, column = place_in(text, control.start())
        found = f"the control character U+{ord(control.group()):04X}"
        return None, Fault(file, line, column, found, "printable text", "remove that character")
    return text, None


def place_in(text: str, index: int) -> Position:
    """Line and column, from 1, of the character at `index`."""
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _oversize(file: str, size: int) -> Fault:
    return Fault(
        file, 1, 1, f"a file of {size:,} bytes", f"at most {LARGEST:,} bytes", "split it, or shorten it"
    )


def _syntax(file: str, error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    problem = " ".join(str(error.problem or error.context or "a fault of syntax").split()).removeprefix(
        "found "
    )
    expected = "YAML 1.2"
    named = re.fullmatch(r"expected (.+), but (?:got|found) (.+)", problem)
    if named is not None:
        expected, problem = (part.replace("<", "").replace(">", "") for part in named.groups())
    advice = "check indentation, colons and quotes here"
    if "could not find expected ':'" in problem or "mapping values are not allowed" in problem:
        advice = "put a value that holds a colon into quotes, and a space after the colon of a key"
    elif "'\\t'" in problem:
        advice = "indent with spaces instead of tabs"
    elif error.context_mark is not None and error.problem_mark is not None:
        advice += f" and on line {error.context_mark.line + 1}"
    return Fault(file, line, column, problem, expected, advice)


class _StopReading(Exception):  # noqa: N818 - says stop, not error
    """Reading on makes no sense; the fault is already noted."""


class _Builder:
    """Builds plain data out of parser events, collecting faults. Recursion is bounded by DEEPEST."""

    def __init__(self, file: str, events: Iterator[Any]) -> None:
        self.faults: list[Fault] = []
        self._file = file
        self._events = events
        self._keys: dict[KeyPath, Position] = {}
        self._values: dict[KeyPath, Position] = {}
        self._spoilt: set[KeyPath] = set()

    def document(self) -> Document | None:
        """The stream's one document, None where there is none to speak of. Raises what the parser raises."""
        root: Any = None
        documents = 0
        try:
            for event in self._events:
                if isinstance(event, DocumentStartEvent):
                    documents += 1
                    self._start(event, documents)
                elif isinstance(event, NodeEvent):
                    root = self._node(event, (), 0, keep=True)
        except _StopReading:
            return None
        if not documents:
            self._fault((1, 1), "an empty file", "a YAML mapping", "fill it in, or remove the file")
            return None
        return Document(self._file, root, self._keys, self._values, frozenset(self._spoilt))

    def _fault(self, place: Position, found: str, expected: str, advice: str) -> None:
        self.faults.append(Fault(self._file, *place, found, expected, advice))

    def _start(self, event: Any, documents: int) -> None:
        if documents > 1:
            self._fault(
                _place(event),
                "a second document",
                "one document a file",
                "remove the --- and what follows it",
            )
            raise _StopReading
        if event.version not in (None, (1, 2)):
            self._fault(
                _place(event), "a %YAML directive of another version", "YAML 1.2", "remove the directive"
            )

    def _node(self, event: Any, path: KeyPath, depth: int, *, keep: bool) -> Any:
        """The value that begins with `event`; its place is noted when it is kept."""
        place = _place(event)
        if keep:
            self._values[path] = place
            if path == () or isinstance(path[-1], int):
                self._keys[path] = place
        if depth >= DEEPEST:
            self._fault(place, f"more than {DEEPEST} levels of nesting", "fewer", "flatten it")
            raise _StopReading
        if isinstance(event, AliasEvent):
            self._fault(
                place, f"the alias *{event.anchor}", "no anchors and aliases", "write out what it stands for"
            )
            self._spoil(path, keep)
            return None
        if event.anchor:
            self._fault(
                place,
                f"the anchor &{event.anchor}",
                "no anchors and aliases",
                "write the value where it is used",
            )
        if event.tag:
            self._fault(
                place, f"the tag {describe(str(event.tag))}", "plain values without tags", "remove the tag"
            )
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path, keep)
        if isinstance(event, SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(item := next(self._events), SequenceEndEvent):
                items.append(self._node(item, (*path, len(items)), depth + 1, keep=keep))
            return items
        return self._mapping(path, depth + 1, keep)

    def _mapping(self, path: KeyPath, depth: int, keep: bool) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self._fault(_place(event), "a key that is not text", "text", "write a name before the colon")
                self._node(event, path, depth, keep=False)
                self._node(next(self._events), path, depth, keep=False)
                continue
            key, inner = event.value, (*path, event.value)
            again = key in mapping
            if again:
                first = (
                    f"keep one of the two: the first is on line {self._keys[inner][0]}"
                    if keep
                    else "keep one"
                )
                self._fault(_place(event), f"the key {describe(key)} a second time", "each key once", first)
            elif keep:
                self._keys[inner] = _place(event)
            if event.anchor or event.tag:
                self._fault(
                    _place(event), "a key with an anchor or a tag", "a plain key", "write the name alone"
                )
            written = next(self._events)
            value = self._node(written, inner, depth, keep=keep and not again)
            if keep and not again and value is None and written.start_mark.index == written.end_mark.index:
                self._values[inner] = _place(event)  # nothing is written: the parser says where it noticed
            if not again:
                mapping[key] = value
        return mapping

    def _scalar(self, event: ScalarEvent, path: KeyPath, keep: bool) -> Any:
        if not event.implicit[0] or event.tag:
            return event.value
        value, expected = _resolve(event.value)
        if expected is not None:
            self._fault(
                _place(event), event.value[:40], expected, "write a plain number, or put text into quotes"
            )
            self._spoil(path, keep)
        return value

    def _spoil(self, path: KeyPath, keep: bool) -> None:
        if keep:
            self._spoilt.add(path)


def _place(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _resolve(text: str) -> tuple[Any, str | None]:
    """A plain scalar's value in YAML 1.2's core schema, or None and what was expected instead of it."""
    if text in _CONSTANTS:
        return _CONSTANTS[text], None
    if _NOT_FINITE.fullmatch(text):
        return None, "a finite number"
    if _INT.fullmatch(text) or _BASED.fullmatch(text):
        if len(text) > 19:
            return None, "a number of at most 18 digits"
        return (int(text, 0) if _BASED.fullmatch(text) else int(text)), None
    if _FLOAT.fullmatch(text):
        number = float(text)
        return (number, None) if math.isfinite(number) else (None, "a finite number")
    return text, None
