"""Projects, invoices with their lines, and registrations."""

import sqlalchemy as sa
from alembic import op

from db.migrations.row_level_security import enable_row_level_security

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "project",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("code", sa.String(50), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("invoice_method", sa.Text(), nullable=False),
        sa.Column("hourly_rate", sa.Numeric(precision=19, scale=4), nullable=True),
        sa.Column("fixed_price", sa.Numeric(precision=19, scale=2), nullable=True),
        sa.Column("invoice_reference", sa.String(100), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "invoice_method IN ('NONE', 'CLIENT_HOURLY', 'PROJECT_HOURLY', 'PROJECT_FIXED')", name=op.f("project_invoice_method_check")
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("project_days_check")),
        sa.CheckConstraint("hourly_rate >= 0 AND fixed_price >= 0", name=op.f("project_prices_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["relaties.client.tenant_id", "relaties.client.id"], name=op.f("project_client_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("project_pk")),
        sa.UniqueConstraint("tenant_id", "id", "client_id", name=op.f("project_id_unique")),
        schema="relaties",
    )
    op.create_index("project_by_client", "project", ["tenant_id", "client_id", "id"], unique=False, schema="relaties")
    op.create_table(
        "invoice",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("credits_invoice_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.String(50), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_issued", sa.Boolean(), sa.Computed("status IN ('OPEN', 'PAID')", persisted=True), nullable=False),
        sa.Column("invoice_date", sa.Date(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exchange_rate", sa.Numeric(precision=19, scale=8), nullable=False),
        sa.Column("net", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("vat", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("gross", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("net_base", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("vat_base", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("gross_base", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("layout_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(2), nullable=True),
        sa.Column("reference", sa.String(100), nullable=True),
        sa.Column("client_name", sa.String(200), nullable=True),
        sa.Column("client_address", sa.String(1000), nullable=True),
        sa.Column("client_vat_number", sa.String(20), nullable=True),
        sa.Column("contact_name", sa.String(201), nullable=True),
        sa.CheckConstraint("credits_invoice_id IS NULL OR kind = 'CREDIT_NOTE'", name=op.f("invoice_credits_check")),
        sa.CheckConstraint("kind IN ('INVOICE', 'CREDIT_NOTE')", name=op.f("invoice_kind_check")),
        sa.CheckConstraint(
            "status = 'CONCEPT' OR (number IS NOT NULL AND invoice_date IS NOT NULL AND client_name IS NOT NULL)",
            name=op.f("invoice_numbered_check"),
        ),
        sa.CheckConstraint("status IN ('CONCEPT', 'OPEN', 'PAID', 'VOID')", name=op.f("invoice_status_check")),
        sa.CheckConstraint("exchange_rate > 0", name=op.f("invoice_exchange_rate_check")),
        sa.CheckConstraint(
            "net >= 0 AND vat >= 0 AND gross = net + vat AND gross_base = net_base + vat_base", name=op.f("invoice_amounts_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["relaties.client.tenant_id", "relaties.client.id"], name=op.f("invoice_client_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credits_invoice_id"],
            ["relaties.invoice.tenant_id", "relaties.invoice.id"],
            name=op.f("invoice_credits_invoice_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "layout_id"],
            ["relaties.invoice_layout.tenant_id", "relaties.invoice_layout.id"],
            name=op.f("invoice_layout_id_fk"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("invoice_pk")),
        sa.UniqueConstraint("tenant_id", "id", "client_id", "currency", "is_issued", name="invoice_payable_unique"),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("invoice_number_unique")),
        schema="relaties",
    )
    op.create_index(
        "invoice_by_client",
        "invoice",
        ["tenant_id", "client_id", "invoice_date"],
        unique=False,
        schema="relaties",
        postgresql_include=["is_issued", "kind", "currency", "net", "net_base", "gross", "gross_base"],
    )
    op.create_index("invoice_of_client", "invoice", ["tenant_id", "client_id", "id"], unique=False, schema="relaties")
    op.create_index(
        "invoice_by_credited",
        "invoice",
        ["tenant_id", "credits_invoice_id"],
        unique=False,
        schema="relaties",
        postgresql_where=sa.text("credits_invoice_id IS NOT NULL"),
    )
    op.create_table(
        "invoice_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(1000), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=19, scale=4), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=19, scale=4), nullable=False),
        sa.Column("discount_percentage", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("vat_rate_id", sa.Uuid(), nullable=True),
        sa.Column("vat_percentage", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("vat_category", sa.Text(), nullable=False),
        sa.Column("net", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("vat", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("vat_category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')", name=op.f("invoice_line_vat_category_check")),
        sa.CheckConstraint("discount_percentage BETWEEN 0 AND 100", name=op.f("invoice_line_discount_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"], ["relaties.invoice.tenant_id", "relaties.invoice.id"], name=op.f("invoice_line_invoice_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"], ["relaties.project.tenant_id", "relaties.project.id"], name=op.f("invoice_line_project_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vat_rate_id"], ["relaties.vat_rate.tenant_id", "relaties.vat_rate.id"], name=op.f("invoice_line_vat_rate_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("invoice_line_pk")),
        sa.UniqueConstraint("tenant_id", "invoice_id", "position", name=op.f("invoice_line_invoice_id_unique")),
        schema="relaties",
    )
    op.create_index("invoice_line_by_project", "invoice_line", ["tenant_id", "project_id"], unique=False, schema="relaties")
    op.create_table(
        "registration",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("is_billable", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(2000), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=19, scale=4), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=19, scale=4), nullable=True),
        sa.Column("distance_km", sa.Numeric(precision=9, scale=1), nullable=True),
        sa.Column("departure", sa.String(200), nullable=True),
        sa.Column("destination", sa.String(200), nullable=True),
        sa.Column("trip_type", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("client_status", sa.Text(), nullable=False),
        sa.Column("vat_rate_id", sa.Uuid(), nullable=True),
        sa.Column("unit_rate", sa.Numeric(precision=19, scale=4), nullable=False),
        sa.Column("rate_source", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_net", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("invoice_line_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'EXPENSE') = (quantity IS NOT NULL AND unit_price IS NOT NULL)", name=op.f("registration_expense_check")
        ),
        sa.CheckConstraint("(kind = 'MILEAGE') = (distance_km IS NOT NULL) AND distance_km > 0", name=op.f("registration_mileage_check")),
        sa.CheckConstraint("(kind = 'TIME') = (minutes IS NOT NULL) AND minutes BETWEEN 1 AND 1440", name=op.f("registration_time_check")),
        sa.CheckConstraint("(status = 'INVOICED') = (invoice_line_id IS NOT NULL)", name=op.f("registration_invoiced_check")),
        sa.CheckConstraint(
            "client_status IN ('OPEN', 'PENDING', 'APPROVED', 'INVOICED', 'WRITTEN_OFF', 'REJECTED')",
            name=op.f("registration_client_status_check"),
        ),
        sa.CheckConstraint("kind IN ('TIME', 'EXPENSE', 'MILEAGE')", name=op.f("registration_kind_check")),
        sa.CheckConstraint("rate_source IN ('CLIENT', 'PROJECT', 'EXPLICIT', 'NONE')", name=op.f("registration_rate_source_check")),
        sa.CheckConstraint(
            "status IN ('OPEN', 'PENDING', 'APPROVED', 'INVOICED', 'WRITTEN_OFF', 'REJECTED')", name=op.f("registration_status_check")
        ),
        sa.CheckConstraint("trip_type IN ('PRIVATE', 'BUSINESS', 'COMMUTE')", name=op.f("registration_trip_type_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["relaties.client.tenant_id", "relaties.client.id"], name=op.f("registration_client_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_line_id"],
            ["relaties.invoice_line.tenant_id", "relaties.invoice_line.id"],
            name=op.f("registration_invoice_line_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["relaties.member.tenant_id", "relaties.member.id"], name=op.f("registration_member_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id", "client_id"],
            ["relaties.project.tenant_id", "relaties.project.id", "relaties.project.client_id"],
            name=op.f("registration_project_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vat_rate_id"], ["relaties.vat_rate.tenant_id", "relaties.vat_rate.id"], name=op.f("registration_vat_rate_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("registration_pk")),
        schema="relaties",
    )
    op.create_index("registration_by_client", "registration", ["tenant_id", "client_id", "registered_on"], unique=False, schema="relaties")
    op.create_index("registration_by_invoice_line", "registration", ["tenant_id", "invoice_line_id"], unique=False, schema="relaties")
    op.create_index(
        "registration_by_project", "registration", ["tenant_id", "project_id", "registered_on"], unique=False, schema="relaties"
    )
    enable_row_level_security("project", "invoice", "invoice_line", "registration")


def downgrade() -> None:
    op.drop_table("registration", schema="relaties")
    op.drop_table("invoice_line", schema="relaties")
    op.drop_table("invoice", schema="relaties")
    op.drop_table("project", schema="relaties")
