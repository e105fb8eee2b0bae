"""Replace the monthly sums by balances at the end of each month, so that the sums of a period are the difference of two rows."""

import sqlalchemy as sa
from alembic import op

from db.migrations.row_level_security import enable_row_level_security

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
PERIOD = ("invoiced", "invoiced_base", "paid", "paid_base")
FIGURES = (*PERIOD, "outstanding", "outstanding_base")
OLD_FIGURES = ("invoiced", "invoiced_base", "gross", "gross_base", "paid", "paid_base")
OF = "OVER (PARTITION BY tenant_id, client_id, currency ORDER BY month)"
BALANCES = f"""lead(month - 1, 1, 'infinity') {OF} AS until, {", ".join(f"sum({name}) {OF} AS {name}" for name in PERIOD)},
  sum(gross - paid) {OF} AS outstanding, sum(gross_base - paid_base) {OF} AS outstanding_base"""
MONTHLY_SUMS = ", ".join(
    f"{figure} - lag({figure}, 1, 0.00) {OF} AS {name}"
    for name in OLD_FIGURES
    for figure in [{"gross": "(outstanding + paid)", "gross_base": "(outstanding_base + paid_base)"}.get(name, name)]
)


def upgrade() -> None:
    """Replace the table instead of its values, so that an older server fails instead of reading balances as monthly sums."""
    _replace_table(BALANCES, ("until", *FIGURES), until=True)


def downgrade() -> None:
    _replace_table(MONTHLY_SUMS, OLD_FIGURES, until=False)


def _replace_table(expressions: str, names: tuple[str, ...], *, until: bool) -> None:
    """Replace the table by one with these columns, filled from the old one. Writers wait until the migration ends."""
    op.execute("LOCK TABLE relaties.client_month IN ACCESS EXCLUSIVE MODE")
    keys = "tenant_id, client_id, month, currency"
    op.execute(f"CREATE TEMPORARY TABLE had ON COMMIT DROP AS SELECT {keys}, {expressions} FROM relaties.client_month")  # noqa: S608 constants of ours
    op.execute("-- squawk-ignore ban-drop-table\nDROP TABLE relaties.client_month")
    checks = [sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("client_month_month_check"))]
    if until:
        checks.append(sa.CheckConstraint("until > month", name=op.f("client_month_until_check")))
    op.create_table(
        "client_month",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        *(sa.Column(name, sa.Date() if name == "until" else sa.Numeric(precision=38, scale=2), nullable=False) for name in names),
        *checks,
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
        ["tenant_id", "client_id", *(["until"] if until else []), "month"],
        unique=False,
        schema="relaties",
        postgresql_include=["currency", *(name for name in names if name != "until")],
    )
    op.execute(f"INSERT INTO relaties.client_month ({keys}, {', '.join(names)}) SELECT {keys}, {', '.join(names)} FROM had")  # noqa: S608
    enable_row_level_security("client_month")
