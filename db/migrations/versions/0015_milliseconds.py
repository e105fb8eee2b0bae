"""Truncate stored moments to milliseconds, as they are shown: a value that was served finds its row again."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
MOMENTS = {
    "api_token": ("created_at", "expires_at", "revoked_at"),
    "audit_event": ("at",),
    "client": ("created_at", "updated_at", "archived_at"),
    "client_contact": ("created_at",),
    "client_portal": ("created_at", "updated_at", "closed_at"),
    "contact": ("created_at", "updated_at"),
    "deletion_record": ("at",),
    "idempotency_key": ("created_at",),
    "invoice": ("created_at", "updated_at"),
    "invoice_layout": ("created_at", "updated_at"),
    "label": ("created_at", "updated_at"),
    "member": ("created_at", "updated_at"),
    "organization": ("created_at", "updated_at"),
    "outbox_event": ("at",),
    "payment": ("created_at", "updated_at"),
    "portal_access": ("created_at",),
    "project": ("created_at", "updated_at", "archived_at"),
    "quote": ("created_at", "updated_at"),
    "registration": ("created_at", "updated_at", "started_at", "ended_at"),
    "vat_rate": ("created_at", "updated_at"),
}


def upgrade() -> None:
    """Write the rows that have more than milliseconds, once. Readers go on; who changes such a row waits for the end."""
    # Fail rather than see no rows, should the owner be subject to row level security.
    op.execute("SET LOCAL row_security = off")
    op.execute("SET LOCAL app.guard = 'off'")  # a registration of an archived client, too
    for table, columns in MOMENTS.items():
        values = ", ".join(f"{column} = date_trunc('milliseconds', {column})" for column in columns)
        wanted = " OR ".join(f"{column} <> date_trunc('milliseconds', {column})" for column in columns)
        op.execute(f"UPDATE relaties.{table} SET {values} WHERE {wanted}")  # noqa: S608 our own words
    op.execute("RESET app.guard")
    op.execute("SET LOCAL row_security = on")


def downgrade() -> None:
    """The code of before reads these as well."""
