"""Every loader of an operation, made on first use."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

import domain.activity
import domain.clients
import domain.consequences
import domain.contacts
import domain.finance
import domain.labels
import domain.layouts
import domain.members
import domain.organizations
import domain.portals
import domain.projects
import domain.quotes
import domain.registrations
import domain.revenue
import domain.tokens
import domain.vat_rates
from db.rows import (
    ClientContactRow,
    ContactClientRow,
    InvoiceLayoutRow,
    InvoiceRow,
    LabelClientRow,
    MemberRow,
    ProjectRow,
    QuoteRow,
    RegistrationRow,
    TokenRow,
    VatRateRow,
)
from domain.activity import Event
from domain.clients import Filter
from domain.pages import Page, Span
from domain.registrations import Filter as Registered
from domain.revenue import Revenue
from domain.scope import ReadScope
from domain.values import Period
from resolvers.batches import Loader

K = TypeVar("K")
V = TypeVar("V")


class SimpleLoader(Generic[K, V]):
    """A loader that takes no arguments besides the keys, made when an operation first asks it."""

    def __init__(self, batch: Callable[[ReadScope, Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        self._batch = batch

    def __get__(self, loaders: "Loaders", _: type) -> Loader[K, V]:
        return loaders.once(self._batch)


class Loaders:
    """One query per relation per operation: the keys of a level are fetched together."""

    clients = SimpleLoader(domain.clients.by_id)
    contacts = SimpleLoader(domain.contacts.by_id)
    labels = SimpleLoader(domain.labels.by_id)
    labels_of_client = SimpleLoader(domain.labels.of_clients)
    addresses_of_client = SimpleLoader(domain.clients.addresses)
    financial_of_client = SimpleLoader(domain.finance.of_clients)
    vat_rates = SimpleLoader(domain.vat_rates.by_id)
    layouts = SimpleLoader(domain.layouts.by_id)
    invoices = SimpleLoader(domain.finance.invoices_by_id)
    projects = SimpleLoader(domain.projects.by_id)
    quotes = SimpleLoader(domain.quotes.by_id)
    lines_of_quote = SimpleLoader(domain.quotes.lines)
    portals = SimpleLoader(domain.portals.by_id)
    portals_of_client = SimpleLoader(domain.portals.of_clients)
    projects_of_portal = SimpleLoader(domain.portals.projects)
    contacts_of_portal = SimpleLoader(domain.portals.contacts)
    events = SimpleLoader(domain.activity.by_id)
    organizations = SimpleLoader(domain.organizations.by_id)
    members = SimpleLoader(domain.members.by_id)
    tokens = SimpleLoader(domain.tokens.by_id)
    financial_of_project = SimpleLoader(domain.projects.financial)
    archive_preview = SimpleLoader(domain.consequences.of_archiving)
    deletion_preview = SimpleLoader(domain.consequences.of_deletion)
    contacts_left_alone = SimpleLoader(domain.consequences.left_alone)
    registrations = SimpleLoader(domain.registrations.by_id)
    financial_of_registration = SimpleLoader(domain.registrations.financial)
    labels_of_registration = SimpleLoader(domain.registrations.labels)
    registration_count = SimpleLoader(domain.registrations.counts)
    client_count = SimpleLoader(domain.clients.counts)
    contact_count = SimpleLoader(domain.contacts.counts)
    label_count = SimpleLoader(domain.labels.counts)
    contact_count_of_client = SimpleLoader(domain.contacts.counts_of_clients)
    client_count_of_contact = SimpleLoader(domain.clients.counts_of_contacts)
    client_count_of_label = SimpleLoader(domain.clients.counts_of_labels)
    project_count_of_client = SimpleLoader(domain.projects.counts_of_clients)
    invoice_count_of_client = SimpleLoader(domain.finance.invoice_counts)
    quote_count_of_client = SimpleLoader(domain.quotes.counts)
    event_count_of_client = SimpleLoader(domain.activity.counts_of_clients)
    event_count_of_contact = SimpleLoader(domain.activity.counts_of_contacts)
    vat_rate_count = SimpleLoader(domain.vat_rates.counts)
    layout_count = SimpleLoader(domain.layouts.counts)
    member_count = SimpleLoader(domain.members.counts)
    token_count = SimpleLoader(domain.tokens.counts)

    def __init__(self, scope: ReadScope) -> None:
        self._scope = scope
        self._made: dict[tuple[object, ...], Loader[Any, Any]] = {}

    def stop(self) -> None:
        """What is still asked for an operation that was given up."""
        for loader in self._made.values():
            loader.stop()

    def forget(self) -> None:
        """What was read, once the operation has ended: graphql-core holds its context in a ring, which would keep it all."""
        for loader in self._made.values():
            loader.forget()

    def contacts_of_client(self, span: Span) -> Loader[UUID, Page[ClientContactRow]]:
        return self.once(domain.contacts.of_clients, span=span)

    def clients_of_contact(self, span: Span) -> Loader[UUID, Page[ContactClientRow]]:
        return self.once(domain.clients.of_contacts, span=span)

    def clients_of_label(self, span: Span) -> Loader[UUID, Page[LabelClientRow]]:
        return self.once(domain.clients.of_labels, span=span)

    def projects_of_client(self, span: Span, *, is_archived: bool | None) -> Loader[UUID, Page[ProjectRow]]:
        return self.once(domain.projects.of_clients, span=span, is_archived=is_archived)

    def registrations_of_client(self, wanted: Registered, span: Span) -> Loader[UUID, Page[RegistrationRow]]:
        return self.once(domain.registrations.of_clients, wanted=wanted, span=span)

    def registrations_of_project(self, wanted: Registered, span: Span) -> Loader[UUID, Page[RegistrationRow]]:
        return self.once(domain.registrations.of_projects, wanted=wanted, span=span)

    def invoices_of_client(self, span: Span) -> Loader[UUID, Page[InvoiceRow] | None]:
        return self.once(domain.finance.invoices, span=span)

    def quotes_of_client(self, span: Span) -> Loader[UUID, Page[QuoteRow] | None]:
        return self.once(domain.quotes.of_clients, span=span)

    def activity_of_client(self, span: Span) -> Loader[UUID, Page[Event]]:
        return self.once(domain.activity.of_clients, span=span)

    def activity_of_contact(self, span: Span) -> Loader[UUID, Page[Event]]:
        return self.once(domain.activity.of_contacts, span=span)

    def vat_rates_of_organization(self, span: Span) -> Loader[UUID, Page[VatRateRow] | None]:
        return self.once(domain.vat_rates.of_organization, span=span)

    def layouts_of_organization(self, span: Span) -> Loader[UUID, Page[InvoiceLayoutRow] | None]:
        return self.once(domain.layouts.of_organization, span=span)

    def members_of_organization(self, span: Span) -> Loader[UUID, Page[MemberRow]]:
        return self.once(domain.members.of_organization, span=span)

    def tokens_of_organization(self, span: Span) -> Loader[UUID, Page[TokenRow] | None]:
        return self.once(domain.tokens.of_organization, span=span)

    def revenue_of_client(self, period: Period) -> Loader[UUID, Revenue | None]:
        return self.once(domain.revenue.by_client, period=period)

    def revenue_of_clients(self, period: Period) -> Loader[Filter, Revenue | None]:
        return self.once(domain.revenue.of_all, period=period)

    def once(self, batch: Callable[..., Awaitable[Sequence[V]]], **arguments: object) -> Loader[Any, V]:
        """One loader per set of arguments."""
        key = (batch, *arguments.items())
        loader = self._made.get(key)
        if loader is None:
            loader = self._made[key] = Loader(partial(batch, self._scope, **arguments))
        return loader
