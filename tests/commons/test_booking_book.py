"""A slot is given once: whatever the order of hold, confirm, cancel and time passing, and whoever writes."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import hypothesis.strategies as st
import pytest
from booking.book import ANSWERS_KEPT, Book, initialise
from booking.configuration import configure
from booking.people import Details, Person
from booking.problems import Problem
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

CONFIGURATION = configure(
    {
        "organisation": "Town",
        "resources": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}],
        "opening_hours": {"monday": [["09:00", "11:00"]]},
        "window": {"opens_after_days": 0, "open_for_days": 14},
        "hold_minutes": 5,
        "time_zone": "UTC",
    }
)
START = datetime(2027, 1, 3, 12, tzinfo=UTC).timestamp()  # a Sunday; the next two Mondays can be booked
NINE = int(datetime(2027, 1, 4, 9, tzinfo=UTC).timestamp())
DETAILS = Details((Person("Ann", "Lee", date(1990, 1, 1)),), "ann@example.org", "")


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Booked:
    """A book in a folder of its own, with its clock."""

    def __init__(self, folder: Path) -> None:
        self.path, self.clock, self._keys = folder / "book.sqlite", Clock(), 0
        initialise(self.path)
        self.book = self.open()

    def open(self) -> Book:
        return Book(self.path, CONFIGURATION, self.clock)

    def write(self, action):
        self._keys += 1
        return self.book.once(f"key-{self._keys}", "", action)[1]

    def hold(self, slot: int, resource: str = "a"):
        return self.write(lambda: self.book.hold(CONFIGURATION.resources[resource], NINE + slot * 1800))

    def confirm(self, booking: str):
        return self.write(lambda: self.book.confirm(booking, DETAILS))

    def cancel(self, booking: str):
        return self.write(lambda: self.book.cancel(booking))

    def rows(self, query: str, *values: object) -> list[tuple]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()


@pytest.fixture
def booked(tmp_path: Path) -> Iterator[Booked]:
    found = Booked(tmp_path)
    yield found
    found.book.close()


class Interleavings(RuleBasedStateMachine):
    """Any interleaving, against a model that knows who may have what."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.booked = Booked(Path(self.folder.name))
        self.second = self.booked.open()
        self.model: dict[str, dict] = {}

    def teardown(self) -> None:
        self.second.close()
        self.booked.book.close()
        self.folder.cleanup()

    def live(self, booking: dict) -> bool:
        return booking["state"] == "confirmed" or (
            booking["state"] == "held" and booking["until"] > self.booked.clock.now
        )

    @rule(slot=st.integers(0, 3), resource=st.sampled_from(["a", "b"]), swap=st.booleans())
    def hold(self, slot: int, resource: str, swap: bool) -> None:
        if swap:  # now another process writes
            self.booked.book, self.second = self.second, self.booked.book
        taken = any(
            self.live(b) and (b["resource"], b["slot"]) == (resource, slot) for b in self.model.values()
        )
        try:
            answer = self.booked.hold(slot, resource)
        except Problem as problem:
            assert taken and problem.kind == "slot-taken"
        else:
            assert not taken
            self.model[answer["id"]] = {
                "resource": resource, "slot": slot, "state": "held", "until": self.booked.clock.now + 300,
            }  # fmt: skip

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        name = list(self.model)[data.draw(st.integers(0, len(self.model) - 1))]
        may = self.model[name]["state"] == "held" and self.live(self.model[name])
        try:
            self.booked.confirm(name)
        except Problem as problem:
            assert not may and problem.status == 409
        else:
            assert may
            self.model[name]["state"] = "confirmed"

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        name = list(self.model)[data.draw(st.integers(0, len(self.model) - 1))]
        if self.live(self.model[name]):
            self.booked.cancel(name)
            self.model[name]["state"] = "cancelled"
        elif self.model[name]["state"] != "held":
            with pytest.raises(Problem):
                self.booked.cancel(name)

    @rule(seconds=st.sampled_from([1, 150, 299, 300, 301]))
    def wait(self, seconds: int) -> None:
        self.booked.clock.now += seconds

    @invariant()
    def nothing_is_given_twice(self) -> None:
        twice = self.booked.rows(
            "SELECT a.id, b.id FROM bookings a JOIN bookings b"
            " ON a.number < b.number AND a.resource = b.resource"
            " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
            " WHERE a.state IN ('held', 'confirmed') AND b.state IN ('held', 'confirmed')"
        )
        assert not twice

    @invariant()
    def what_is_not_live_is_offered(self) -> None:
        for resource in ("a", "b"):
            free = self.booked.book.free(
                CONFIGURATION.resources[resource], date(2027, 1, 4), date(2027, 1, 4)
            )
            taken = {b["slot"] for b in self.model.values() if b["resource"] == resource and self.live(b)}
            assert {(slot.starts_at - NINE) // 1800 for slot in free} == {0, 1, 2, 3} - taken
            assert self.booked.book.days(CONFIGURATION.resources[resource])[0]["free"] == 4 - len(taken)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


def test_threads_after_one_slot_leave_one_winner(booked: Booked) -> None:
    barrier = threading.Barrier(12)
    outcomes: list[str] = []

    def citizen(number: int) -> None:
        book = booked.open()
        try:
            barrier.wait()
            book.once(f"key-of-{number}", "", lambda: book.hold(CONFIGURATION.resources["a"], NINE))
            outcomes.append("held")
        except Problem as problem:
            outcomes.append(problem.kind)
        finally:
            book.close()

    threads = [threading.Thread(target=citizen, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["held"] + ["slot-taken"] * 11


@pytest.mark.parametrize("minutes", [(0, 30), (10, 20), (-10, 10), (20, 60), (-60, 120)])
def test_the_database_itself_refuses_an_overlap(booked: Booked, minutes: tuple[int, int]) -> None:
    booked.hold(0)
    connection = sqlite3.connect(booked.path)
    insert = (
        "INSERT INTO bookings"
        " (id, reference, resource, starts_at, ends_at, day, state, people, created_at, changed_at)"
        " VALUES ('x', 'X', ?, ?, ?, '2027-01-04', ?, '[]', 0, 0)"
    )
    start, end = (NINE + 60 * minute for minute in minutes)
    try:
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(insert, ("a", start, end, "confirmed"))
        connection.execute(insert, ("a", start, end, "cancelled"))
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE bookings SET state = 'confirmed' WHERE id = 'x'")
    finally:
        connection.close()


def test_a_hold_that_ran_out_cannot_be_confirmed_and_frees_its_slot(booked: Booked) -> None:
    held = booked.hold(1)
    booked.clock.now += 300
    assert booked.book.get(held["id"])["state"] == "expired"
    with pytest.raises(Problem, match="hold-over"):
        booked.confirm(held["id"])
    assert booked.hold(1)["id"] != held["id"]
    with pytest.raises(Problem, match="hold-over"):
        booked.confirm(held["id"])


def test_a_repeated_write_is_answered_and_not_done_again(booked: Booked) -> None:
    def action():
        return booked.book.hold(CONFIGURATION.resources["a"], NINE)

    first = booked.book.once("the-key", "what", action)
    assert booked.book.once("the-key", "what", action) == first
    assert len(booked.rows("SELECT * FROM bookings")) == 1
    with pytest.raises(Problem, match="key-reused"):
        booked.book.once("the-key", "something else", action)
    booked.clock.now += ANSWERS_KEPT + 1
    booked.hold(7 * 48)  # a week later, at nine
    assert booked.rows("SELECT count(*) FROM answers") == [(1,)]


def test_a_refused_write_leaves_nothing_behind_and_can_be_tried_again(booked: Booked) -> None:
    held = booked.hold(0)
    attempt = ("my-key", "", lambda: booked.book.hold(CONFIGURATION.resources["a"], NINE))
    with pytest.raises(Problem, match="slot-taken"):
        booked.book.once(*attempt)
    booked.cancel(held["id"])
    assert booked.book.once(*attempt)[0] == 201


def test_an_import_is_taken_whole_or_not_at_all(booked: Booked) -> None:
    desk = CONFIGURATION.resources["a"]
    booked.hold(2)
    clash = [(desk, NINE, "E1", DETAILS), (desk, NINE + 2 * 1800, "E2", DETAILS)]
    with pytest.raises(Problem, match="slot-taken"):
        booked.write(lambda: booked.book.take_over(clash))
    same = [(desk, NINE, "E1", DETAILS), (desk, NINE + 1800, "E1", DETAILS)]
    with pytest.raises(Problem, match="reference-used"):
        booked.write(lambda: booked.book.take_over(same))
    assert len(booked.rows("SELECT * FROM bookings")) == 1
    assert booked.write(lambda: booked.book.take_over(clash[:1])) == {"imported": 1}
    assert booked.book.search(" e1 ", "LEE")["reference"] == "E1"
    with pytest.raises(Problem, match="no-such-booking"):
        booked.book.search("E1", "Roy")


def test_an_appointment_that_has_begun_cannot_be_cancelled(booked: Booked) -> None:
    name = booked.hold(0)["id"]
    booked.confirm(name)
    booked.clock.now = NINE
    with pytest.raises(Problem, match="begun"):
        booked.cancel(name)


def test_the_audit_pages_through_every_booking_once(booked: Booked) -> None:
    names = [booked.hold(slot, resource)["id"] for slot in range(3) for resource in ("a", "b")]
    seen, after = [], 0
    while after is not None:
        page, after = booked.book.audit(after, 4)
        seen += [booking["id"] for booking in page]
    assert seen == names
