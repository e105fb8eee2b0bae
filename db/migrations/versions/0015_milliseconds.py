"""Truncate stored timestamps to milliseconds. The API returns milliseconds, and a filter for a returned value must find its row."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
TIMESTAMPS = {
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
    """Update the rows that have microseconds. Meanwhile reads continue; a change of such a row waits until the migration ends."""
    # If the owner is subject to row-level security, fail instead of changing no rows.
    op.execute("SET LOCAL row_security = off")
    # The trigger of migration 0009 rejects changes of registrations of archived clients, but their timestamps must change too.
    op.execute("SET LOCAL app.guard = 'off'")
    for table, columns in TIMESTAMPS.items():
        values = ", ".join(f"{column} = date_trunc('milliseconds', {column})" for column in columns)
        condition = " OR ".join(f"{column} <> date_trunc('milliseconds', {column})" for column in columns)
        op.execute(f"UPDATE relaties.{table} SET {values} WHERE {condition}")  # noqa: S608 constants of ours
    op.execute("RESET app.guard")
    op.execute("SET LOCAL row_security = on")


def downgrade() -> None:
    """Change nothing: older code can read these timestamps."""
