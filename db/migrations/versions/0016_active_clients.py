"""An index of the active clients by name, for the page that is read most often."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "client_active_by_name",
        "client",
        ["tenant_id", "name_key", "id"],
        unique=False,
        schema="relaties",
        postgresql_where=sa.literal_column("archived_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("client_active_by_name", table_name="client", schema="relaties")
