"""Rename the status `CONCEPT` of invoices and quotes to `DRAFT`."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
CHECKS = {
    "invoice": {
        "invoice_numbered_check": "status = '{draft}' OR (number IS NOT NULL AND invoice_date IS NOT NULL AND client_name IS NOT NULL)",
        "invoice_status_check": "status IN ('{draft}', 'OPEN', 'PAID', 'VOID')",
    },
    "quote": {
        "quote_numbered_check": "status = '{draft}' OR (number IS NOT NULL AND quote_date IS NOT NULL)",
        "quote_status_check": "status IN ('{draft}', 'SENT', 'ACCEPTED', 'REJECTED', 'EXPIRED')",
    },
}


def upgrade() -> None:
    _rename("CONCEPT", "DRAFT")


def downgrade() -> None:
    _rename("DRAFT", "CONCEPT")


def _rename(old: str, new: str) -> None:
    """Replace the status and the checks that name it.

    The tables are locked while the checks are validated. NOT VALID would avoid that, but Alembic cannot compare a check that is not valid.
    """
    # If the owner is subject to row-level security, fail instead of changing no rows.
    op.execute("SET LOCAL row_security = off")
    op.execute("SET LOCAL app.guard = 'off'")  # documents of archived clients must change too
    for table, checks in CHECKS.items():
        drops = ", ".join(f"DROP CONSTRAINT {name}" for name in checks)
        op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE relaties.{table} {drops}")
        op.execute(f"UPDATE relaties.{table} SET status = '{new}' WHERE status = '{old}'")  # noqa: S608 constants of ours
        adds = ", ".join(f"ADD CONSTRAINT {name} CHECK ({condition.format(draft=new)})" for name, condition in checks.items())
        op.execute(f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE relaties.{table} {adds}")
    op.execute("RESET app.guard")
    op.execute("SET LOCAL row_security = on")
