"""What CalDAV and iCalendar say: questions written, answers read. No network, no Locust.

The one idea: an answer is untrusted. One that declares a document type, is too large, or is not what the
two standards say it should be (RFC 4791, RFC 5545), is refused with what was wrong, and that is the
system's failure.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # refuses nothing by itself: see `_root`
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes. An answer with thousands of bookings takes a few megabytes."""

HOUR = timedelta(hours=1)

_DAV, _CALDAV = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_STAMP = "%Y%m%dT%H%M%SZ"
_STATUS = re.compile(r"HTTP/[0-9.]+ 2[0-9]{2}(?: |$)")


class UnreadableAnswerError(Exception):
    """The system's answer is not what CalDAV says it should be; the message says how."""


@dataclass(frozen=True)
class Event:
    """One stored event: its resource's last path segment and entity tag, its UID, and when it is (UTC)."""

    name: str
    etag: str
    uid: str
    start: datetime
    end: datetime


# ── questions ───────────────────────────────────────────────────────────────────────────────────────────────


def calendar_query(since: datetime | None = None, until: datetime | None = None) -> bytes:
    """A calendar-query REPORT (RFC 4791, 7.8) for events with their data; all of them without a range."""
    limits = (
        "" if since is None or until is None else f'<C:time-range start="{utc(since)}" end="{utc(until)}"/>'
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        "<D:prop><D:getetag/><C:calendar-data/></D:prop>"
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f"{limits}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    ).encode()


def new_calendar(title: str) -> bytes:
    """The body of an MKCALENDAR (RFC 4791, 5.3.1)."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        f"<D:set><D:prop><D:displayname>{escape(title)}</D:displayname></D:prop></D:set></C:mkcalendar>"
    ).encode()


def calendar_text(events: Iterable[tuple[str, datetime, str]]) -> bytes:
    """An iCalendar object (RFC 5545) of one-hour events, each as (UID, start, summary)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Pioneer harness//Room booking//EN"]
    for uid, start, summary in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_escaped(uid)}",
            "DTSTAMP:20261101T000000Z",
            f"DTSTART:{utc(start)}",
            f"DTEND:{utc(start + HOUR)}",
            f"SUMMARY:{_escaped(summary)}",
            "STATUS:CONFIRMED",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def utc(moment: datetime) -> str:
    """A moment as iCalendar writes it, in UTC."""
    return moment.astimezone(UTC).strftime(_STAMP)


def _escaped(text: str) -> str:
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", " ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """At most 75 bytes a line, continued by a line break and a space, never within a character (RFC 5545,
    3.1).
    """
    pieces, piece, room = [], b"", 75
    for character in line:
        encoded = character.encode()
        if len(piece) + len(encoded) > room:
            pieces.append(piece)
            piece, room = b"", 74
        piece += encoded
    return b"\r\n ".join([*pieces, piece]) + b"\r\n"


# ── answers, which are untrusted ────────────────────────────────────────────────────────────────────────────


def read_events(content: bytes) -> tuple[Event, ...]:
    """The events of a multistatus answer to `calendar_query`.

    Raises:
        UnreadableAnswerError: a document type, not XML, not a multistatus, no entity tag, or not iCalendar.
    """
    root = _root(content)
    if root.tag != f"{_DAV}multistatus":
        raise UnreadableAnswerError(f"the answer's root is {root.tag[:80]!r}, not a DAV multistatus")
    return tuple(event for response in root.findall(f"{_DAV}response") for event in _of_response(response))


def _root(content: bytes) -> ET.Element:
    if len(content) > LARGEST_ANSWER:
        raise UnreadableAnswerError(f"the answer has {len(content)} bytes, more than {LARGEST_ANSWER}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise UnreadableAnswerError(f"the answer is not UTF-8: {fault}") from fault
    # Entities, which blow up memory or read files, can only be declared within a document type. The parser
    # is given the very text that was searched, in which no other encoding can hide one: it ignores the
    # encoding that a str names, but takes a zero byte for the sign of UTF-16, which is therefore refused too.
    if "\0" in text:
        raise UnreadableAnswerError("the answer holds zero bytes, which no XML in UTF-8 has")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableAnswerError("the answer declares a document type, which no CalDAV answer has")
    try:
        return ET.fromstring(text)  # noqa: S314 - what is dangerous was refused just above
    except ET.ParseError as fault:
        raise UnreadableAnswerError(f"the answer is not XML: {fault}") from fault


def _of_response(response: ET.Element) -> Sequence[Event]:
    name = unquote(urlsplit(response.findtext(f"{_DAV}href", "")).path).rstrip("/").rsplit("/", 1)[-1]
    for propstat in response.findall(f"{_DAV}propstat"):
        data = propstat.findtext(f"{_DAV}prop/{_CALDAV}calendar-data")
        if data is None or not _STATUS.match(propstat.findtext(f"{_DAV}status", "")):
            continue
        etag = propstat.findtext(f"{_DAV}prop/{_DAV}getetag")
        if not name or not etag:
            raise UnreadableAnswerError("an event without a name or an entity tag")
        return [Event(name, etag, uid, start, end) for uid, start, end in read_calendar(data)]
    return ()


def read_calendar(text: str) -> list[tuple[str, datetime, datetime]]:
    """UID, start and end (UTC) of each VEVENT of an iCalendar object; what nests in one (an alarm) is
    passed over.

    Raises:
        UnreadableAnswerError: components that do not nest, an event without UID, start or end, a time not
        in UTC.
    """
    # A line break and one space or tab continue a line (RFC 5545, 3.1); XML has already turned CRLF into
    # LF. Not splitlines(): it breaks at characters that may stand in a summary.
    lines = re.sub(r"\r?\n[ \t]", "", text).replace("\r\n", "\n").split("\n")
    nested: list[str] = []
    values: dict[str, str] = {}
    events: list[tuple[str, datetime, datetime]] = []
    for line in filter(None, lines):
        head, colon, value = line.partition(":")
        name = head.partition(";")[0].upper()
        if not colon:
            raise UnreadableAnswerError(f"a line without a colon in an event: {line[:80]!r}")
        if name == "BEGIN":
            nested.append(value.upper())
            if nested == ["VCALENDAR", "VEVENT"]:
                values = {}
        elif name == "END":
            if not nested or nested.pop() != value.upper():
                raise UnreadableAnswerError(f"components that do not nest, at {line[:80]!r}")
            if value.upper() == "VEVENT" and nested == ["VCALENDAR"]:
                events.append(_event(values))
        elif nested == ["VCALENDAR", "VEVENT"]:
            values.setdefault(name, value)
    if nested or not events:
        raise UnreadableAnswerError("an unfinished or empty iCalendar object")
    return events


def _event(values: Mapping[str, str]) -> tuple[str, datetime, datetime]:
    try:
        uid, start, end = values["UID"], read_moment(values["DTSTART"]), read_moment(values["DTEND"])
    except KeyError as missing:
        raise UnreadableAnswerError(f"an event without {missing.args[0]}") from missing
    return re.sub(r"\\([\\;,])", r"\1", uid), start, end


def read_moment(text: str) -> datetime:
    """A date and time in UTC, as iCalendar writes it.

    Raises:
        UnreadableAnswerError: anything else.
    """
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError as fault:
        raise UnreadableAnswerError(f"a time in UTC was expected; found {text[:40]!r}") from fault
