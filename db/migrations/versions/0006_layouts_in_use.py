"""Indexes of the clients and the invoices that use an invoice layout."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
USES = {"client": "invoice_layout_id", "invoice": "layout_id"}


def upgrade() -> None:
    for table, column in USES.items():
        op.create_index(
            f"{table}_by_layout",
            table,
            ["tenant_id", column],
            unique=False,
            schema="relaties",
            postgresql_where=sa.literal_column(f"{column} IS NOT NULL"),
        )


def downgrade() -> None:
    for table in USES:
        op.drop_index(f"{table}_by_layout", table_name=table, schema="relaties")
