"""Audit events, outbox events, idempotency keys and number sequences."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_level_security import enable_row_level_security

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
ACTIONS = "action IN ('CREATED', 'CHANGED', 'REMOVED')"


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("operation", sa.String(100), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.String(50), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(ACTIONS, name=op.f("audit_event_action_check")),
        sa.CheckConstraint("channel IN ('API', 'COMMAND_LINE')", name=op.f("audit_event_channel_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("audit_event_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("audit_event_pk")),
        schema="relaties",
    )
    op.create_index("audit_event_by_object", "audit_event", ["tenant_id", "object_id", "id"], unique=False, schema="relaties")
    for subject in ("client", "contact"):
        op.create_index(
            f"audit_event_by_{subject}",
            "audit_event",
            ["tenant_id", f"{subject}_id", "id"],
            unique=False,
            schema="relaties",
            postgresql_where=sa.literal_column(f"{subject}_id IS NOT NULL"),
        )
    op.create_table(
        "outbox_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.String(50), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(ACTIONS, name=op.f("outbox_event_action_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("outbox_event_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("outbox_event_pk")),
        schema="relaties",
    )
    op.create_index("outbox_event_by_object", "outbox_event", ["tenant_id", "object_id", "id"], unique=False, schema="relaties")
    op.create_table(
        "idempotency_key",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(request_hash) = 32", name=op.f("idempotency_key_hash_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("idempotency_key_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "subject", "key", name=op.f("idempotency_key_pk")),
        schema="relaties",
    )
    op.create_index("idempotency_key_by_age", "idempotency_key", ["tenant_id", "created_at"], unique=False, schema="relaties")
    op.create_table(
        "number_sequence",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("last >= 0", name=op.f("number_sequence_last_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("number_sequence_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name=op.f("number_sequence_pk")),
        schema="relaties",
    )
    enable_row_level_security("audit_event", "outbox_event", "idempotency_key", "number_sequence")


def downgrade() -> None:
    for table in ("number_sequence", "idempotency_key", "outbox_event", "audit_event"):
        op.drop_table(table, schema="relaties")
