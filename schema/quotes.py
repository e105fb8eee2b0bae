"""GraphQL types of quotes."""

from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

import strawberry

from db.rows import QuoteLineRow, QuoteRow
from db.tables import QuoteStatus
from domain import projects
from domain.clients import reads as clients
from domain.invoicing import quotes
from domain.invoicing.quotes import MAX_LINES
from resolvers.enums import describe_enum
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import REFERENCE_OPTIONS, FieldOptions, relation
from schema.core.money import Money, read_money
from schema.core.references import ClientReference
from schema.core.row_type import Node, attribute, computed_field, row_type
from schema.core.scalars import CurrencyCode
from schema.projects import Project

describe_enum(
    QuoteStatus,
    "Status of a quote.",
    DRAFT="Not sent yet.",
    SENT="Sent and not answered yet.",
    ACCEPTED="Accepted by the client.",
    REJECTED="Rejected by the client.",
    EXPIRED="Not answered in time.",
)


@row_type(QuoteLineRow, description="A line of a quote.")
class QuoteLine:
    position: int = attribute("Position in the quote.")
    description: str = attribute("Description of what is offered.")
    quantity: Decimal = attribute("Quantity.")
    unit_price: Money = computed_field(read_money("unit_price"), "Price per unit, excluding VAT.")
    vat_percentage: Decimal = attribute("VAT percentage, fixed when the line was created.")
    net: Money = computed_field(read_money("net"), "Amount excluding VAT.")
    vat: Money = computed_field(read_money("vat"), "Amount of VAT.")
    project: Project | None = relation(projects.by_id, "Project that the line is for. Null if there is none.", key="project_id")


@row_type(QuoteRow, description="A quote for a client.")
class Quote(Node):
    client: ClientReference | None = relation(clients.by_id, "Client of the quote.", key="client_id", options=REFERENCE_OPTIONS)
    number: str | None = attribute("Quote number, assigned on sending. Null before that.")
    status: QuoteStatus = attribute("Status of the quote.")
    issued_on: date | None = computed_field(attrgetter("quote_date"), "Date of issue. May be null for a draft.")
    valid_until: date | None = attribute("Last day for acceptance. Null if none is set.")
    currency: CurrencyCode = attribute("Currency of the amounts.")
    net: Money = computed_field(read_money("net"), "Amount excluding VAT.")
    vat: Money = computed_field(read_money("vat"), "Amount of VAT.")
    gross: Money = computed_field(read_money("gross"), "Amount including VAT.")
    reference: str | None = attribute("Reference of the quote.")
    lines: list[QuoteLine] | None = relation(
        quotes.lines, f"Lines, sorted by position; at most {MAX_LINES}.", options=FieldOptions(size=10)
    )
    created_at: datetime = attribute("Time of creation.")
    updated_at: datetime = attribute("Time of the last change.")
    version: int = attribute("Version number, incremented by every change.")


@strawberry.type(description="A page of the quotes of a client, newest first.")
class QuoteConnection(Connection[Quote]):
    total_count: int | None = declare_total_count(quotes.counts)
