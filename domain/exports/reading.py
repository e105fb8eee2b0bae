"""Read the clients of an export part by part, with the queries that answer the API: so each figure equals that of the API."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from db.engine.protocols import Transaction
from db.queries import client_finance, clients, contacts, labels, layouts, revenue, vat_rates
from db.rows import ClientRevenueRow, ClientRow, FinancialRow
from db.sql.pagination import CursorPosition, PageSlice
from domain.clients.reads import POSITIONS
from domain.core.periods import Period
from domain.exports.columns import ClientRecord, ColumnReader, Source
from domain.exports.request import ExportRequest

PART_SIZE = 1_000  # clients that are read, written and reported together; parts of 500 take a third longer
FIRST_CONTACT = PageSlice(is_ascending=True, after=None, size=1)


async def read_parts(tx: Transaction, request: ExportRequest) -> AsyncIterator[list[ClientRow]]:
    """Yield the clients that match, in the order of the request."""
    after: CursorPosition | None = None
    sorting, position = request.sorting, POSITIONS[request.sorting.field]
    while True:
        page_slice = PageSlice(sorting.is_ascending, after, PART_SIZE)
        rows = await clients.page(tx, request.criteria, sorting.field, page_slice)
        part = rows[:PART_SIZE]
        if part:
            yield part
        if len(rows) <= PART_SIZE:
            return
        after = position(part[-1])


@dataclass(frozen=True)
class RecordReader:
    """Read what the columns need of the clients of a part: a fixed number of statements."""

    sources: frozenset[Source]
    periods: tuple[Period, ...]

    @classmethod
    def of(cls, columns: Sequence[ColumnReader]) -> "RecordReader":
        periods = dict.fromkeys(column.period for column in columns if column.period)
        return cls(frozenset(column.source for column in columns if column.source), tuple(periods))

    async def read(self, tx: Transaction, rows: Sequence[ClientRow]) -> list[ClientRecord]:
        ids, sources = [row.id for row in rows], self.sources
        nothing = [None] * len(ids)
        addresses = await clients.addresses(tx, ids) if Source.ADDRESSES in sources else [[] for _ in ids]
        label_rows = await labels.of_clients(tx, ids) if Source.LABELS in sources else [[] for _ in ids]
        financial = await client_finance.of_clients(tx, ids) if Source.FINANCE in sources else nothing
        invoice_contacts = await contacts.invoice_contacts(tx, ids) if Source.INVOICE_CONTACT in sources else nothing
        first_contacts = await contacts.of_clients(tx, ids, FIRST_CONTACT) if Source.FIRST_CONTACT in sources else [[] for _ in ids]
        names = await _read_names(tx, [row for row in financial if row])
        figures = [await _read_revenue(tx, ids, period) for period in self.periods]
        return [
            ClientRecord(
                client=row,
                addresses={each.type: each for each in addresses[index]},
                labels=[each.name for each in label_rows[index]],
                financial=financial[index],
                names=names,
                invoice_contact=invoice_contacts[index],
                first_contact=next(iter(first_contacts[index]), None),
                revenue={period: totals[index] for period, totals in zip(self.periods, figures, strict=True)},
            )
            for index, row in enumerate(rows)
        ]


async def _read_names(tx: Transaction, settings: Sequence[FinancialRow]) -> dict[UUID, str]:
    """Return the names of the VAT rates and of the invoice layouts that the settings refer to."""
    rate_ids = [*{row.vat_rate_id for row in settings if row.vat_rate_id}]
    layout_ids = [*{row.invoice_layout_id for row in settings if row.invoice_layout_id}]
    rates = await vat_rates.by_id(tx, rate_ids) if rate_ids else []
    invoice_layouts = await layouts.by_id(tx, layout_ids) if layout_ids else []
    return {row.id: row.name for row in (*rates, *invoice_layouts) if row}


async def _read_revenue(tx: Transaction, ids: Sequence[UUID], period: Period) -> list[ClientRevenueRow]:
    """Return the total of each client in the base currency."""
    return [rows[0] for rows in await revenue.by_client(tx, ids, start=period.start, end=period.end)]
