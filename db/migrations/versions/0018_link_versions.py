"""The version of the link between a contact and a client."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default gives existing links the version 1 without a rewrite, and those that a server of the previous release still inserts.
    op.add_column("client_contact", sa.Column("version", sa.Integer(), server_default="1", nullable=False), schema="relaties")


def downgrade() -> None:
    op.drop_column("client_contact", "version", schema="relaties")
