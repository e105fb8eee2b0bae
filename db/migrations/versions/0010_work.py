"""Quotes, client portals and labels of registrations, and an index of registrations by date."""

import sqlalchemy as sa
from alembic import op

from db.migrations.row_level_security import enable_row_level_security

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
# Protects the labels of a registration as migration 0009 protects the registration itself.
REFUSE = """CREATE FUNCTION relaties.refuse_label_on_archived() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  worn record; of record; since timestamptz;
BEGIN
  worn := coalesce(NEW, OLD);
  SELECT client_id, project_id INTO of FROM relaties.registration WHERE tenant_id = worn.tenant_id AND id = worn.registration_id;
  IF TG_OP <> 'DELETE' AND of.client_id <> worn.client_id THEN
    RAISE 'the client of a label is another than its registration''s' USING ERRCODE = 'RL003';
  END IF;
  FOR since IN SELECT archived_at FROM relaties.client
    WHERE tenant_id = worn.tenant_id AND id IN (of.client_id, worn.client_id) ORDER BY id FOR SHARE
  LOOP
    IF since IS NOT NULL THEN RAISE 'the client of a registration is archived' USING ERRCODE = 'RL001'; END IF;
  END LOOP;
  FOR since IN SELECT archived_at FROM relaties.project WHERE tenant_id = worn.tenant_id AND id = of.project_id FOR SHARE
  LOOP
    IF since IS NOT NULL THEN RAISE 'the project of a registration is archived' USING ERRCODE = 'RL001'; END IF;
  END LOOP;
  RETURN worn;
END $$"""
GUARD = """CREATE TRIGGER registration_label_on_active BEFORE INSERT OR UPDATE OR DELETE ON relaties.registration_label FOR EACH ROW
WHEN (current_setting('app.guard', true) IS DISTINCT FROM 'off') EXECUTE FUNCTION relaties.refuse_label_on_archived()"""


def upgrade() -> None:
    op.create_table(
        "client_portal",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("shows_descriptions", sa.Boolean(), nullable=False),
        sa.Column("shows_rates", sa.Boolean(), nullable=False),
        sa.Column("shows_budget", sa.Boolean(), nullable=False),
        sa.Column("shows_invoices", sa.Boolean(), nullable=False),
        sa.Column("shows_quotes", sa.Boolean(), nullable=False),
        sa.Column("takes_approval", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_operation_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["relaties.client.tenant_id", "relaties.client.id"], name=op.f("client_portal_client_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("client_portal_pk")),
        sa.UniqueConstraint("tenant_id", "id", "client_id", name=op.f("client_portal_id_unique")),
        schema="relaties",
    )
    op.create_index("client_portal_of_client", "client_portal", ["tenant_id", "client_id", "id"], unique=False, schema="relaties")
    op.create_table(
        "quote",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(50), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("quote_date", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exchange_rate", sa.Numeric(precision=19, scale=8), nullable=False),
        sa.Column("net", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("vat", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("gross", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("reference", sa.String(100), nullable=True),
        sa.CheckConstraint("status = 'CONCEPT' OR (number IS NOT NULL AND quote_date IS NOT NULL)", name=op.f("quote_numbered_check")),
        sa.CheckConstraint("status IN ('CONCEPT', 'SENT', 'ACCEPTED', 'REJECTED', 'EXPIRED')", name=op.f("quote_status_check")),
        sa.CheckConstraint("exchange_rate > 0", name=op.f("quote_exchange_rate_check")),
        sa.CheckConstraint("net >= 0 AND vat >= 0 AND gross = net + vat", name=op.f("quote_amounts_check")),
        sa.CheckConstraint("valid_until >= quote_date", name=op.f("quote_days_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["relaties.client.tenant_id", "relaties.client.id"], name=op.f("quote_client_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("quote_pk")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("quote_number_unique")),
        schema="relaties",
    )
    op.create_index("quote_of_client", "quote", ["tenant_id", "client_id", "id"], unique=False, schema="relaties")
    op.create_table(
        "portal_access",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "contact_id"],
            ["relaties.client_contact.tenant_id", "relaties.client_contact.client_id", "relaties.client_contact.contact_id"],
            name=op.f("portal_access_client_id_fk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "portal_id", "client_id"],
            ["relaties.client_portal.tenant_id", "relaties.client_portal.id", "relaties.client_portal.client_id"],
            name=op.f("portal_access_portal_id_fk"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "portal_id", "contact_id", name=op.f("portal_access_pk")),
        schema="relaties",
    )
    op.create_index("portal_access_by_contact", "portal_access", ["tenant_id", "client_id", "contact_id"], unique=False, schema="relaties")
    op.create_table(
        "portal_project",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "portal_id", "client_id"],
            ["relaties.client_portal.tenant_id", "relaties.client_portal.id", "relaties.client_portal.client_id"],
            name=op.f("portal_project_portal_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id", "client_id"],
            ["relaties.project.tenant_id", "relaties.project.id", "relaties.project.client_id"],
            name=op.f("portal_project_project_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "portal_id", "project_id", name=op.f("portal_project_pk")),
        schema="relaties",
    )
    op.create_index("portal_project_by_project", "portal_project", ["tenant_id", "project_id"], unique=False, schema="relaties")
    op.create_table(
        "quote_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(1000), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=19, scale=4), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=19, scale=4), nullable=False),
        sa.Column("vat_rate_id", sa.Uuid(), nullable=True),
        sa.Column("vat_percentage", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("vat_category", sa.Text(), nullable=False),
        sa.Column("net", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("vat", sa.Numeric(precision=19, scale=2), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("vat_category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')", name=op.f("quote_line_vat_category_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"], ["relaties.project.tenant_id", "relaties.project.id"], name=op.f("quote_line_project_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "quote_id"], ["relaties.quote.tenant_id", "relaties.quote.id"], name=op.f("quote_line_quote_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vat_rate_id"], ["relaties.vat_rate.tenant_id", "relaties.vat_rate.id"], name=op.f("quote_line_vat_rate_id_fk")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("quote_line_pk")),
        sa.UniqueConstraint("tenant_id", "quote_id", "position", name=op.f("quote_line_quote_id_unique")),
        schema="relaties",
    )
    op.create_index("quote_line_by_project", "quote_line", ["tenant_id", "project_id"], unique=False, schema="relaties")
    op.create_table(
        "registration_label",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("label_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["relaties.client.tenant_id", "relaties.client.id"],
            name=op.f("registration_label_client_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "label_id"], ["relaties.label.tenant_id", "relaties.label.id"], name=op.f("registration_label_label_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "registration_id"],
            ["relaties.registration.tenant_id", "relaties.registration.id"],
            name=op.f("registration_label_registration_id_fk"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "registration_id", "label_id", name=op.f("registration_label_pk")),
        schema="relaties",
    )
    op.create_index("registration_label_by_client", "registration_label", ["tenant_id", "client_id"], unique=False, schema="relaties")
    op.create_index(
        "registration_label_by_label", "registration_label", ["tenant_id", "label_id", "registration_id"], unique=False, schema="relaties"
    )
    op.create_index("registration_by_day", "registration", ["tenant_id", "registered_on", "id"], unique=False, schema="relaties")
    enable_row_level_security("quote", "quote_line", "client_portal", "portal_project", "portal_access", "registration_label")
    for statement in (REFUSE, GUARD):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("registration_by_day", table_name="registration", schema="relaties")
    op.drop_table("registration_label", schema="relaties")
    op.execute("DROP FUNCTION relaties.refuse_label_on_archived()")
    op.drop_table("quote_line", schema="relaties")
    op.drop_table("portal_project", schema="relaties")
    op.drop_table("portal_access", schema="relaties")
    op.drop_table("quote", schema="relaties")
    op.drop_table("client_portal", schema="relaties")
