"""What can be wrong with a ledger's address or file: one sentence each, what to do in it, no password."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from harness.store.engine import make_engine, parse
from harness.store.errors import meaning, redact
from harness.store.ledger import Ledger, StoreError

Child = Callable[..., "subprocess.Popen[str]"]


def test_the_folders_above_a_new_ledger_are_made(url: str, file: Path) -> None:
    assert not file.parent.exists()
    Ledger.open(url).close()
    assert file.is_file()


def test_a_ledger_beside_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Ledger.open("sqlite:///ledger.db").close()
    assert (tmp_path / "ledger.db").is_file()


def test_what_a_connection_promises(url: str) -> None:
    with Ledger.open(url):
        engine = make_engine(parse(url), 3.5)
        with engine.connect() as connection:
            pragma = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        engine.dispose()
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 3500}


def test_closing_leaves_one_file(url: str, file: Path, samples: SimpleNamespace) -> None:
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("content", [b"x" * 511, b"a spreadsheet, perhaps\n" * 200, b"\x00" * 4096, b"x"])
def test_a_file_that_is_no_database_is_refused_and_left_alone(url: str, file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"ledger\.db.* not a SQLite database; move it away"):
        Ledger.open(url)
    assert file.read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_alone(url: str, file: Path) -> None:
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE bookings (id INTEGER)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(
        StoreError, match=r"no ledger: it holds bookings; give the ledger a database of its own"
    ):
        Ledger.open(url)
    assert file.read_bytes() == before


def test_a_ledger_cut_short_is_said_to_be_damaged(url: str, file: Path, samples: SimpleNamespace) -> None:
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
        ledger.commit_round("trial-1", samples.round_(1))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(StoreError, match=r"check the disk, and restore"), Ledger.open(url) as ledger:
        ledger.load("trial-1")


def test_a_folder_in_the_ledgers_place(url: str, file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(StoreError, match=r"cannot be opened; check .* not itself a folder"):
        Ledger.open(url)


def test_a_file_where_a_folder_should_be(url: str, file: Path) -> None:
    file.parent.parent.mkdir(parents=True)
    file.parent.write_text("a file")
    with pytest.raises(StoreError, match=r"folder .*\.harness cannot be made .* HARNESS_DATABASE"):
        Ledger.open(url)


@pytest.mark.parametrize("place", ["/proc/harness/ledger.db", "/proc/self/ledger.db", "/dev/null/ledger.db"])
def test_a_place_where_nobody_may_write(place: str) -> None:
    """/proc and /dev/null refuse even root, so this holds whoever runs the tests."""
    with pytest.raises(StoreError, match=r"cannot be (made|opened)"):
        Ledger.open(f"sqlite:///{place}")


def test_a_folder_that_may_not_be_entered(tmp_path: Path) -> None:
    """In a process that is not root, for root enters every folder."""
    code = (
        "import os, sys; from harness.store.ledger import Ledger, StoreError\n"
        "Ledger.open('sqlite://').close()  # imports everything while it still may\n"
        "os.geteuid() or os.setresuid(65534, 65534, 65534)\n"
        "try: Ledger.open(sys.argv[1])\n"
        "except StoreError as error: print(error)"
    )
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    for url in (f"sqlite:///{closed}/ledger.db", f"sqlite:///{closed}/deeper/ledger.db"):
        ran = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=False)
        assert "ermission denied" in ran.stdout
        assert ran.stderr == ""
    closed.chmod(0o700)


def test_a_ledger_that_may_only_be_read_can_be_read(url: str, file: Path, samples: SimpleNamespace) -> None:
    """`query_only` and `mode=ro` bind root as well; a file's permissions do not."""
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
    with Ledger.open(f"sqlite:///file:{file}?mode=ro&uri=true") as ledger:
        assert ledger.load("trial-1").trial == samples.trial()
        with pytest.raises(
            StoreError, match=r"committing round 1: .* may not be written; give this user permission"
        ):
            ledger.commit_round("trial-1", samples.round_(1))


def test_a_full_disk_costs_the_call_and_nothing_else(url: str, samples: SimpleNamespace) -> None:
    """SQLite's own page limit answers as a full disk does (SQLITE_FULL)."""
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
        ledger.commit_round("trial-1", samples.round_(1))

        def limit(driver: sqlite3.Connection, *_: object) -> None:
            pages = driver.execute("PRAGMA page_count").fetchone()[0]
            driver.execute(f"PRAGMA max_page_count = {pages + 2}")

        sa.event.listen(sa.Pool, "checkout", limit)
        try:
            with pytest.raises(StoreError, match="the disk is full and nothing of this was written"):
                ledger.commit_round("trial-1", samples.round_(2))
        finally:
            sa.event.remove(sa.Pool, "checkout", limit)
        assert [item.number for item in ledger.load("trial-1").rounds] == [1]


def test_a_locked_ledger_is_told_within_the_timeout(url: str, file: Path, child: Child) -> None:
    Ledger.open(url).close()
    holder = child("hold", file)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"opening: .* another process holds it .* let that process finish"):
        Ledger.open(url, timeout=0.3)
    assert 0.25 < time.monotonic() - began < 5
    holder.communicate("")
    Ledger.open(url, timeout=0.3).close()


def test_a_locked_empty_file_is_told_too(url: str, file: Path, child: Child) -> None:
    file.parent.mkdir(parents=True)
    holder = child("hold", file)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match="another process holds it"):
        Ledger.open(url, timeout=0.2)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "is not a database URL; expected something like sqlite:"),
        ("sqlite:///a\0b.db", "is not a database URL"),
        ("ledger.db", "is not a database URL"),
        ("/home/me/ledger.db", "is not a database URL"),
        ("postgresql://me:hunter2@host:notaport/db", "is not a database URL"),
        ("mysql://me:hunter2@host/db", "cannot be kept in 'mysql'"),
        ("sqlite+aiosqlite:///x.db", "cannot be kept in 'sqlite\\+aiosqlite'"),
        ("nonsense://me:hunter2@host/db", "cannot be kept in 'nonsense'"),
        ("sqlite://ledger.db", "names a host"),
        ("sqlite://me:hunter2@host/ledger.db", "names a host"),
    ],
)
def test_a_bad_address(url: str, expected: str) -> None:
    with pytest.raises(StoreError, match=expected) as caught:
        Ledger.open(url)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_not_there_or_has_no_driver() -> None:
    """Port 1 of this machine answers nobody; without psycopg the message says what to install."""
    with pytest.raises(StoreError, match=r"psycopg|cannot be reached") as caught:
        Ledger.open("postgresql+psycopg://me:hunter2@127.0.0.1:1/db?sslpassword=hunter3", timeout=1)
    assert "hunter" not in str(caught.value)


secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6).map(
    lambda text: f"Zq{text}qZ"
)


@given(secrets)
def test_no_password_survives_in_a_message(secret: str) -> None:
    for text in (
        f"postgresql+psycopg://me:{secret}@host:5432/db",
        f"postgresql://:{secret}@host/db?sslmode=require",
    ):
        assert secret not in redact(text)
        assert secret not in meaning(f"could not connect to {text}")
        assert "host" in redact(text)


def test_settings_that_hold_secrets_are_hidden_and_others_are_not() -> None:
    shown = redact("postgresql://me@host/db?sslmode=require&password=hunter2&sslpassword=hunter3&token=t1")
    assert shown == "postgresql://me@host/db?sslmode=require&password=***&sslpassword=***&token=***"
    assert redact("sqlite:////srv/a:b@c/ledger.db") == "sqlite:////srv/a:b@c/ledger.db"
