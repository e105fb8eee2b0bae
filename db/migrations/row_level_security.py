"""Enable row-level security of tables, in migrations."""

from alembic import op

TENANT_POLICY = "tenant_id = nullif(current_setting('app.tenant', true), '')::uuid"


def enable_row_level_security(*tables: str) -> None:
    """Enable and force row-level security with one policy: reads and writes see only the rows of the tenant, and none without a tenant."""
    for table in tables:
        op.execute(f"ALTER TABLE relaties.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE relaties.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON relaties.{table} USING ({TENANT_POLICY}) WITH CHECK ({TENANT_POLICY})")
