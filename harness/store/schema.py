"""The ledger's schema over time: which revision a database is at, and the way from there to this harness's
own.

The one idea: every ledger, the fresh one too, came to its schema through the same migrations, all or nothing
in one transaction; a ledger that is there already costs one small query, and Alembic is not even imported.

A new migration: change `tables.py`; `alembic.command.revision(config(connection), message=…,
autogenerate=True, rev_id="0002")` drafts `migrations/versions/0002_….py`; read it; add its number to
`REVISIONS`. Tests compare all three.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, Text, column, inspect, select, table
from sqlalchemy.exc import DBAPIError

from harness.store.engine import broken_references, hold_references, writing
from harness.store.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS = ("0001",)
"""Every revision this harness knows, oldest first; the last is what it reads and writes."""

VERSION_TABLE = "ledger_version"
"""Alembic's own table, under the ledger's name: another application's `alembic_version` is never taken for
ours."""

MIGRATIONS = Path(__file__).parent / "migrations"


def ensure(
    engine: Engine, place: str, migrations: Path = MIGRATIONS, known: tuple[str, ...] = REVISIONS
) -> None:
    """Bring the database to the last of the `known` revisions, if it is not there yet.

    Raises:
        StoreError: the database is of a newer harness, or is no ledger.
        SQLAlchemyError: the database could not do it; nothing was changed.
    """
    if _at_head(engine, place, known):
        return
    try:
        with writing(engine).connect() as connection:
            hold_references(connection, on=False)
            try:
                with connection.begin():
                    # Looked up again: another process may have been faster while this one waited to write.
                    if _revision(connection, place, known) != known[-1]:
                        _upgrade(connection, place, migrations)
            finally:
                hold_references(connection, on=True)
    except DBAPIError:
        # PostgreSQL lets two make tables at once until one of them fails; what counts is that they are there.
        if not _at_head(engine, place, known):
            raise


def _at_head(engine: Engine, place: str, known: tuple[str, ...]) -> bool:
    with engine.connect() as connection:
        return _revision(connection, place, known) == known[-1]


def _revision(connection: Connection, place: str, known: tuple[str, ...]) -> str | None:
    """The revision a database is at; None for an empty one."""
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            raise StoreError(
                f"{place} is a database, but no ledger: it holds {', '.join(sorted(tables)[:3])}; "
                "give the ledger a database of its own (HARNESS_DATABASE)"
            )
        return None
    query = select(column("version_num", Text)).select_from(table(VERSION_TABLE))
    found = connection.execute(query).scalars().all()
    if not found:
        return None  # taken back to the beginning
    if len(found) != 1 or found[0] not in known:
        raise StoreError(
            f"the ledger {place} has schema {', '.join(found)}, this harness knows {known[0]} "
            f"to {known[-1]}: a newer harness wrote it; upgrade this harness "
            "(pip install -U pioneer-harness), or use another ledger"
        )
    return found[0]


def config(connection: Connection | None = None, migrations: Path = MIGRATIONS) -> Config:
    """Alembic's configuration without an ini file; `env.py` takes the connection, with its transaction, from
    it."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(migrations).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def _upgrade(connection: Connection, place: str, migrations: Path) -> None:
    from alembic import command

    command.upgrade(config(connection, migrations), "head")
    if broken := broken_references(connection):
        raise StoreError(
            f"upgrading the ledger {place} would leave {broken} rows pointing at nothing; it was left as "
            "it was: keep a copy of it and report this as a bug of the harness"
        )
