"""What Alembic runs to migrate: on the connection, and inside the transaction, that `store.schema` hands
over.

The one idea: the transaction belongs to the caller, so that all steps of an upgrade happen or none does.
Without a connection it only writes the SQL (`alembic.command.upgrade(config, "head", sql=True)`), for a
database administrator.
"""

from __future__ import annotations

from typing import Literal

from alembic import context

from harness.store.schema import VERSION_TABLE
from harness.store.tables import Base, UtcDateTime, Words


def _plain_type(kind: str, item: object, _draft: object) -> str | Literal[False]:
    """In drafts of migrations our own column types stand as what they are in the database."""
    if kind == "type" and isinstance(item, Words):
        return "sa.Text()"
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


_connection = context.config.attributes.get("connection")

if _connection is None:
    context.configure(
        dialect_name=context.config.attributes.get("dialect", "postgresql"),
        target_metadata=Base.metadata,
        version_table=VERSION_TABLE,
        literal_binds=True,
    )
else:
    context.configure(
        connection=_connection,
        target_metadata=Base.metadata,
        version_table=VERSION_TABLE,
        render_as_batch=True,  # SQLite cannot alter a table; Alembic rebuilds it
        render_item=_plain_type,
        compare_type=True,
        compare_server_default=True,
    )

with context.begin_transaction():
    context.run_migrations()
