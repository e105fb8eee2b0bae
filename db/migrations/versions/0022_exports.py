"""Exports of clients as a kind of job, and the reasons why they fail."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
KINDS, FAILURE_CODES = "'REVENUE_REBUILD'", "'ACCESS_LOST', 'ATTEMPTS_EXHAUSTED'"


def upgrade() -> None:
    _replace_check("kind", f"{KINDS}, 'CLIENT_EXPORT'")
    _replace_check("failure_code", f"{FAILURE_CODES}, 'FILE_QUOTA_EXCEEDED', 'TOO_MANY_ROWS'")


def downgrade() -> None:
    """Fails if there was an export: older code does not know the kind."""
    _replace_check("failure_code", FAILURE_CODES)
    _replace_check("kind", KINDS)
    for column in ("failure_code", "kind"):
        op.execute(f"ALTER TABLE relaties.job VALIDATE CONSTRAINT job_{column}_check")


def _replace_check(column: str, values: str) -> None:
    """Replace the check of a column.

    It is not validated, because that would read the whole table while it is locked. All rows passed the former check, which is narrower.
    """
    name = f"job_{column}_check"
    op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE relaties.job DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE relaties.job ADD CONSTRAINT {name} CHECK ({column} IN ({values})) NOT VALID")
