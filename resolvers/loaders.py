"""Every loader of an operation, made on first use."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from db.rows import (
    AddressRow,
    ClientContactRow,
    ClientLabelRow,
    ClientRow,
    ContactClientRow,
    ContactRow,
    FinancialRow,
    InvoiceLayoutRow,
    InvoiceRow,
    LabelClientRow,
    LabelRow,
    MemberRow,
    OrganizationRow,
    PortalContactRow,
    PortalProjectRow,
    PortalRow,
    ProjectFinancialRow,
    ProjectRow,
    QuoteLineRow,
    QuoteRow,
    RegistrationFinancialRow,
    RegistrationLabelRow,
    RegistrationRow,
    TokenRow,
    VatRateRow,
)
from domain import (
    activity,
    clients,
    consequences,
    contacts,
    finance,
    labels,
    layouts,
    members,
    organizations,
    portals,
    projects,
    quotes,
    registrations,
    revenue,
    tokens,
    vat_rates,
)
from domain.activity import Event
from domain.clients import Filter
from domain.consequences import ArchivePreview, DeletionPreview
from domain.contacts import Search
from domain.pages import Page, Span
from domain.projects import OfClient
from domain.registrations import Filter as Registered
from domain.registrations import Many
from domain.revenue import Revenue
from domain.scope import ReadScope
from domain.values import Period
from resolvers.batches import Loader

V = TypeVar("V")


class Loaders:
    """One query per relation per operation: the keys of a level are fetched together."""

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

    @property
    def clients(self) -> Loader[UUID, ClientRow | None]:
        return self._once(clients.by_id)

    @property
    def contacts(self) -> Loader[UUID, ContactRow | None]:
        return self._once(contacts.by_id)

    @property
    def labels(self) -> Loader[UUID, LabelRow | None]:
        return self._once(labels.by_id)

    @property
    def labels_of_client(self) -> Loader[UUID, list[ClientLabelRow]]:
        return self._once(labels.of_clients)

    @property
    def addresses_of_client(self) -> Loader[UUID, list[AddressRow]]:
        return self._once(clients.addresses)

    @property
    def financial_of_client(self) -> Loader[UUID, FinancialRow | None]:
        return self._once(finance.of_clients)

    @property
    def vat_rates(self) -> Loader[UUID, VatRateRow | None]:
        return self._once(vat_rates.by_id)

    @property
    def layouts(self) -> Loader[UUID, InvoiceLayoutRow | None]:
        return self._once(layouts.by_id)

    @property
    def invoices(self) -> Loader[UUID, InvoiceRow | None]:
        return self._once(finance.invoices_by_id)

    @property
    def projects(self) -> Loader[UUID, ProjectRow | None]:
        return self._once(projects.by_id)

    @property
    def quotes(self) -> Loader[UUID, QuoteRow | None]:
        return self._once(quotes.by_id)

    @property
    def lines_of_quote(self) -> Loader[UUID, list[QuoteLineRow]]:
        return self._once(quotes.lines)

    @property
    def portals(self) -> Loader[UUID, PortalRow | None]:
        return self._once(portals.by_id)

    @property
    def portals_of_client(self) -> Loader[UUID, list[PortalRow]]:
        return self._once(portals.of_clients)

    @property
    def projects_of_portal(self) -> Loader[UUID, list[PortalProjectRow]]:
        return self._once(portals.projects)

    @property
    def contacts_of_portal(self) -> Loader[UUID, list[PortalContactRow]]:
        return self._once(portals.contacts)

    @property
    def events(self) -> Loader[UUID, Event | None]:
        return self._once(activity.by_id)

    @property
    def organizations(self) -> Loader[UUID, OrganizationRow | None]:
        return self._once(organizations.by_id)

    @property
    def members(self) -> Loader[UUID, MemberRow | None]:
        return self._once(members.by_id)

    @property
    def tokens(self) -> Loader[UUID, TokenRow | None]:
        return self._once(tokens.by_id)

    @property
    def financial_of_project(self) -> Loader[UUID, ProjectFinancialRow | None]:
        return self._once(projects.financial)

    @property
    def archive_preview(self) -> Loader[UUID, ArchivePreview | None]:
        return self._once(consequences.of_archiving)

    @property
    def deletion_preview(self) -> Loader[UUID, DeletionPreview | None]:
        return self._once(consequences.of_deletion)

    @property
    def contacts_left_alone(self) -> Loader[UUID, list[ContactRow]]:
        return self._once(consequences.left_alone)

    @property
    def registrations(self) -> Loader[UUID, RegistrationRow | None]:
        return self._once(registrations.by_id)

    @property
    def financial_of_registration(self) -> Loader[UUID, RegistrationFinancialRow | None]:
        return self._once(registrations.financial)

    @property
    def labels_of_registration(self) -> Loader[UUID, list[RegistrationLabelRow]]:
        return self._once(registrations.labels)

    @property
    def registration_count(self) -> Loader[Many, int]:
        return self._once(registrations.counts)

    @property
    def client_count(self) -> Loader[Filter, int]:
        return self._once(clients.counts)

    @property
    def contact_count(self) -> Loader[Search, int]:
        return self._once(contacts.counts)

    @property
    def label_count(self) -> Loader[Search, int]:
        return self._once(labels.counts)

    @property
    def contact_count_of_client(self) -> Loader[UUID, int]:
        return self._once(contacts.counts_of_clients)

    @property
    def client_count_of_contact(self) -> Loader[UUID, int]:
        return self._once(clients.counts_of_contacts)

    @property
    def client_count_of_label(self) -> Loader[UUID, int]:
        return self._once(clients.counts_of_labels)

    @property
    def project_count_of_client(self) -> Loader[OfClient, int]:
        return self._once(projects.counts_of_clients)

    @property
    def invoice_count_of_client(self) -> Loader[UUID, int]:
        return self._once(finance.invoice_counts)

    @property
    def quote_count_of_client(self) -> Loader[UUID, int]:
        return self._once(quotes.counts)

    @property
    def event_count_of_client(self) -> Loader[UUID, int]:
        return self._once(activity.counts_of_clients)

    @property
    def event_count_of_contact(self) -> Loader[UUID, int]:
        return self._once(activity.counts_of_contacts)

    @property
    def vat_rate_count(self) -> Loader[UUID, int]:
        return self._once(vat_rates.counts)

    @property
    def layout_count(self) -> Loader[UUID, int]:
        return self._once(layouts.counts)

    @property
    def member_count(self) -> Loader[UUID, int]:
        return self._once(members.counts)

    @property
    def token_count(self) -> Loader[UUID, int]:
        return self._once(tokens.counts)

    def contacts_of_client(self, span: Span) -> Loader[UUID, Page[ClientContactRow]]:
        return self._once(contacts.of_clients, span=span)

    def clients_of_contact(self, span: Span) -> Loader[UUID, Page[ContactClientRow]]:
        return self._once(clients.of_contacts, span=span)

    def clients_of_label(self, span: Span) -> Loader[UUID, Page[LabelClientRow]]:
        return self._once(clients.of_labels, span=span)

    def projects_of_client(self, span: Span, *, is_archived: bool | None) -> Loader[UUID, Page[ProjectRow]]:
        return self._once(projects.of_clients, span=span, is_archived=is_archived)

    def registrations_of_client(self, wanted: Registered, span: Span) -> Loader[UUID, Page[RegistrationRow]]:
        return self._once(registrations.of_clients, wanted=wanted, span=span)

    def registrations_of_project(self, wanted: Registered, span: Span) -> Loader[UUID, Page[RegistrationRow]]:
        return self._once(registrations.of_projects, wanted=wanted, span=span)

    def invoices_of_client(self, span: Span) -> Loader[UUID, Page[InvoiceRow] | None]:
        return self._once(finance.invoices, span=span)

    def quotes_of_client(self, span: Span) -> Loader[UUID, Page[QuoteRow] | None]:
        return self._once(quotes.of_clients, span=span)

    def activity_of_client(self, span: Span) -> Loader[UUID, Page[Event]]:
        return self._once(activity.of_clients, span=span)

    def activity_of_contact(self, span: Span) -> Loader[UUID, Page[Event]]:
        return self._once(activity.of_contacts, span=span)

    def vat_rates_of_organization(self, span: Span) -> Loader[UUID, Page[VatRateRow] | None]:
        return self._once(vat_rates.of_organization, span=span)

    def layouts_of_organization(self, span: Span) -> Loader[UUID, Page[InvoiceLayoutRow] | None]:
        return self._once(layouts.of_organization, span=span)

    def members_of_organization(self, span: Span) -> Loader[UUID, Page[MemberRow]]:
        return self._once(members.of_organization, span=span)

    def tokens_of_organization(self, span: Span) -> Loader[UUID, Page[TokenRow] | None]:
        return self._once(tokens.of_organization, span=span)

    def revenue_of_client(self, period: Period) -> Loader[UUID, Revenue | None]:
        return self._once(revenue.by_client, period=period)

    def revenue_of_clients(self, period: Period) -> Loader[Filter, Revenue | None]:
        return self._once(revenue.of_all, period=period)

    def _once(self, batch: Callable[..., Awaitable[Sequence[V]]], **arguments: object) -> Loader[Any, V]:
        """One loader per set of arguments."""
        key = (batch, *arguments.items())
        loader = self._made.get(key)
        if loader is None:
            loader = self._made[key] = Loader(partial(batch, self._scope, **arguments))
        return loader
