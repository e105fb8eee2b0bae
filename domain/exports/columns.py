"""Define the columns of an export: their headings, what they need to be read, and how their cells follow from the rows of a client."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from uuid import UUID
from zoneinfo import ZoneInfo

from db.rows import AddressRow, ClientContactRow, ClientRevenueRow, ClientRow, FinancialRow
from db.tables import AddressFields, AddressType
from domain.core.periods import Period
from domain.exports.cells import Cell, CellKind, Heading
from domain.exports.fields import ExportColumn, ExportField, RevenueColumn


class Source(StrEnum):
    """Rows that a column needs besides the row of the client."""

    ADDRESSES = "ADDRESSES"
    LABELS = "LABELS"
    FINANCE = "FINANCE"
    INVOICE_CONTACT = "INVOICE_CONTACT"
    FIRST_CONTACT = "FIRST_CONTACT"


@dataclass(frozen=True)
class ClientRecord:
    """A client and what was read with it. A part is empty if no column needs it. `names` has those of VAT rates and layouts."""

    client: ClientRow
    addresses: Mapping[str, AddressRow]
    labels: Sequence[str]
    financial: FinancialRow | None
    names: Mapping[UUID, str]
    invoice_contact: ClientContactRow | None
    first_contact: ClientContactRow | None
    revenue: Mapping[Period, ClientRevenueRow]


@dataclass(frozen=True)
class ColumnReader:
    """A column: its heading, the columns of the statements that it needs, and the function that returns the cell of a client."""

    heading: Heading
    read: Callable[[ClientRecord], Cell]
    requested: tuple[str, ...] = ()
    source: Source | None = None
    period: Period | None = None


GENERAL = {
    ExportField.NAME: Heading("Name", CellKind.LONG_TEXT),
    ExportField.TRADE_NAME: Heading("Trade name"),
    ExportField.NUMBER: Heading("Number"),
    ExportField.KIND: Heading("Kind"),
    ExportField.IS_PROSPECT: Heading("Prospect", CellKind.FLAG),
    ExportField.PHONE: Heading("Telephone"),
    ExportField.EMAIL: Heading("E-mail"),
    ExportField.WEBSITE: Heading("Website"),
    ExportField.LANGUAGE: Heading("Language"),
    ExportField.NOTES: Heading("Notes", CellKind.LONG_TEXT),
    ExportField.KVK_NUMBER: Heading("KVK number"),
    ExportField.KVK_BRANCH_NUMBER: Heading("KVK branch number"),
    ExportField.KBO_NUMBER: Heading("KBO number"),
    ExportField.VAT_NUMBER: Heading("VAT number"),
    ExportField.ARCHIVED_AT: Heading("Archived at", CellKind.TIME),
    ExportField.CREATED_AT: Heading("Created at", CellKind.TIME),
    ExportField.UPDATED_AT: Heading("Updated at", CellKind.TIME),
}
FINANCIAL = {
    ExportField.CURRENCY: Heading("Currency"),
    ExportField.DEFAULT_HOURLY_RATE: Heading("Default hourly rate", CellKind.RATE),
    ExportField.DEFAULT_MILEAGE_RATE: Heading("Default mileage rate", CellKind.RATE),
    ExportField.VAT_TREATMENT: Heading("VAT treatment"),
    ExportField.VAT_RATE: Heading("VAT rate"),
    ExportField.PAYMENT_TERM_DAYS: Heading("Payment term in days", CellKind.NUMBER),
    ExportField.IBAN: Heading("IBAN"),
    ExportField.BIC: Heading("BIC"),
    ExportField.INVOICE_LAYOUT: Heading("Invoice layout"),
    ExportField.INVOICE_DELIVERY: Heading("Invoice delivery"),
    ExportField.BUYER_REFERENCE: Heading("Buyer reference"),
    ExportField.PURCHASE_ORDER_REQUIRED: Heading("Purchase order required", CellKind.FLAG),
}
NAMED_LINKS = {ExportField.VAT_RATE: "vat_rate_id", ExportField.INVOICE_LAYOUT: "invoice_layout_id"}
ADDRESS_WORDS = {"line1": "line 1", "line2": "line 2", "postal_code": "postal code"}
CONTACT_WORDS = {
    "first_name": "first name",
    "last_name": "last name",
    "job_title": "job title",
    "email": "e-mail",
    "phone": "telephone",
    "mobile": "mobile",
}


def _client_reader(field: ExportField, heading: Heading) -> ColumnReader:
    name = field.lower()
    return ColumnReader(heading, attrgetter(f"client.{name}"), (f"ClientRow.{name}",))


def _address_reader(kind: AddressType, name: str) -> ColumnReader:
    heading = Heading(f"{kind.capitalize()} address: {ADDRESS_WORDS.get(name, name)}")
    if kind is AddressType.PRIMARY:  # it comes with the client
        return ColumnReader(heading, attrgetter(f"client.{name}"), (f"ClientRow.{name}",))
    read = attrgetter(name)
    return ColumnReader(heading, lambda record: read(record.addresses[kind]) if kind in record.addresses else None, source=Source.ADDRESSES)


def _contact_reader(source: Source, name: str) -> ColumnReader:
    contact, read = attrgetter(source.lower()), attrgetter(name)
    heading = Heading(f"{source.capitalize().replace('_', ' ')}: {CONTACT_WORDS[name]}")
    return ColumnReader(
        heading, lambda record: None if contact(record) is None else read(contact(record)), (f"ClientContactRow.{name}",), source
    )


def _financial_reader(field: ExportField, heading: Heading) -> ColumnReader:
    read = attrgetter(NAMED_LINKS.get(field, field.lower()))

    def read_cell(record: ClientRecord) -> Cell:
        value: Cell = None if record.financial is None else read(record.financial)
        return Decimal(value) if heading.kind is CellKind.RATE and isinstance(value, str) else value

    def read_name(record: ClientRecord) -> Cell:
        return None if record.financial is None else record.names.get(read(record.financial))

    return ColumnReader(heading, read_name if field in NAMED_LINKS else read_cell, source=Source.FINANCE)


def quote_label(name: str) -> str:
    """Return the name so that a list of names, separated by commas, can be split again: quoted as in CSV if it needs that."""
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name


def _read_labels(record: ClientRecord) -> Cell:
    return ", ".join(map(quote_label, record.labels)) or None


READERS: dict[ExportField, ColumnReader] = {
    **{field: _client_reader(field, heading) for field, heading in GENERAL.items()},
    **{ExportField(f"{kind}_{name.upper()}"): _address_reader(kind, name) for kind in AddressType for name in AddressFields.model_fields},
    ExportField.LABELS: ColumnReader(Heading("Labels"), _read_labels, ("ClientLabelRow.name",), Source.LABELS),
    **{field: _financial_reader(field, heading) for field, heading in FINANCIAL.items()},
    **{
        ExportField(f"{source}_{name.upper()}"): _contact_reader(source, name)
        for source in (Source.INVOICE_CONTACT, Source.FIRST_CONTACT)
        for name in CONTACT_WORDS
    },
}


def build_reader(column: ExportColumn, currency: str, zone: ZoneInfo) -> ColumnReader:
    """Return the reader of a column, for an organization with this base currency and time zone."""
    if isinstance(column, RevenueColumn):
        return _revenue_reader(column, currency)
    reader = READERS[column]
    if reader.heading.kind is not CellKind.TIME:
        return reader

    def read_time(record: ClientRecord) -> Cell:
        moment = reader.read(record)
        return moment.astimezone(zone).replace(tzinfo=None, microsecond=0) if isinstance(moment, datetime) else None

    return ColumnReader(reader.heading, read_time, reader.requested)


def _revenue_reader(column: RevenueColumn, currency: str) -> ColumnReader:
    period, read = column.period, attrgetter(column.measure)
    heading = Heading(f"{column.measure.capitalize()} ({currency}), {describe_period(period)}", CellKind.AMOUNT)
    return ColumnReader(heading, lambda record: Decimal(read(record.revenue[period])), period=period)


def describe_period(period: Period) -> str:
    match period.since, period.until:
        case None, None:
            return "all time"
        case since, None:
            return f"from {since}"
        case None, until:
            return f"until {until}"
        case since, until:
            return f"{since} to {until}"
