"""From a URL to a database that keeps its word: the only module that knows one database from another.

The one idea: a committed round must be there afterwards. On SQLite that means
- transactions are begun here, not by the `sqlite3` driver, whose own way begins none for a SELECT or a CREATE
  TABLE: writing transactions BEGIN IMMEDIATE, so that two writers queue at the start instead of failing
  half-way, and reading ones BEGIN, so that a trial is read as of one moment;
- write-ahead logging, so that readers never hold up a run, with `synchronous=FULL`: NORMAL survives a kill -9
  too, but may lose the last commits when the power goes. A round costs minutes to measure and one fsync
  (milliseconds) to keep.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from harness.store.errors import StoreError, meaning, redact

_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_EXAMPLE = "sqlite:////home/me/programme/.harness/ledger.db or postgresql+psycopg://user@host/database"
_SHORTEST = 512  # bytes; SQLite's smallest page
_WRITES = "ledger_writes"


def parse(url: str) -> URL:
    """The URL in its parts.

    Raises:
        StoreError: not a URL of a database that the ledger knows. The message holds no password.
    """
    try:
        if "\0" in url:
            raise ValueError("NUL")
        parts = make_url(url)
    except (ArgumentError, ValueError):
        # The cause is left out: SQLAlchemy's and int()'s messages quote pieces of the URL.
        raise StoreError(
            f"{redact(url)!r} is not a database URL; expected something like {_EXAMPLE} (HARNESS_DATABASE)"
        ) from None
    if parts.drivername not in _DRIVERS:
        raise StoreError(
            f"the ledger cannot be kept in {parts.drivername!r} ({redact(url)}); expected {_EXAMPLE}"
        )
    if parts.get_backend_name() == "sqlite" and (parts.host or parts.username):
        raise StoreError(
            f"{redact(url)!r} names a host, which SQLite has not; a path needs three slashes, "
            "an absolute one four: sqlite:////home/me/programme/.harness/ledger.db"
        )
    return parts


def place_of(url: URL) -> str:
    """What to call the database in messages: a file's path, or the URL without its password."""
    return url.database if _file(url) and url.database else redact(url.render_as_string(hide_password=True))


def _file(url: URL) -> bool:
    """Whether this is a SQLite file (and not one in memory, or a `file:` URI with its own rules)."""
    name = url.database or ""
    return (
        url.get_backend_name() == "sqlite" and name not in ("", ":memory:") and not name.startswith("file:")
    )


def make_engine(url: URL, timeout: float) -> Engine:
    """An engine whose transactions are as this module's page says; creates the folder a SQLite file is to
    stand in.

    `timeout` seconds is how long to wait for another process's lock, and for a server to answer.

    Raises:
        StoreError: the folder cannot be made, or the driver is not installed.
    """
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": timeout, "check_same_thread": False}
        if url.database in (None, "", ":memory:"):
            # In memory a second connection would be a second, empty database.
            options["poolclass"] = StaticPool
    else:
        options["connect_args"] = {"connect_timeout": max(2, round(timeout))}
        options["pool_pre_ping"] = True
    if _file(url) and url.database:
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the ledger's folder {folder} cannot be made ({error.strerror}); make it, or "
                "give HARNESS_DATABASE a place that this user may write to"
            ) from error
        _spare_small_file(Path(url.database))
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError(
            f"the ledger {place_of(url)} needs a driver that is not installed ({error}); "
            "pip install 'psycopg[binary]', or keep the ledger in SQLite"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _take_over)
        event.listen(engine, "begin", _begin)
    return engine


def _spare_small_file(file: Path) -> None:
    """Refuse a file too short for a database, which SQLite would take for an empty one and write over."""
    if file.is_file() and 0 < file.stat().st_size < _SHORTEST:
        raise StoreError(f"opening: the ledger {file}: {meaning('file is not a database')}")


def writing(engine: Engine) -> Engine:
    """The same engine for transactions that write."""
    return engine.execution_options(**{_WRITES: True})


def _take_over(driver: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Keep the driver from beginning transactions by itself; have it check references and sync commits."""
    driver.isolation_level = None
    cursor = driver.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin as the transaction is meant."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def hold_references(connection: Connection, on: bool) -> None:
    """Switch SQLite's check of references, which it allows only between transactions.

    A migration that rebuilds a table drops the old one, which with the check on would fail or empty its
    children.
    """
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def broken_references(connection: Connection) -> int:
    """How many rows point at nothing (SQLite; others have checked by themselves)."""
    if connection.dialect.name != "sqlite":
        return 0
    return len(connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall())


def prefer_write_ahead(engine: Engine) -> None:
    """Switch a SQLite file to write-ahead logging, which it then stays in.

    Where that fails (someone is reading just now, the file may only be read, the file system shares no
    memory) SQLite's rollback journal serves: slower beside readers, just as safe. The next opening tries
    again.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        with contextlib.suppress(sqlite3.Error):
            cursor.execute("PRAGMA journal_mode")
            if cursor.fetchone() != ("wal",):
                cursor.execute("PRAGMA journal_mode = WAL")
