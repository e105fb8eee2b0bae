"""What each client had come to by the end of each month: kept, so that what it brought in costs the same however many invoices it has."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field as Stored

from db.tables.base import Table, check, link

WIDE = 38  # digits: many documents of the largest amount there is


class ClientMonth(Table, table=True):
    """A client's issued documents and payments in one currency, from the first to the end of a month; credit notes count below zero.

    There is a row for a month with any of them, also where their sums are zero, and it holds until the day before the month of the next
    row: a period is the difference of two rows. It says nothing that the documents and the payments do not say: whoever changes those
    counts it anew (`db.months.recount`).
    """

    __tablename__ = "client_month"
    __table_args__ = (
        link("client", "client_id", goes=True),
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
    client_id: UUID = Stored(primary_key=True)
    month: date = Stored(primary_key=True)
    currency: str = Stored(primary_key=True, max_length=3)
    until: date
    invoiced: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    invoiced_base: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    paid: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    paid_base: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    outstanding: Decimal = Stored(max_digits=WIDE, decimal_places=2)
    outstanding_base: Decimal = Stored(max_digits=WIDE, decimal_places=2)
