"""Organizations, members and tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_level_security import enable_row_level_security

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The tenant is unknown until the token is known, so this lookup bypasses row-level security. It returns only the actor of the token.
ACTOR = """CREATE FUNCTION relaties.token_actor(hash bytea)
RETURNS TABLE (tenant_id uuid, token_id uuid, member_id uuid, member_role text, token_role text, scope text[], expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT t.tenant_id, t.id, t.member_id, m.role, t.role, t.scope, t.expires_at
FROM relaties.api_token t LEFT JOIN relaties.member m ON m.tenant_id = t.tenant_id AND m.id = t.member_id
WHERE t.token_hash = hash AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
AND (t.member_id IS NULL OR m.is_active)
$$"""


def upgrade() -> None:
    op.create_table(
        "organization",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("base_currency", sa.String(3), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("default_payment_term_days", sa.Integer(), nullable=False),
        sa.Column("fiscal_year_start_month", sa.Integer(), nullable=False),
        sa.Column("client_number_format", sa.String(50), nullable=True),
        sa.Column("invoice_number_format", sa.String(50), nullable=True),
        sa.Column("client_required", sa.Boolean(), nullable=False),
        sa.Column("project_required", sa.Boolean(), nullable=False),
        sa.Column("default_vat_rate_id", sa.Uuid(), nullable=True),
        sa.Column("default_layout_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("default_payment_term_days BETWEEN 0 AND 365", name=op.f("organization_payment_term_check")),
        sa.CheckConstraint("fiscal_year_start_month BETWEEN 1 AND 12", name=op.f("organization_fiscal_year_check")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("organization_pk")),
        schema="relaties",
    )
    op.create_table(
        "member",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("role IN ('OWNER', 'ADMIN', 'FINANCE', 'MEMBER', 'VIEWER')", name=op.f("member_role_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("member_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("member_pk")),
        schema="relaties",
    )
    op.create_index("member_email_unique", "member", ["tenant_id", sa.literal_column("lower(email)")], unique=True, schema="relaties")
    op.create_table(
        "api_token",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("scope", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('OWNER', 'ADMIN', 'FINANCE', 'MEMBER', 'VIEWER')", name=op.f("api_token_role_check")),
        sa.CheckConstraint("member_id IS NOT NULL OR role IS NOT NULL", name=op.f("api_token_whose_check")),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("api_token_hash_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["relaties.member.tenant_id", "relaties.member.id"], name=op.f("api_token_member_id_fk")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("api_token_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("api_token_pk")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("api_token_token_hash_unique")),
        schema="relaties",
    )
    op.create_index("api_token_by_hash", "api_token", ["token_hash"], unique=False, schema="relaties")
    enable_row_level_security("organization", "member", "api_token")
    op.execute(ACTOR)
    op.execute("REVOKE ALL ON FUNCTION relaties.token_actor(bytea) FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP FUNCTION relaties.token_actor(bytea)")
    op.drop_table("api_token", schema="relaties")
    op.drop_table("member", schema="relaties")
    op.drop_table("organization", schema="relaties")
