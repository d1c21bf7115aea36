"""The one error of the ledger, and how a database's own errors become it.

The one idea: whoever uses the ledger sees what was found, where, and what to do next; never a traceback,
never SQL, and never a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*://)(?P<user>[^:/@\s]*):.*@")
_SECRET_SETTING = re.compile(r"(?i)(?P<name>[?&;\s][^=&;\s]*(?:pass|secret|token|key)[^=&;\s]*=)[^&;\s]*")


class StoreError(Exception):
    """The ledger refused or could not do what was asked. The message says what was found and what to do."""


def redact(text: str) -> str:
    """`text` with the passwords of any database URLs in it replaced by `***`."""
    hidden = _CREDENTIALS.sub(lambda m: f"{m['scheme']}{m['user']}:***@", text)
    return _SECRET_SETTING.sub(lambda m: f"{m['name']}***", hidden)


# What a driver says, and what that means for the person who reads it. First match wins.
_MEANINGS = (
    (
        ("database is locked", "database table is locked", "lock timeout"),
        "another process holds it and did not let go in time; let that process finish (a harness still "
        "running, a database browser with open changes), then try again",
    ),
    (
        ("not a database", "file is encrypted"),
        "the file there is not a SQLite database; move it away, or point HARNESS_DATABASE at the ledger",
    ),
    (
        ("readonly database", "read-only"),
        "it may not be written; give this user permission to write the file and its folder, or use "
        "another ledger",
    ),
    (
        ("unable to open database file",),
        "the file cannot be opened; check that its folder exists, that this user may write there, and "
        "that the path is not itself a folder",
    ),
    (
        ("disk is full", "no space left"),
        "the disk is full and nothing of this was written; free some space, then try again",
    ),
    (
        ("malformed", "disk I/O error"),
        "it cannot be read or written properly; check the disk, and restore the file from a copy if it is "
        "damaged",
    ),
    (
        # The refusals people meet are checked beforehand, so only a race between two writers comes here.
        ("unique constraint",),
        "another process wrote the same thing first; look at what is there now and try again",
    ),
    (
        ("password authentication failed", "no password supplied"),
        "the database server does not accept this user and password; check HARNESS_DATABASE",
    ),
    (
        ("connection refused", "could not translate host name", "failed to resolve host", "timeout expired"),
        "the database server cannot be reached; check that it runs and that HARNESS_DATABASE names it",
    ),
)


def meaning(found: str) -> str:
    """A driver's message made useful: what it means and what to do, the driver's own words behind."""
    first = redact(found.strip().splitlines()[0]) if found.strip() else "no reason given"
    for signs, advice in _MEANINGS:
        if any(sign.lower() in found.lower() for sign in signs):
            return f"{advice} ({first})"
    return f"the database answered: {first}"


@contextmanager
def told(place: str, doing: str) -> Iterator[None]:
    """Turn a database's errors while `doing` something (to the ledger at `place`) into StoreErrors."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"{doing}: the ledger {place}: {meaning(str(error.orig))}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{doing}: the ledger {place}: {meaning(str(error))}") from error
    except OSError as error:
        raise StoreError(f"{doing}: the ledger {place}: {meaning(error.strerror or str(error))}") from error
