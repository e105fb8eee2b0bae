"""Monthly balances of each client, stored so that the cost of its revenue does not depend on the number of its invoices."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field as ColumnField

from db.tables.base import Table, check, foreign_key

SUM_DIGITS = 38  # enough for the sum of very many documents of the largest amount


class ClientMonth(Table, table=True):
    """The sums of a client's issued documents and payments in one currency, from the first one to the end of a month.

    Credit notes count as negative. There is a row for each month with documents or payments, even if their sums are zero. A row is valid
    until `until`, the day before the month of the next row; the sums of a period are the difference of two rows. The rows are derived, so
    code that changes documents or payments must rebuild them (`db.queries.monthly_balances.rebuild`).
    """

    __tablename__ = "client_month"
    __table_args__ = (
        foreign_key("client", "client_id", on_delete_cascade=True),
        check("month", "extract(day FROM month) = 1"),
        check("until", "until > month"),
        Index(
            "client_month_figures",
            "tenant_id",
            "client_id",
            "until",
            "month",
            postgresql_include=["currency", "invoiced", "invoiced_base", "paid", "paid_base", "outstanding", "outstanding_base"],
        ),
    )
    client_id: UUID = ColumnField(primary_key=True)
    month: date = ColumnField(primary_key=True)
    currency: str = ColumnField(primary_key=True, max_length=3)
    until: date
    invoiced: Decimal = ColumnField(max_digits=SUM_DIGITS, decimal_places=2)
    invoiced_base: Decimal = ColumnField(max_digits=SUM_DIGITS, decimal_places=2)
    paid: Decimal = ColumnField(max_digits=SUM_DIGITS, decimal_places=2)
    paid_base: Decimal = ColumnField(max_digits=SUM_DIGITS, decimal_places=2)
    outstanding: Decimal = ColumnField(max_digits=SUM_DIGITS, decimal_places=2)
    outstanding_base: Decimal = ColumnField(max_digits=SUM_DIGITS, decimal_places=2)
