"""Every loader of an operation, made on first use."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property, partial
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
        for loader in self._all():
            loader.stop()

    def forget(self) -> None:
        """What was read, once the operation has ended: graphql-core holds its context in a ring, which would keep it all."""
        for loader in self._all():
            loader.forget()

    def _all(self) -> list[Loader[Any, Any]]:
        return [loader for loader in (*vars(self).values(), *self._made.values()) if isinstance(loader, Loader)]

    @cached_property
    def clients(self) -> Loader[UUID, ClientRow | None]:
        return Loader(partial(clients.by_id, self._scope))

    @cached_property
    def contacts(self) -> Loader[UUID, ContactRow | None]:
        return Loader(partial(contacts.by_id, self._scope))

    @cached_property
    def labels(self) -> Loader[UUID, LabelRow | None]:
        return Loader(partial(labels.by_id, self._scope))

    @cached_property
    def labels_of_client(self) -> Loader[UUID, list[ClientLabelRow]]:
        return Loader(partial(labels.of_clients, self._scope))

    @cached_property
    def addresses_of_client(self) -> Loader[UUID, list[AddressRow]]:
        return Loader(partial(clients.addresses, self._scope))

    @cached_property
    def financial_of_client(self) -> Loader[UUID, FinancialRow | None]:
        return Loader(partial(finance.of_clients, self._scope))

    @cached_property
    def vat_rates(self) -> Loader[UUID, VatRateRow | None]:
        return Loader(partial(vat_rates.by_id, self._scope))

    @cached_property
    def layouts(self) -> Loader[UUID, InvoiceLayoutRow | None]:
        return Loader(partial(layouts.by_id, self._scope))

    @cached_property
    def invoices(self) -> Loader[UUID, InvoiceRow | None]:
        return Loader(partial(finance.invoices_by_id, self._scope))

    @cached_property
    def projects(self) -> Loader[UUID, ProjectRow | None]:
        return Loader(partial(projects.by_id, self._scope))

    @cached_property
    def quotes(self) -> Loader[UUID, QuoteRow | None]:
        return Loader(partial(quotes.by_id, self._scope))

    @cached_property
    def lines_of_quote(self) -> Loader[UUID, list[QuoteLineRow]]:
        return Loader(partial(quotes.lines, self._scope))

    @cached_property
    def portals(self) -> Loader[UUID, PortalRow | None]:
        return Loader(partial(portals.by_id, self._scope))

    @cached_property
    def portals_of_client(self) -> Loader[UUID, list[PortalRow]]:
        return Loader(partial(portals.of_clients, self._scope))

    @cached_property
    def projects_of_portal(self) -> Loader[UUID, list[PortalProjectRow]]:
        return Loader(partial(portals.projects, self._scope))

    @cached_property
    def contacts_of_portal(self) -> Loader[UUID, list[PortalContactRow]]:
        return Loader(partial(portals.contacts, self._scope))

    @cached_property
    def events(self) -> Loader[UUID, Event | None]:
        return Loader(partial(activity.by_id, self._scope))

    @cached_property
    def organizations(self) -> Loader[UUID, OrganizationRow | None]:
        return Loader(partial(organizations.by_id, self._scope))

    @cached_property
    def members(self) -> Loader[UUID, MemberRow | None]:
        return Loader(partial(members.by_id, self._scope))

    @cached_property
    def tokens(self) -> Loader[UUID, TokenRow | None]:
        return Loader(partial(tokens.by_id, self._scope))

    @cached_property
    def financial_of_project(self) -> Loader[UUID, ProjectFinancialRow | None]:
        return Loader(partial(projects.financial, self._scope))

    @cached_property
    def archive_preview(self) -> Loader[UUID, ArchivePreview | None]:
        return Loader(partial(consequences.of_archiving, self._scope))

    @cached_property
    def deletion_preview(self) -> Loader[UUID, DeletionPreview | None]:
        return Loader(partial(consequences.of_deletion, self._scope))

    @cached_property
    def contacts_left_alone(self) -> Loader[UUID, list[ContactRow]]:
        return Loader(partial(consequences.left_alone, self._scope))

    @cached_property
    def registrations(self) -> Loader[UUID, RegistrationRow | None]:
        return Loader(partial(registrations.by_id, self._scope))

    @cached_property
    def financial_of_registration(self) -> Loader[UUID, RegistrationFinancialRow | None]:
        return Loader(partial(registrations.financial, self._scope))

    @cached_property
    def labels_of_registration(self) -> Loader[UUID, list[RegistrationLabelRow]]:
        return Loader(partial(registrations.labels, self._scope))

    @cached_property
    def registration_count(self) -> Loader[Many, int]:
        return Loader(partial(registrations.counts, self._scope))

    @cached_property
    def client_count(self) -> Loader[Filter, int]:
        return Loader(partial(clients.counts, self._scope))

    @cached_property
    def contact_count(self) -> Loader[Search, int]:
        return Loader(partial(contacts.counts, self._scope))

    @cached_property
    def label_count(self) -> Loader[Search, int]:
        return Loader(partial(labels.counts, self._scope))

    @cached_property
    def contact_count_of_client(self) -> Loader[UUID, int]:
        return Loader(partial(contacts.counts_of_clients, self._scope))

    @cached_property
    def client_count_of_contact(self) -> Loader[UUID, int]:
        return Loader(partial(clients.counts_of_contacts, self._scope))

    @cached_property
    def client_count_of_label(self) -> Loader[UUID, int]:
        return Loader(partial(clients.counts_of_labels, self._scope))

    @cached_property
    def project_count_of_client(self) -> Loader[OfClient, int]:
        return Loader(partial(projects.counts_of_clients, self._scope))

    @cached_property
    def invoice_count_of_client(self) -> Loader[UUID, int]:
        return Loader(partial(finance.invoice_counts, self._scope))

    @cached_property
    def quote_count_of_client(self) -> Loader[UUID, int]:
        return Loader(partial(quotes.counts, self._scope))

    @cached_property
    def event_count_of_client(self) -> Loader[UUID, int]:
        return Loader(partial(activity.counts_of_clients, self._scope))

    @cached_property
    def event_count_of_contact(self) -> Loader[UUID, int]:
        return Loader(partial(activity.counts_of_contacts, self._scope))

    @cached_property
    def vat_rate_count(self) -> Loader[UUID, int]:
        return Loader(partial(vat_rates.counts, self._scope))

    @cached_property
    def layout_count(self) -> Loader[UUID, int]:
        return Loader(partial(layouts.counts, self._scope))

    @cached_property
    def member_count(self) -> Loader[UUID, int]:
        return Loader(partial(members.counts, self._scope))

    @cached_property
    def token_count(self) -> Loader[UUID, int]:
        return Loader(partial(tokens.counts, self._scope))

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
        if key not in self._made:
            self._made[key] = Loader(partial(batch, self._scope, **arguments))
        return self._made[key]
