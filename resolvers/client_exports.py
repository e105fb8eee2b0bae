"""Inputs and resolver of the export of clients."""

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.clients.reads import Sort, Sorting
from domain.core.errors import BadInput, InvalidInput, RuleViolation
from domain.core.scope import WriteScope
from domain.exports import starting
from domain.exports.columns import READERS
from domain.exports.fields import FINANCIAL_FIELDS, ExportColumn, ExportField, RevenueColumn, RevenueMeasure
from domain.exports.request import DecimalSeparator, Delimiter, ExportFormat, ExportRequest
from domain.exports.starting import MAX_COLUMNS, MAX_REVENUE_COLUMNS
from resolvers.clients import SEARCH_DESCRIPTION, ClientFilterInput, ClientOrderInput, build_filter
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import to_uuids
from resolvers.pagination import OrderDirection
from resolvers.periods import PeriodInput, to_period

FIGURE_HINT = dict.fromkeys(FINANCIAL_FIELDS, " Requires `FINANCE_READ`.")
describe_enum(
    ExportFormat,
    "Format of an exported file.",
    name="ClientExportFormat",
    XLSX="Workbook of Excel and other spreadsheets. Its second sheet states the filter.",
    CSV="Text with a line for each client, in UTF-8 with a byte order mark.",
)
describe_enum(
    Delimiter,
    "Character between the cells of a CSV file.",
    name="CsvDelimiter",
    COMMA="A comma.",
    SEMICOLON="A semicolon.",
    TAB="A tab.",
)
describe_enum(
    DecimalSeparator, "Decimal sign of the numbers in a CSV file.", name="CsvDecimalSeparator", COMMA="A comma.", POINT="A point."
)
describe_enum(
    RevenueMeasure,
    "Amount of the revenue of a client, in the organization's `baseCurrency`.",
    INVOICED="Invoices minus credit notes issued in the period, excluding VAT.",
    PAID="Payments minus refunds in the period, including VAT.",
    OUTSTANDING="Unpaid amount at the end of the period, including VAT.",
)
describe_enum(
    ExportField,
    "Field of a client that an export can have as a column.",
    name="ClientExportField",
    **{field.name: f"Column `{reader.heading.text}`.{FIGURE_HINT.get(field, '')}" for field, reader in READERS.items()},
)


@strawberry.input(description="Revenue of each client as a column. Requires `FINANCE_READ`.")
class ClientRevenueColumnInput:
    measure: RevenueMeasure = strawberry.field(description="Amount of the revenue.")
    period: PeriodInput | None = strawberry.field(default=None, description="Period of the revenue; all time if omitted.")


@strawberry.input(one_of=True, description="A column of an export.")
class ClientExportColumnInput:
    field: strawberry.Maybe[ExportField] = strawberry.field(description="Field of the client.")
    revenue: strawberry.Maybe[ClientRevenueColumnInput] = strawberry.field(description="Revenue of the client. Requires `FINANCE_READ`.")


@strawberry.input(description="Clients to export, as `clients` shows them for the same filter, search and order.")
class ClientExportStartInput:
    format: ExportFormat = strawberry.field(description="Format of the file.")
    filter: ClientFilterInput | None = strawberry.field(default=None, description="Filter; all clients if omitted.")
    search: str | None = strawberry.field(default=None, description=SEARCH_DESCRIPTION)
    order_by: ClientOrderInput | None = strawberry.field(default=None, description="Sort order; by name if omitted.")
    columns: list[ClientExportColumnInput] | None = strawberry.field(
        default=None,
        description=f"Columns in their order, at most {MAX_COLUMNS}; of these, {MAX_REVENUE_COLUMNS} or fewer with `revenue`. A repeated "
        "column counts once. If omitted, the file has all columns that `clientBulkUpsert` accepts; financial ones only with "
        "`FINANCE_READ`.",
    )
    delimiter: Delimiter | None = strawberry.field(
        default=None, description="Delimiter of a CSV file. If omitted, that of the organization's `locale`."
    )
    decimal_separator: DecimalSeparator | None = strawberry.field(
        default=None, description="Decimal sign of a CSV file. If omitted, that of the organization's `locale`."
    )


async def start(scope: WriteScope, input: ClientExportStartInput) -> UUID:
    order = input.order_by or ClientOrderInput(field=Sort.NAME)
    request = ExportRequest(
        format=input.format,
        columns=tuple(_to_column(column, index) for index, column in enumerate(input.columns or ())),
        criteria=build_filter(input.filter, input.search, _label_ids),
        sorting=Sorting(order.field, order.direction is OrderDirection.ASC),
        delimiter=input.delimiter,
        decimal_separator=input.decimal_separator,
    )
    return await starting.start(scope, request)


def _label_ids(global_ids: Sequence[GlobalId] | None) -> tuple[UUID, ...] | None:
    return None if global_ids is None else tuple(to_uuids(global_ids, "Label"))


def _to_column(column: ClientExportColumnInput, index: int) -> ExportColumn:
    if column.field is not None:
        return column.field.value
    revenue = column.revenue.value  # type: ignore[union-attr]  # one of both is there
    try:
        return RevenueColumn(revenue.measure, to_period(revenue.period))
    except BadInput as error:
        raise RuleViolation(InvalidInput(["columns", str(index), "revenue", "period"], str(error))) from error
