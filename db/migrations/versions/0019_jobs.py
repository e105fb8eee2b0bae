"""Background jobs, and the channel of the changes that they make."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_level_security import enable_row_level_security

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
CHANNEL_TABLES = ("audit_event", "deletion_record")


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("input", postgresql.JSONB(), nullable=False),
        sa.Column("cursor", sa.String(200), nullable=True),
        sa.Column("done_count", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("warnings", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.String(500), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('REVENUE_REBUILD')", name=op.f("job_kind_check")),
        sa.CheckConstraint("status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')", name=op.f("job_status_check")),
        sa.CheckConstraint("failure_code IN ('ACCESS_LOST', 'ATTEMPTS_EXHAUSTED')", name=op.f("job_failure_code_check")),
        sa.CheckConstraint("done_count >= 0 AND total >= 0 AND attempts >= 0", name=op.f("job_counts_check")),
        sa.CheckConstraint(
            "(status = 'FAILED') = (failure_code IS NOT NULL) AND (failure_code IS NULL) = (failure_message IS NULL)",
            name=op.f("job_failure_check"),
        ),
        sa.CheckConstraint("(finished_at IS NULL) = (status IN ('QUEUED', 'RUNNING'))", name=op.f("job_finished_check")),
        sa.CheckConstraint(
            "(status = 'RUNNING') = (owner IS NOT NULL) AND (owner IS NULL) = (lease_until IS NULL)", name=op.f("job_lease_check")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("job_tenant_id_fk")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["relaties.member.tenant_id", "relaties.member.id"], name=op.f("job_member_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "token_id"], ["relaties.api_token.tenant_id", "relaties.api_token.id"], name=op.f("job_token_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("job_pk")),
        schema="relaties",
    )
    op.create_index(
        "job_unfinished",
        "job",
        ["tenant_id", sa.literal_column("status DESC"), "id"],
        unique=False,
        schema="relaties",
        postgresql_where=sa.literal_column("status IN ('QUEUED', 'RUNNING')"),
    )
    op.create_index(
        "job_running", "job", ["tenant_id"], unique=True, schema="relaties", postgresql_where=sa.literal_column("status = 'RUNNING'")
    )
    op.create_index("job_by_member", "job", ["tenant_id", "member_id", "id"], unique=False, schema="relaties")
    op.create_index("job_by_token", "job", ["tenant_id", "token_id", "id"], unique=False, schema="relaties")
    enable_row_level_security("job")
    _replace_channel_checks("'API', 'COMMAND_LINE', 'JOB'")


def downgrade() -> None:
    """Fails if a job has changed anything: its events would have a channel that older code does not know."""
    _replace_channel_checks("'API', 'COMMAND_LINE'")
    op.drop_table("job", schema="relaties")


def _replace_channel_checks(channels: str) -> None:
    """Replace the checks of the channel.

    They are not validated, because that would read the whole audit log while the table is locked. All rows passed the former check.
    """
    for table in CHANNEL_TABLES:
        name = f"{table}_channel_check"
        op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE relaties.{table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE relaties.{table} ADD CONSTRAINT {name} CHECK (channel IN ({channels})) NOT VALID")
