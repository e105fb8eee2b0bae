"""Row-level security of every table: forced, with one policy."""

from alembic import op

TENANT_POLICY = "tenant_id = nullif(current_setting('app.tenant', true), '')::uuid"


def enable_row_level_security(*tables: str) -> None:
    """Enable and force row-level security: without a tenant no rows are visible, with one only its own, for reads and writes."""
    for table in tables:
        op.execute(f"ALTER TABLE relaties.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE relaties.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON relaties.{table} USING ({TENANT_POLICY}) WITH CHECK ({TENANT_POLICY})")
