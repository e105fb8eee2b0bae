"""Quotes."""

from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import QuoteLineRow, QuoteRow
from db.tables import QuoteStatus
from domain import projects
from domain.clients import reads as clients
from domain.invoicing import quotes
from domain.invoicing.quotes import MAX_LINES
from resolvers.enums import describe_enum
from schema.core.connections import Connection, declare_total_count
from schema.core.fields import FieldOptions, relation
from schema.core.money import Money, read_money
from schema.core.row_type import Node, computed_field, row_type
from schema.core.scalars import CurrencyCode
from schema.projects import Project

if TYPE_CHECKING:
    from schema.clients import Client

describe_enum(
    QuoteStatus,
    "How far a quote is.",
    DRAFT="Not sent yet.",
    SENT="Sent, and not answered.",
    ACCEPTED="The client takes it.",
    REJECTED="The client does not take it.",
    EXPIRED="Not answered in time.",
)


@row_type(QuoteLineRow, description="A line of a quote.")
class QuoteLine:
    position: int = strawberry.field(description="Its place in the quote.")
    description: str = strawberry.field(description="What is offered.")
    quantity: Decimal = strawberry.field(description="How much of it.")
    unit_price: Money = computed_field(read_money("unit_price"), description="Price of one, excluding VAT.")
    vat_percentage: Decimal = strawberry.field(description="Percentage of VAT that it was made with.")
    net: Money = computed_field(read_money("net"), description="Excluding VAT.")
    vat: Money = computed_field(read_money("vat"), description="VAT.")
    project: Project | None = relation(
        projects.by_id, key="project_id", description="The project that it is for; null where it names none."
    )


@row_type(QuoteRow, description="What a client was offered.")
class Quote(Node):
    client: Annotated["Client", strawberry.lazy("schema.clients")] | None = relation(
        clients.by_id, key="client_id", description="Whom it was made for."
    )
    number: str | None = strawberry.field(description="Number, given when it was sent.")
    status: QuoteStatus = strawberry.field(description="How far it is.")
    issued_on: date | None = computed_field(attrgetter("quote_date"), description="Day of issue.")
    valid_until: date | None = strawberry.field(description="Last day on which it can be accepted.")
    currency: CurrencyCode = strawberry.field(description="Currency of its amounts.")
    net: Money = computed_field(read_money("net"), description="Excluding VAT.")
    vat: Money = computed_field(read_money("vat"), description="VAT.")
    gross: Money = computed_field(read_money("gross"), description="Including VAT.")
    reference: str | None = strawberry.field(description="What it refers to.")
    lines: list[QuoteLine] | None = relation(
        quotes.lines, description=f"Its first {MAX_LINES} lines, by their position.", options=FieldOptions(size=10)
    )
    created_at: datetime = strawberry.field(description="When the quote was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")


@strawberry.type(description="Quotes of a client, the newest first.")
class QuoteConnection(Connection[Quote]):
    total_count: int | None = declare_total_count(quotes.counts)
