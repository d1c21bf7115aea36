"""The one database: sessions, diary, submissions, answers, report tables.

The one idea: a page that changes something is one immediate transaction from reading its session to its
end, so two clicks on one button, or two citizens after one appointment, are one after the other, and the
second sees what the first did.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from forms.configuration import Configuration

_writers = threading.Lock()
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass
class Session:
    """One citizen's form so far, as kept between pages."""

    token: str
    csrf: str
    data: dict[str, Any] = field(default_factory=dict)


class Taken(Exception):  # noqa: N818
    """The appointment was given to somebody else."""


class ImportRefused(Exception):  # noqa: N818
    """A row of an import that cannot be taken; the message says which and why."""


@contextmanager
def connect(path: Path) -> Iterator[Database]:
    """A connection for one page."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=10.0)
    connection.row_factory = sqlite3.Row
    try:
        yield Database(connection)
    finally:
        connection.close()


def initialise(path: Path, configuration: Configuration, today: date, now: float) -> None:
    """Make the tables, the diary and the first report. Raises sqlite3.Error if they are there already."""
    with connect(path) as database:
        database.create()
        with database.changing():
            database.extend_diary(configuration, today)
            database.nightly(now)


class Database:
    """Queries, as plain as the pages that ask them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def create(self) -> None:
        """Make the tables."""
        self._db.executescript(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One transaction that may write: done whole, or not at all.

        Writers of one process queue, as they would at a database server, instead of asking SQLite again and
        again. Raises sqlite3.OperationalError if the database stays locked for 10 seconds.
        """
        with _writers:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # ── sessions ────────────────────────────────────────────────────────────────────────────────────────

    def open_session(self, now: float, lifetime: float) -> Session:
        """A new session; sessions left alone for too long are cleared away."""
        self._db.execute("DELETE FROM sessions WHERE touched < ?", (now - lifetime,))
        session = Session(secrets.token_urlsafe(24), secrets.token_urlsafe(24))
        self._db.execute("INSERT INTO sessions VALUES (?, ?, '{}', ?)", (session.token, session.csrf, now))
        return session

    def session(self, token: str, now: float, lifetime: float) -> Session | None:
        """The session of a cookie, unless it is unknown or was left alone for too long."""
        row = self._db.execute(
            "SELECT * FROM sessions WHERE token = ? AND touched >= ?", (token, now - lifetime)
        ).fetchone()
        return Session(row["token"], row["csrf"], json.loads(row["data"])) if row else None

    def save(self, session: Session, now: float) -> None:
        """Keep what a page added."""
        self._db.execute(
            "UPDATE sessions SET data = ?, touched = ? WHERE token = ?",
            (json.dumps(session.data), now, session.token),
        )

    # ── diary ───────────────────────────────────────────────────────────────────────────────────────────

    def extend_diary(self, configuration: Configuration, today: date) -> None:
        """Add the days that have come within reach."""
        if configuration.diary is None:
            return
        known = {row[0] for row in self._db.execute("SELECT DISTINCT day FROM diary")}
        self._db.executemany(
            "INSERT INTO diary (office, day, time) VALUES (?, ?, ?)",
            [
                (office, day.isoformat(), time)
                for day in configuration.diary.days(today)
                if day.isoformat() not in known
                for office in configuration.diary.offices
                for time in configuration.diary.times(day)
            ],
        )

    def offices(self, today: str) -> dict[str, int]:
        """Free appointments of each office."""
        return dict(
            self._db.execute(
                "SELECT office, count(*) FROM diary WHERE submission IS NULL AND day > ? GROUP BY office",
                (today,),
            ).fetchall()
        )

    def days(self, office: str, today: str) -> list[tuple[str, int]]:
        """Days on which an office has free appointments, and how many."""
        rows = self._db.execute(
            "SELECT day, count(*) FROM diary WHERE office = ? AND submission IS NULL AND day > ?"
            " GROUP BY day ORDER BY day",
            (office, today),
        )
        return [(row[0], row[1]) for row in rows]

    def times(self, office: str, day: str) -> list[tuple[int, str]]:
        """Free appointments of an office on a day: row of the diary and local time."""
        rows = self._db.execute(
            "SELECT id, time FROM diary WHERE office = ? AND day = ? AND submission IS NULL ORDER BY time",
            (office, day),
        )
        return [(row[0], row[1]) for row in rows]

    # ── submissions ─────────────────────────────────────────────────────────────────────────────────────

    def submit(self, prefix: str, answers: Mapping[str, str], diary: int | None, now: float) -> int:
        """Take a form in and book its row of the diary; its number. Raises Taken, having changed nothing."""
        reference = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(8))
        return self._insert(reference, answers, diary, now)

    def _insert(self, reference: str, answers: Mapping[str, str], diary: int | None, now: float) -> int:
        if diary is not None:
            row = self._db.execute("SELECT submission FROM diary WHERE id = ?", (diary,)).fetchone()
            if row is None or row["submission"] is not None:
                raise Taken
        made = self._db.execute(
            "INSERT INTO submissions (reference, state, diary, made_at) VALUES (?, 'made', ?, ?)",
            (reference, diary, now),
        )
        number = made.lastrowid
        assert number is not None
        if diary is not None:
            self._db.execute("UPDATE diary SET submission = ? WHERE id = ?", (number, diary))
        self._db.executemany(
            "INSERT INTO answers VALUES (?, ?, ?)", [(number, name, value) for name, value in answers.items()]
        )
        return number

    def find(self, reference: str, field_name: str, name: str) -> int | None:
        """A booking that stands, by reference and the citizen's name."""
        row = self._db.execute(
            "SELECT s.id FROM submissions s, answers a"
            " WHERE upper(s.reference) = upper(?) AND s.state = 'made'"
            " AND a.submission = s.id AND a.field = ? AND lower(a.value) = lower(?)",
            (reference.strip(), field_name, name.strip()),
        ).fetchone()
        return row[0] if row else None

    def shown(self, submission: int) -> dict[str, Any]:
        """What a citizen is shown of a submission: reference, state, office, day, time."""
        row = self._db.execute(
            "SELECT s.reference, s.state, d.office, d.day, d.time"
            " FROM submissions s LEFT JOIN diary d ON d.id = s.diary WHERE s.id = ?",
            (submission,),
        ).fetchone()
        return dict(row)

    def cancel(self, submission: int, now: float) -> bool:
        """Cancel a booking and free its appointment; False if it does not stand any more."""
        done = self._db.execute(
            "UPDATE submissions SET state = 'cancelled', cancelled_at = ? WHERE id = ? AND state = 'made'",
            (now, submission),
        )
        self._db.execute("UPDATE diary SET submission = NULL WHERE submission = ?", (submission,))
        return done.rowcount == 1

    # ── staff ───────────────────────────────────────────────────────────────────────────────────────────

    def nightly(self, now: float) -> None:
        """The nightly job: work the report's tables out afresh."""
        self._db.execute("DELETE FROM report_daily")
        self._db.execute(
            "INSERT INTO report_daily"
            " SELECT day, office, count(*), count(submission) FROM diary GROUP BY day, office"
        )
        self._db.execute(
            "INSERT INTO report_runs"
            " SELECT ?, count(*), coalesce(sum(state = 'cancelled'), 0) FROM submissions",
            (now,),
        )

    def report(self) -> tuple[sqlite3.Row | None, list[sqlite3.Row]]:
        """The last run of the nightly job and its table."""
        run = self._db.execute("SELECT * FROM report_runs ORDER BY ran_at DESC LIMIT 1").fetchone()
        return run, self._db.execute("SELECT * FROM report_daily ORDER BY day, office").fetchall()

    def all_submissions(self) -> list[dict[str, str]]:
        """Every submission with its appointment and answers."""
        answers: dict[int, dict[str, str]] = {}
        for submission, name, value in self._db.execute("SELECT submission, field, value FROM answers"):
            answers.setdefault(submission, {})[name] = value
        rows = self._db.execute(
            "SELECT s.id, s.reference, s.state, d.office, d.day, d.time"
            " FROM submissions s LEFT JOIN diary d ON d.id = s.diary ORDER BY s.id"
        )
        listed = []
        for row in rows:
            appointment = {key: row[key] or "" for key in ("reference", "state", "office", "day", "time")}
            listed.append(appointment | answers.get(row["id"], {}))
        return listed

    def whole_diary(self) -> list[tuple[str, str, str, str]]:
        """Every appointment there is: office, day, time, and the reference it is given to (or nothing)."""
        rows = self._db.execute(
            "SELECT d.office, d.day, d.time, coalesce(s.reference, '')"
            " FROM diary d LEFT JOIN submissions s ON s.id = d.submission ORDER BY d.id"
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def take_over(self, rows: Iterable[Mapping[str, str]], fields: tuple[str, ...], now: float) -> int:
        """Submissions typed in from elsewhere; how many. Raises ImportRefused, Taken."""
        diary = {
            (row[1], row[2], row[3]): row[0]
            for row in self._db.execute("SELECT id, office, day, time FROM diary")
        }
        known = {row[0] for row in self._db.execute("SELECT reference FROM submissions")}
        count = 0
        for number, row in enumerate(rows, 2):
            place = diary.get((row.get("office", ""), row.get("day", ""), row.get("time", "")))
            reference = row.get("reference") or ""
            if place is None or not reference or reference in known:
                raise ImportRefused(
                    f"line {number}: no such appointment, or a reference that is missing or in use"
                )
            known.add(reference)
            self._insert(reference, {name: row.get(name) or "" for name in fields}, place, now)
            count += 1
        return count
