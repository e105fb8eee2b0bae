"""The trade name of a client."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("client", sa.Column("trade_name", sa.String(200), nullable=True), schema="relaties")


def downgrade() -> None:
    op.drop_column("client", "trade_name", schema="relaties")
