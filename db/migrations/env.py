"""The environment of Alembic: it runs migrations on the owner's connection, or prints their SQL to read and lint (offline mode)."""

from typing import Any

from alembic import context

from db.migrations import LOCK_TIMEOUT, STATEMENT_TIMEOUT, is_ours
from db.tables import SCHEMA, Table


def configure(**options: Any) -> None:  # noqa: ANN401 alembic's own keywords
    context.configure(
        target_metadata=Table.metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=is_ours,
        **options,
    )


if context.is_offline_mode():
    configure(dialect_name="postgresql", literal_binds=True)
else:
    configure(connection=context.config.attributes["connection"])

with context.begin_transaction():
    if context.is_offline_mode():  # otherwise `db.migrations` has set them on the connection
        context.execute(LOCK_TIMEOUT)
        context.execute(STATEMENT_TIMEOUT)
    context.run_migrations()
