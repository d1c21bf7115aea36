"""CalDAV's XML and iCalendar as the room-booking scenario writes and reads them, and its audit's rules."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "scenarios" / "room-booking"))

import caldav_text as ct
import room_rules as rules

NINE = datetime(2027, 1, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
printable = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200)


def multistatus(*responses: str) -> bytes:
    inner = "".join(responses)
    spaces = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    return f'<?xml version="1.0"?><D:multistatus {spaces}>{inner}</D:multistatus>'.encode()


def response(href: str, data: str, etag: str = '"1"', status: str = "HTTP/1.1 200 OK") -> str:
    return (
        f"<D:response><D:href>{escape(href)}</D:href><D:propstat><D:prop><D:getetag>{escape(etag)}</D:getetag>"
        f"<C:calendar-data>{escape(data)}</C:calendar-data></D:prop><D:status>{status}</D:status>"
        "</D:propstat></D:response>"
    )


# ── XML ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_answers_are_read_whatever_prefixes_they_use() -> None:
    text = ct.calendar_text([("a", NINE, "Choir")]).decode()
    answer = multistatus(response("/desk/hall/20270104T090000Z.ics", text, '"tag"')).replace(b"<D:", b"<x:")
    answer = answer.replace(b"</D:", b"</x:").replace(b"xmlns:D", b"xmlns:x")
    assert ct.read_events(answer) == (ct.Event("20270104T090000Z.ics", '"tag"', "a", NINE, NINE + HOUR),)


def test_hrefs_may_be_absolute_and_encoded() -> None:
    text = ct.calendar_text([("a", NINE, "Choir")]).decode()
    (event,) = ct.read_events(multistatus(response("http://127.0.0.1:5232/desk/hall/a%20b.ics", text)))
    assert event.name == "a b.ics"


def test_what_was_not_found_is_no_event() -> None:
    text = ct.calendar_text([("a", NINE, "Choir")]).decode()
    gone = "<D:response><D:href>/desk/x.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>"
    refused = response("/desk/hall/y.ics", text, status="HTTP/1.1 403 Forbidden")
    assert ct.read_events(multistatus(gone, refused)) == ()


BOMB = b"""<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<D:multistatus xmlns:D="DAV:"><D:response>&b;</D:response></D:multistatus>"""
BOMB_TEXT = BOMB.decode()
READER = b"""<!DOCTYPE m [<!ENTITY f SYSTEM "file:///etc/hostname">]><m>&f;</m>"""


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (BOMB, "document type"),
        (READER, "document type"),
        (BOMB_TEXT.replace("?>", ' encoding="utf-16"?>', 1).encode("utf-16"), "not UTF-8"),
        (BOMB_TEXT.replace("?>", ' encoding="utf-16-le"?>', 1).encode("utf-16-le"), "zero bytes"),
        (BOMB_TEXT.replace("?>", ' encoding="utf-16-be"?>', 1).encode("utf-16-be"), "zero bytes"),
        (BOMB_TEXT.replace("?>", ' encoding="utf-7"?>', 1).replace("<!", "+ADwAIQ-").encode(), "not XML"),
        (b"", "not XML"),
        (b"<html>", "not XML"),
        (b"<html></html>", "not a DAV multistatus"),
        (multistatus(response("/a", "BEGIN:VCALENDAR")), "unfinished"),
        (multistatus(response("/a", "hello")), "without a colon"),
        (multistatus(response("/a", "X:1")), "unfinished or empty"),
        (multistatus(response("/a", "x", etag="")), "without a name or an entity tag"),
        (multistatus(response("/", "x")), "without a name or an entity tag"),
    ],
)
def test_other_answers_are_refused_with_what_was_wrong(answer: bytes, says: str) -> None:
    with pytest.raises(ct.UnreadableAnswerError, match=says):
        ct.read_events(answer)


def test_an_oversized_answer_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ct, "LARGEST_ANSWER", 100)
    with pytest.raises(ct.UnreadableAnswerError, match="101 bytes"):
        ct.read_events(b"<" * 101)


@given(st.binary(max_size=300))
def test_no_answer_makes_the_reader_crash(answer: bytes) -> None:
    with pytest.raises(ct.UnreadableAnswerError):
        ct.read_events(answer)


def test_questions_are_well_formed_and_ask_for_the_range() -> None:
    root = ET.fromstring(ct.calendar_query(NINE, NINE + HOUR))
    limits = root.find(".//{urn:ietf:params:xml:ns:caldav}time-range")
    assert limits is not None
    assert limits.attrib == {"start": "20270104T090000Z", "end": "20270104T100000Z"}
    assert ET.fromstring(ct.calendar_query()).find(".//{urn:ietf:params:xml:ns:caldav}time-range") is None


@given(printable)
def test_a_title_stays_text(title: str) -> None:
    try:
        root = ET.fromstring(ct.new_calendar(title))
    except ET.ParseError:
        # Only the characters that XML 1.0 has no way to write.
        assert any(c in "\ufffe\uffff" for c in title)
        return
    assert root.findtext(".//{DAV:}displayname") == title


# ── iCalendar ───────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.tuples(printable, moments, printable), min_size=1, max_size=4))
def test_what_is_written_is_read_back(events: list[tuple[str, datetime, str]]) -> None:
    text = ct.calendar_text(events)
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert ct.read_calendar(text.decode()) == [(uid, start, start + HOUR) for uid, start, _ in events]


def test_an_outside_reader_agrees() -> None:
    """RFC 5545's own example of folding, 3.1, and text escapes, 3.3.11: not made up here."""
    text = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:19970610T172345Z-AF23B2@exam\r\n ple.com\r\n"
        "DTSTART;X-A=b:19970714T170000Z\r\nDTEND:19970715T040000Z\r\nSUMMARY:Bastille Day Party\r\n"
        "BEGIN:VALARM\r\nUID:not-this\r\nDTSTART:20200101T000000Z\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    start, end = datetime(1997, 7, 14, 17, tzinfo=UTC), datetime(1997, 7, 15, 4, tzinfo=UTC)
    assert ct.read_calendar(text) == [("19970610T172345Z-AF23B2@example.com", start, end)]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("DTSTART:20270104T090000Z\nDTEND:20270104T100000Z", "without UID"),
        ("UID:a\nDTEND:20270104T100000Z", "without DTSTART"),
        ("UID:a\nDTSTART:20270104T090000Z", "without DTEND"),
        ("UID:a\nDTSTART:20270104T090000\nDTEND:20270104T100000Z", "time in UTC"),
        ("UID:a\nDTSTART;VALUE=DATE:20270104\nDTEND:20270104T100000Z", "time in UTC"),
        ("UID:a\nBEGIN:VALARM\nEND:VTODO", "do not nest"),
        ("UID:a\nEND:VCALENDAR", "do not nest"),
    ],
)
def test_broken_events_are_refused(event: str, says: str) -> None:
    with pytest.raises(ct.UnreadableAnswerError, match=says):
        ct.read_calendar(f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR\n")


# ── hours and the audit's rules ─────────────────────────────────────────────────────────────────────────────


def event(uid: str, start: datetime, *, etag: str = '"1"', name: str | None = None) -> ct.Event:
    return ct.Event(name or rules.name_of(start), etag, uid, start, start + HOUR)


def test_an_hour_is_free_when_nothing_overlaps_it() -> None:
    day = date(2027, 1, 4)
    half = replace(event("half", NINE), start=NINE + HOUR / 2, end=NINE + 1.5 * HOUR)
    free = rules.free_hours(day, 1, [half, event("late", NINE + 11 * HOUR)])
    assert [hour.hour for hour in free] == list(range(11, 20))
    assert len(rules.free_hours(day, 7, [])) == 84


def test_earlier_bookings_are_the_same_in_every_run_and_spread_over_the_days() -> None:
    hall = rules.earlier_bookings("hall", 150, date(2027, 1, 4), 60)
    assert hall == rules.earlier_bookings("hall", 150, date(2027, 1, 4), 60)
    assert set(hall) != set(rules.earlier_bookings("garden-room", 150, date(2027, 1, 4), 60))
    assert len(hall) == 150
    assert len({start.date() for start in hall.values()}) > 50
    with pytest.raises(ValueError, match="Sample larger"):
        rules.earlier_bookings("hall", 13, date(2027, 1, 4), 1)


def booking(journey: int, start: datetime, state: str = "booked") -> rules.Booking:
    return rules.Booking(journey, "hall", rules.name_of(start), f"j{journey}", start, '"1"', state)  # type: ignore[arg-type]


BOOKED = [
    booking(1, NINE),
    booking(2, NINE + HOUR),
    booking(3, NINE + 2 * HOUR, "cancelled"),
    booking(4, NINE, "unsure"),
]
EARLIER = {"hall": {"e": NINE + 5 * HOUR}}
WELL = (event("j1", NINE), event("j2", NINE + HOUR), event("e", NINE + 5 * HOUR))


def test_a_system_that_keeps_its_promises_breaks_no_rule() -> None:
    found = rules.examine(BOOKED, {"hall": WELL}, EARLIER)
    assert [(rule.examined, rule.broken, rule.journeys) for rule in found] == [
        (2, (), frozenset()),
        (1, (), frozenset()),
        (2, (), frozenset()),
        (3, (), frozenset()),
        (1, (), frozenset()),
    ]


@pytest.mark.parametrize(
    ("events", "broken"),
    [
        (WELL[1:], {"every booking stands once, at its hour": {1}}),
        (
            (*WELL, event("j1", NINE + 3 * HOUR, name="copy.ics")),
            {"every booking stands once, at its hour": {1}},
        ),
        (
            (event("j1", NINE + 4 * HOUR), *WELL[1:]),
            {"every booking stands once, at its hour": {1}},
        ),
        ((*WELL, event("j3", NINE + 2 * HOUR)), {"every cancelled booking is gone": {3}}),
        (
            (event("j1", NINE, etag='"2"'), *WELL[1:]),
            {"every booking keeps the entity tag it was given": {1}},
        ),
        ((*WELL, event("j4", NINE, name="other.ics")), {"no hour of a calendar is booked twice": {1, 4}}),
        (WELL[:2], {"every earlier booking is left alone": set()}),
        (
            (),
            {"every booking stands once, at its hour": {1, 2}, "every earlier booking is left alone": set()},
        ),
    ],
)
def test_each_rule_sees_what_breaks_it(events: tuple[ct.Event, ...], broken: dict[str, set[int]]) -> None:
    found = {
        rule.name: rule.journeys for rule in rules.examine(BOOKED, {"hall": events}, EARLIER) if rule.broken
    }
    assert found == broken


def test_a_calendar_that_is_gone_breaks_the_rules_of_its_bookings() -> None:
    found = {rule.name for rule in rules.examine(BOOKED, {}, EARLIER) if rule.broken}
    assert found == {"every booking stands once, at its hour", "every earlier booking is left alone"}
