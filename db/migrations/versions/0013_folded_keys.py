"""Recompute the keys of names and numbers: without invisible characters, in one width, with all forms of a letter folded to one."""

from alembic import op

from db.migrations import folding

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
NAME = "client_number_check"
HAS_KEY = "(number IS NULL) = (number_key IS NULL)"
MAY_HAVE_KEY = "number IS NOT NULL OR number_key IS NULL"  # if two clients have the same number, the later one has no key
FILL = "UPDATE relaties.client SET number_key = lower(number) || U&'\\2060' || id WHERE number IS NOT NULL AND number_key IS NULL"


def upgrade() -> None:
    is_offline = op.get_context().as_sql  # prints the SQL without a connection, so there are no rows to fold
    stale = None if is_offline else folding.find_stale(op.get_bind())
    _check(MAY_HAVE_KEY)
    if stale:
        folding.refold(op.get_bind(), stale)
        op.execute("SET LOCAL row_security = on")


def downgrade() -> None:
    """Give clients without a key a unique one. All other keys stay, since older code finds clients by them as well."""
    op.execute("SET LOCAL row_security = off")
    op.execute(FILL)
    op.execute("SET LOCAL row_security = on")
    _check(HAS_KEY)


def _check(condition: str) -> None:
    """Replace the check. That locks the table for half a second per million rows.

    NOT VALID would avoid the lock, but Alembic cannot compare a check that is not valid.
    """
    change = f"ALTER TABLE relaties.client DROP CONSTRAINT {NAME}, ADD CONSTRAINT {NAME} CHECK ({condition})"
    op.execute(f"-- squawk-ignore ban-drop-constraint, constraint-missing-not-valid\n{change}")
