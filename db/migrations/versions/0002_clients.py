"""Clients with their addresses, contacts and labels, VAT rates and invoice layouts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.row_level_security import enable_row_level_security

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
LAST = "\U0010ffff"


def upgrade() -> None:
    op.create_table(
        "vat_rate",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("percentage", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("external_code", sa.String(50), nullable=True),
        sa.CheckConstraint("category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')", name=op.f("vat_rate_category_check")),
        sa.CheckConstraint("percentage BETWEEN 0 AND 100 AND (category = 'S' OR percentage = 0)", name=op.f("vat_rate_percentage_check")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("vat_rate_days_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("vat_rate_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("vat_rate_pk")),
        schema="relaties",
    )
    op.create_table(
        "invoice_layout",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("template", sa.String(100), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("invoice_layout_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("invoice_layout_pk")),
        schema="relaties",
    )
    op.create_index(
        "invoice_layout_default_unique",
        "invoice_layout",
        ["tenant_id"],
        unique=True,
        schema="relaties",
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "client",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("default_hourly_rate", sa.Numeric(precision=19, scale=4), nullable=True),
        sa.Column("default_mileage_rate", sa.Numeric(precision=19, scale=4), nullable=True),
        sa.Column("vat_treatment", sa.Text(), nullable=True),
        sa.Column("payment_term_days", sa.Integer(), nullable=True),
        sa.Column("iban", sa.String(34), nullable=True),
        sa.Column("bic", sa.String(11), nullable=True),
        sa.Column("invoice_delivery", sa.Text(), nullable=False),
        sa.Column("buyer_reference", sa.String(100), nullable=True),
        sa.Column("purchase_order_required", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("number", sa.String(50), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("is_prospect", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.String(50), nullable=True),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("website", sa.String(200), nullable=True),
        sa.Column("language", sa.String(2), nullable=True),
        sa.Column("notes", sa.String(10000), nullable=True),
        sa.Column("kvk_number", sa.String(8), nullable=True),
        sa.Column("kvk_branch_number", sa.String(12), nullable=True),
        sa.Column("kbo_number", sa.String(10), nullable=True),
        sa.Column("vat_number", sa.String(20), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column("number_key", sa.Text(collation="C"), nullable=True),
        sa.Column("vat_rate_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_layout_id", sa.Uuid(), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("invoice_delivery IN ('EMAIL', 'PEPPOL', 'POST', 'MANUAL')", name=op.f("client_invoice_delivery_check")),
        sa.CheckConstraint("kind IN ('COMPANY', 'PERSON', 'GOVERNMENT')", name=op.f("client_kind_check")),
        sa.CheckConstraint(
            "vat_treatment IN ('DOMESTIC', 'REVERSE_CHARGE', 'INTRA_COMMUNITY', 'EXPORT', 'EXEMPT')",
            name=op.f("client_vat_treatment_check"),
        ),
        sa.CheckConstraint("(number IS NULL) = (number_key IS NULL)", name=op.f("client_number_check")),
        sa.CheckConstraint("default_hourly_rate >= 0 AND default_mileage_rate >= 0", name=op.f("client_rates_check")),
        sa.CheckConstraint("payment_term_days BETWEEN 0 AND 365", name=op.f("client_payment_term_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "archived_by"], ["relaties.member.tenant_id", "relaties.member.id"], name=op.f("client_archived_by_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_layout_id"],
            ["relaties.invoice_layout.tenant_id", "relaties.invoice_layout.id"],
            name=op.f("client_invoice_layout_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vat_rate_id"], ["relaties.vat_rate.tenant_id", "relaties.vat_rate.id"], name=op.f("client_vat_rate_id_fk")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("client_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("client_pk")),
        sa.UniqueConstraint("tenant_id", "number_key", name=op.f("client_number_key_unique")),
        schema="relaties",
    )
    op.create_index(
        "client_by_name",
        "client",
        ["tenant_id", "name_key", "id"],
        unique=False,
        schema="relaties",
        postgresql_include=["number_key", "archived_at"],
    )
    number = sa.text(f"coalesce(number_key, '{LAST}')")
    op.create_index("client_by_number", "client", ["tenant_id", number, "id"], unique=False, schema="relaties")
    op.create_index("client_by_creation", "client", ["tenant_id", "created_at", "id"], unique=False, schema="relaties")
    op.create_index("client_by_update", "client", ["tenant_id", "updated_at", "id"], unique=False, schema="relaties")
    for register in ("kvk_number", "vat_number"):
        op.create_index(
            f"client_by_{register}",
            "client",
            ["tenant_id", register],
            unique=False,
            schema="relaties",
            postgresql_where=sa.text(f"{register} IS NOT NULL"),
        )
    op.create_table(
        "client_address",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("line1", sa.String(200), nullable=True),
        sa.Column("line2", sa.String(200), nullable=True),
        sa.Column("postal_code", sa.String(20), nullable=True),
        sa.Column("city", sa.String(100), nullable=True),
        sa.Column("region", sa.String(100), nullable=True),
        sa.Column("country", sa.String(2), nullable=True),
        sa.Column("attention", sa.String(200), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.CheckConstraint("type IN ('PRIMARY', 'INVOICE', 'DELIVERY', 'VISITING')", name=op.f("client_address_type_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["relaties.client.tenant_id", "relaties.client.id"], name=op.f("client_address_client_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "type", name=op.f("client_address_pk")),
        schema="relaties",
    )
    op.create_index(
        "client_address_by_country",
        "client_address",
        ["tenant_id", "country", "client_id"],
        unique=False,
        schema="relaties",
        postgresql_where=sa.text("type = 'PRIMARY'"),
    )
    op.create_table(
        "contact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(100), nullable=True),
        sa.Column("last_name", sa.String(100), nullable=True),
        sa.Column("job_title", sa.String(100), nullable=True),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("phone", sa.String(50), nullable=True),
        sa.Column("mobile", sa.String(50), nullable=True),
        sa.Column("language", sa.String(2), nullable=True),
        sa.Column("notes", sa.String(10000), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint("first_name IS NOT NULL OR last_name IS NOT NULL", name=op.f("contact_named_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("contact_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("contact_pk")),
        schema="relaties",
    )
    op.create_index("contact_by_name", "contact", ["tenant_id", "name_key", "id"], unique=False, schema="relaties")
    op.create_table(
        "client_contact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(100), nullable=True),
        sa.Column("is_invoice_contact", sa.Boolean(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("recipient IN ('TO', 'CC', 'BCC')", name=op.f("client_contact_recipient_check")),
        sa.CheckConstraint(
            "roles <@ ARRAY['INVOICE', 'QUOTE', 'REMINDER', 'STATEMENT', 'PORTAL']::text[]", name=op.f("client_contact_roles_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["relaties.client.tenant_id", "relaties.client.id"], name=op.f("client_contact_client_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"], ["relaties.contact.tenant_id", "relaties.contact.id"], name=op.f("client_contact_contact_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "contact_id", name=op.f("client_contact_pk")),
        schema="relaties",
    )
    op.create_index(
        "client_contact_by_contact", "client_contact", ["tenant_id", "contact_id", "client_id"], unique=False, schema="relaties"
    )
    op.create_index(
        "client_contact_for_invoices",
        "client_contact",
        ["tenant_id", "client_id"],
        unique=False,
        schema="relaties",
        postgresql_where=sa.text("is_invoice_contact"),
    )
    op.create_index(
        "client_contact_by_position",
        "client_contact",
        ["tenant_id", "client_id", "position", "contact_id"],
        unique=False,
        schema="relaties",
    )
    op.create_index(
        "client_contact_primary_unique",
        "client_contact",
        ["tenant_id", "client_id"],
        unique=True,
        schema="relaties",
        postgresql_where=sa.text("is_primary"),
    )
    op.create_table(
        "label",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("color", sa.String(7), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.CheckConstraint("scope IN ('CLIENT')", name=op.f("label_scope_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["relaties.organization.tenant_id"], name=op.f("label_tenant_id_fk")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("label_pk")),
        sa.UniqueConstraint("tenant_id", "scope", "name_key", name=op.f("label_scope_unique")),
        schema="relaties",
    )
    op.create_table(
        "client_label",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("label_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["relaties.client.tenant_id", "relaties.client.id"], name=op.f("client_label_client_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "label_id"], ["relaties.label.tenant_id", "relaties.label.id"], name=op.f("client_label_label_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "label_id", name=op.f("client_label_pk")),
        schema="relaties",
    )
    op.create_index("client_label_by_label", "client_label", ["tenant_id", "label_id", "client_id"], unique=False, schema="relaties")
    enable_row_level_security(
        "vat_rate", "invoice_layout", "client", "client_address", "contact", "client_contact", "label", "client_label"
    )
    op.create_foreign_key(
        op.f("organization_default_vat_rate_id_fk"),
        "organization",
        "vat_rate",
        ["tenant_id", "default_vat_rate_id"],
        ["tenant_id", "id"],
        source_schema="relaties",
        referent_schema="relaties",
    )
    op.create_foreign_key(
        op.f("organization_default_layout_id_fk"),
        "organization",
        "invoice_layout",
        ["tenant_id", "default_layout_id"],
        ["tenant_id", "id"],
        source_schema="relaties",
        referent_schema="relaties",
    )


def downgrade() -> None:
    op.drop_constraint("organization_default_vat_rate_id_fk", "organization", schema="relaties")
    op.drop_constraint("organization_default_layout_id_fk", "organization", schema="relaties")
    op.drop_table("client_label", schema="relaties")
    op.drop_table("label", schema="relaties")
    op.drop_table("client_contact", schema="relaties")
    op.drop_table("contact", schema="relaties")
    op.drop_table("client_address", schema="relaties")
    op.drop_table("client", schema="relaties")
    op.drop_table("invoice_layout", schema="relaties")
    op.drop_table("vat_rate", schema="relaties")
