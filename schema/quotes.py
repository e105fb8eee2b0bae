"""Quotes."""

from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import strawberry

from db.rows import QuoteLineRow, QuoteRow
from db.tables import QuoteStatus
from domain import clients, projects, quotes
from domain.quotes import MAX_LINES
from resolvers.words import words
from schema.connections import COUNTED, TOTAL, Connection
from schema.fields import Terms, by
from schema.lens import Node, lens, read
from schema.money import Money, money
from schema.projects import Project
from schema.scalars import CurrencyCode

if TYPE_CHECKING:
    from schema.clients import Client

words(
    QuoteStatus,
    "How far a quote is.",
    DRAFT="Not sent yet.",
    SENT="Sent, and not answered.",
    ACCEPTED="The client takes it.",
    REJECTED="The client does not take it.",
    EXPIRED="Not answered in time.",
)


@lens(QuoteLineRow, description="A line of a quote.")
class QuoteLine:
    position: int = strawberry.field(description="Its place in the quote.")
    description: str = strawberry.field(description="What is offered.")
    quantity: Decimal = strawberry.field(description="How much of it.")
    unit_price: Money = read(money("unit_price"), description="Price of one, excluding VAT.")
    vat_percentage: Decimal = strawberry.field(description="Percentage of VAT that it was made with.")
    net: Money = read(money("net"), description="Excluding VAT.")
    vat: Money = read(money("vat"), description="VAT.")
    project: Project | None = by(projects.by_id, key="project_id", description="The project that it is for; null where it names none.")


@lens(QuoteRow, description="What a client was offered.")
class Quote(Node):
    client: Annotated["Client", strawberry.lazy("schema.clients")] | None = by(
        clients.by_id, key="client_id", description="Whom it was made for."
    )
    number: str | None = strawberry.field(description="Number, given when it was sent.")
    status: QuoteStatus = strawberry.field(description="How far it is.")
    issued_on: date | None = read(attrgetter("quote_date"), description="Day of issue.")
    valid_until: date | None = strawberry.field(description="Last day on which it can be accepted.")
    currency: CurrencyCode = strawberry.field(description="Currency of its amounts.")
    net: Money = read(money("net"), description="Excluding VAT.")
    vat: Money = read(money("vat"), description="VAT.")
    gross: Money = read(money("gross"), description="Including VAT.")
    reference: str | None = strawberry.field(description="What it refers to.")
    lines: list[QuoteLine] | None = by(quotes.lines, description=f"Its first {MAX_LINES} lines, by their position.", terms=Terms(size=10))
    created_at: datetime = strawberry.field(description="When the quote was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Grows by one with each change.")


@strawberry.type(description="Quotes of a client, the newest first.")
class QuoteConnection(Connection[Quote]):
    total_count: int | None = by(quotes.counts, key="selector", description=TOTAL, terms=COUNTED)
