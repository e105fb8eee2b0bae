"""The member who created a token."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
CREATOR = "api_token_created_by_fk"


def upgrade() -> None:
    op.add_column("api_token", sa.Column("created_by", sa.Uuid(), nullable=True), schema="relaties")
    op.create_foreign_key(
        op.f(CREATOR),
        "api_token",
        "member",
        ["tenant_id", "created_by"],
        ["tenant_id", "id"],
        source_schema="relaties",
        referent_schema="relaties",
        postgresql_not_valid=True,
    )
    # Validate in the same transaction, since a migration runs in one. It is fast: all rows have null, so nothing is looked up.
    op.execute(f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE relaties.api_token VALIDATE CONSTRAINT {CREATOR}")


def downgrade() -> None:
    op.drop_column("api_token", "created_by", schema="relaties")
