"""Monthly sums of each client, computed for the existing documents and payments, and an index of invoices by date."""

import sqlalchemy as sa
from alembic import op

from db.migrations.row_level_security import enable_row_level_security

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
FIGURES = ("invoiced", "invoiced_base", "gross", "gross_base", "paid", "paid_base")
COUNT = """INSERT INTO relaties.client_month (tenant_id, client_id, month, currency, invoiced, invoiced_base, gross, gross_base, paid,
  paid_base)
SELECT tenant_id, client_id, date_trunc('month', day::timestamp)::date, currency, sum(sign * net), sum(sign * net_base), sum(sign * gross),
  sum(sign * gross_base), sum(amount), sum(amount_base)
FROM (SELECT tenant_id, client_id, invoice_date, currency, CASE kind WHEN 'CREDIT_NOTE' THEN -1 ELSE 1 END, net, net_base, gross,
    gross_base, 0.00, 0.00 FROM relaties.invoice WHERE is_issued
  UNION ALL SELECT tenant_id, client_id, paid_on, currency, 1, 0.00, 0.00, 0.00, 0.00, amount, amount_base
  FROM relaties.payment_allocation) moved (tenant_id, client_id, day, currency, sign, net, net_base, gross, gross_base, amount, amount_base)
GROUP BY 1, 2, 3, 4"""


def upgrade() -> None:
    op.create_table(
        "client_month",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        *(sa.Column(name, sa.Numeric(precision=38, scale=2), nullable=False) for name in FIGURES),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("client_month_month_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["relaties.client.tenant_id", "relaties.client.id"],
            name=op.f("client_month_client_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "month", "currency", name=op.f("client_month_pk")),
        schema="relaties",
    )
    op.create_index(
        "client_month_figures",
        "client_month",
        ["tenant_id", "client_id", "month"],
        unique=False,
        schema="relaties",
        postgresql_include=["currency", *FIGURES],
    )
    op.create_index(
        "invoice_by_day",
        "invoice",
        ["tenant_id", "invoice_date"],
        unique=False,
        schema="relaties",
        postgresql_include=["client_id", "is_issued", "kind", "currency", "net", "net_base", "gross", "gross_base"],
    )
    op.execute(COUNT)
    enable_row_level_security("client_month")


def downgrade() -> None:
    op.drop_index("invoice_by_day", table_name="invoice", schema="relaties")
    op.drop_table("client_month", schema="relaties")
