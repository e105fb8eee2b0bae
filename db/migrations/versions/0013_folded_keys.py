"""Recompute the keys of names and numbers: without invisible characters, in one width, every form of a letter alike."""

from alembic import op

from db.migrations import folding

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
NAME = "client_number_check"
HAS_KEY = "(number IS NULL) = (number_key IS NULL)"
MAY_HAVE_KEY = "number IS NOT NULL OR number_key IS NULL"  # of two clients with one number, the later has no key
FILL = "UPDATE relaties.client SET number_key = lower(number) || U&'\\2060' || id WHERE number IS NOT NULL AND number_key IS NULL"


def upgrade() -> None:
    is_text = op.get_context().as_sql  # to read and to lint: no rows are there to fold
    stale = None if is_text else folding.find_stale(op.get_bind())
    _check(MAY_HAVE_KEY)
    if stale:
        folding.refold(op.get_bind(), stale)
        op.execute("SET LOCAL row_security = on")


def downgrade() -> None:
    """The others keep their keys, by which the code of before finds what it always found."""
    op.execute("SET LOCAL row_security = off")
    op.execute(FILL)
    op.execute("SET LOCAL row_security = on")
    _check(HAS_KEY)


def _check(condition: str) -> None:
    """Replace the condition. That holds the table for half a second a million rows; Alembic cannot compare one that is not valid."""
    change = f"ALTER TABLE relaties.client DROP CONSTRAINT {NAME}, ADD CONSTRAINT {NAME} CHECK ({condition})"
    op.execute(f"-- squawk-ignore ban-drop-constraint, constraint-missing-not-valid\n{change}")
