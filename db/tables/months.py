"""What each client had in each month: sums that are kept, so that what a client brought in costs the same however many invoices it has."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field as Stored

from db.tables.base import Table, check, link

WIDE = 38  # digits: many documents of the largest amount there is, in one month


class ClientMonth(Table, table=True):
    """A client's issued documents and payments of a month in one currency; credit notes count below zero.

    It says nothing that the documents and the payments do not say: whoever changes those counts it anew (`db.months.recount`). There is
    a row where there is any of them, also where their sums are zero.
    """

    __tablename__ = "client_month"
    __table_args__ = (
        link("client", "client_id", goes=True),
        check("month", "extract(day FROM month) = 1"),
        Index(
            "client_month_figures",
            "tenant_id",
            "client_id",
            "month",
            postgresql_include=["currency", "invoiced", "invoiced_base", "gross", "gross_base", "paid", "paid_base"],
        ),
    )
    client_id: UUID = Stored(primary_key=True)
    month: date = Stored(primary_key=True)
    currency: str = Stored(primary_key=True, max_length=3)
    invoiced: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    invoiced_base: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    gross: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    gross_base: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    paid: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    paid_base: Decimal = Stored(max_digits=WIDE, decimal_places=2)
