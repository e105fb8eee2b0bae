"""Payments, and their allocation to invoices."""

import sqlalchemy as sa
from alembic import op

from db.migrations.row_level_security import enable_row_level_security

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exchange_rate", sa.Numeric(precision=19, scale=8), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(140), nullable=True),
        sa.CheckConstraint("method IN ('BANK_TRANSFER', 'DIRECT_DEBIT', 'CARD', 'CASH', 'SETTLEMENT')", name=op.f("payment_method_check")),
        sa.CheckConstraint("exchange_rate > 0", name=op.f("payment_exchange_rate_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("payment_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("payment_pk")),
        sa.UniqueConstraint("tenant_id", "id", "paid_on", "currency", name=op.f("payment_id_unique")),
        schema="relaties",
    )
    op.create_table(
        "payment_allocation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("is_issued", sa.Boolean(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("amount_base", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.CheckConstraint("is_issued", name=op.f("payment_allocation_issued_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id", "client_id", "currency", "is_issued"],
            [
                "relaties.invoice.tenant_id",
                "relaties.invoice.id",
                "relaties.invoice.client_id",
                "relaties.invoice.currency",
                "relaties.invoice.is_issued",
            ],
            name=op.f("payment_allocation_invoice_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id", "paid_on", "currency"],
            ["relaties.payment.tenant_id", "relaties.payment.id", "relaties.payment.paid_on", "relaties.payment.currency"],
            name=op.f("payment_allocation_payment_id_fk"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "payment_id", "invoice_id", name=op.f("payment_allocation_pk")),
        schema="relaties",
    )
    op.create_index(
        "payment_allocation_by_client",
        "payment_allocation",
        ["tenant_id", "client_id", "paid_on"],
        unique=False,
        schema="relaties",
        postgresql_include=["currency", "amount", "amount_base"],
    )
    op.create_index("payment_allocation_by_invoice", "payment_allocation", ["tenant_id", "invoice_id"], unique=False, schema="relaties")
    op.create_index(
        "payment_allocation_by_day",
        "payment_allocation",
        ["tenant_id", "paid_on"],
        unique=False,
        schema="relaties",
        postgresql_include=["currency", "amount", "amount_base"],
    )
    enable_row_level_security("payment", "payment_allocation")


def downgrade() -> None:
    op.drop_table("payment_allocation", schema="relaties")
    op.drop_table("payment", schema="relaties")
