"""One way to every schema: through the migrations, with the data kept, never past what we know."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from harness.store import schema
from harness.store.engine import make_engine, parse, writing
from harness.store.ledger import Ledger, StoreError
from harness.store.records import TrialState
from harness.store.tables import Base

SAMPLES: dict[type[sa.types.TypeEngine[Any]], Any] = {
    sa.Integer: 1,
    sa.Boolean: True,
    sa.DateTime: datetime(2026, 11, 21, 9, 30, 15, 123456),
    sa.JSON: {"a": [1, 2.5, None, "ü"]},
    sa.LargeBinary: b"\x00\xff blob",
    sa.Float: 0.1,
    sa.Text: "words",
}


REAL: dict[str, dict[str, Any]] = {
    "trials": {"state": "finished", "deviations": ["one"]},
    "rounds": {"arm_order": ["words"]},
    "runs": {"state": "measured", "failures": [], "audit": [], "checks": [], "timeline": []},
}
"""Where any value of a column's type would not do."""


def _filled(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Put one row into every table of whatever revision this is; give back all rows by table."""
    tables = sa.MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name != schema.VERSION_TABLE:
            row = {
                column.name: next(value for kind, value in SAMPLES.items() if isinstance(column.type, kind))
                for column in table.columns
            }
            row.update(REAL.get(table.name, {}))
            connection.execute(table.insert().values(row))
    return _rows(connection)


def _rows(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
    tables = sa.MetaData()
    tables.reflect(connection)
    return {
        table.name: [tuple(row) for row in connection.execute(sa.select(*table.columns))]
        for table in tables.sorted_tables
        if table.name != schema.VERSION_TABLE
    }


def test_the_harness_names_the_revisions_that_there_are() -> None:
    scripts = ScriptDirectory.from_config(schema.config())
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == schema.REVISIONS
    assert scripts.get_heads() == [schema.REVISIONS[-1]]


def test_the_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    Ledger.open(url).close()
    engine = make_engine(parse(url), 1)
    with writing(engine).connect() as connection, connection.begin():
        command.check(schema.config(connection))
    # What `check` does not look at: the very statements, partial indexes and constraint names among them.
    with engine.connect() as connection:
        query = sa.text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'ledger_version'")
        made = {_squeezed(sql) for sql in connection.scalars(query)}
    wanted = set()
    for table in Base.metadata.sorted_tables:
        wanted.add(_squeezed(str(CreateTable(table).compile(engine))))
        wanted |= {_squeezed(str(CreateIndex(index).compile(engine))) for index in table.indexes}
    assert made == wanted
    engine.dispose()


def _squeezed(sql: str) -> tuple[str, ...]:
    """One statement as its lines in a settled order, for the order of constraints means nothing."""
    return tuple(sorted(line.strip(" ,\t") for line in sql.splitlines() if line.strip()))


def test_check_would_notice_a_difference(url: str) -> None:
    Ledger.open(url).close()
    engine = make_engine(parse(url), 1)
    with writing(engine).connect() as connection, connection.begin():
        connection.execute(sa.text("ALTER TABLE runs DROP COLUMN schedule_hash"))
        with pytest.raises(Exception, match="schedule_hash"):
            command.check(schema.config(connection))
    engine.dispose()


@pytest.mark.parametrize("revision", schema.REVISIONS)
def test_an_older_ledger_is_upgraded_with_its_data(url: str, revision: str) -> None:
    engine = make_engine(parse(url), 1)
    with writing(engine).connect() as connection, connection.begin():
        command.upgrade(schema.config(connection), revision)
        before = _filled(connection)
    with Ledger.open(url) as ledger:
        full = ledger.load("words")
        assert full.trial.state is TrialState.FINISHED
        assert full.trial.started_at == SAMPLES[sa.DateTime].replace(tzinfo=UTC)
        (item,) = full.rounds
        assert item.runs[0].values["words"].value == 0.1
        assert item.runs[0].histograms == {"words": SAMPLES[sa.LargeBinary]}
    with engine.connect() as connection:
        assert {name: len(rows) for name, rows in _rows(connection).items()} == {
            name: len(before.get(name, [])) for name in Base.metadata.tables
        }
        assert connection.scalar(sa.text("SELECT version_num FROM ledger_version")) == schema.REVISIONS[-1]
    engine.dispose()


NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("trials", sa.Column("note", sa.Text(), nullable=False, server_default="none"))
    with op.batch_alter_table("trials", recreate="always") as trials:
        trials.alter_column("seed", type_=sa.Text())
    {more}
"""


@pytest.fixture
def with_next(tmp_path: Path) -> Path:
    """The migrations with one more, which rebuilds a table that others point at (the hard case on SQLite)."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0002_next.py").write_text(NEXT.format(more="pass"))
    return folder


def test_rebuilding_a_table_keeps_what_points_at_it(
    url: str, with_next: Path, samples: SimpleNamespace
) -> None:
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
        ledger.commit_round("trial-1", samples.round_(1))
    engine = make_engine(parse(url), 1)
    schema.ensure(engine, "the ledger", with_next, ("0001", "0002"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT note FROM trials")) == "none"
        assert connection.scalar(sa.text("SELECT count(*) FROM run_histograms")) == 28
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("raise OSError(28, 'No space left on device')", "No space left"),
        ("op.execute('INSERT INTO nowhere VALUES (1)')", "no such table"),
        ("op.execute('DELETE FROM arms')", "would leave 2 rows pointing at nothing"),
    ],
)
def test_an_upgrade_that_fails_leaves_the_ledger_as_it_was(
    url: str, with_next: Path, samples: SimpleNamespace, more: str, expected: str
) -> None:
    (with_next / "versions" / "0002_next.py").write_text(NEXT.format(more=more))
    with Ledger.open(url) as ledger:
        ledger.begin(samples.trial())
        ledger.commit_round("trial-1", samples.round_(1))
        before = ledger.load("trial-1")
    engine = make_engine(parse(url), 1)
    with pytest.raises((StoreError, OSError, sa.exc.SQLAlchemyError), match=expected):
        schema.ensure(engine, "the ledger", with_next, ("0001", "0002"))
    engine.dispose()
    with Ledger.open(url) as ledger:
        assert ledger.load("trial-1") == before


def test_a_ledger_of_a_newer_harness_is_refused_and_left_alone(url: str, with_next: Path) -> None:
    engine = make_engine(parse(url), 1)
    schema.ensure(engine, "the ledger", with_next, ("0001", "0002"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"schema 0002, this harness knows .* newer harness .* upgrade"):
        Ledger.open(url)
    schema.ensure(engine, "the ledger", with_next, ("0001", "0002"))
    engine.dispose()


def test_a_way_back(url: str) -> None:
    Ledger.open(url).close()
    engine = make_engine(parse(url), 1)
    with writing(engine).connect() as connection, connection.begin():
        command.downgrade(schema.config(connection), "base")
        assert sa.inspect(connection).get_table_names() == [schema.VERSION_TABLE]
    engine.dispose()
    with Ledger.open(url) as ledger:
        assert ledger.trials() == ()


def test_the_same_schema_is_right_for_postgresql() -> None:
    buffer = io.StringIO()
    config = schema.config()
    config.output_buffer = buffer
    command.upgrade(config, "head", sql=True)
    sql = buffer.getvalue()
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            kind = column.type.compile(postgresql.dialect())
            kind = "SERIAL" if kind == "INTEGER" and column.primary_key and not column.foreign_keys else kind
            assert f"{column.name} {kind}" in sql.split(f"CREATE TABLE {table.name} (")[1].split(";")[0]
    for wanted in (
        "histogram BYTEA NOT NULL",
        "started_at TIMESTAMP WITH TIME ZONE NOT NULL",
        "seed BIGINT NOT NULL",
        "value DOUBLE PRECISION NOT NULL",
        "CREATE UNIQUE INDEX uq_trials_open_pilot ON trials (pilot) WHERE state = 'open'",
        "CREATE UNIQUE INDEX uq_rounds_valid_number ON rounds (trial_id, number) WHERE valid",
    ):
        assert wanted in sql


def test_opening_a_ledger_that_is_up_to_date_does_not_even_import_alembic(url: str) -> None:
    Ledger.open(url).close()
    code = (
        "import sys; from harness.store.ledger import Ledger; Ledger.open(sys.argv[1]).close(); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, url], check=False).returncode == 0
