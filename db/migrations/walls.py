"""The wall around every table: row level security, forced, with the one policy."""

from alembic import op

POLICY = "tenant_id = nullif(current_setting('app.tenant', true), '')::uuid"


def wall(*tables: str) -> None:
    """Without a tenant set, no rows; with one, its own rows, to read and to write."""
    for table in tables:
        op.execute(f"ALTER TABLE relaties.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE relaties.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON relaties.{table} USING ({POLICY}) WITH CHECK ({POLICY})")
