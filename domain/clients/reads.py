"""Read clients, one by one, by page, and by contact or label."""

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeAlias

from pydantic.alias_generators import to_camel

from db.queries import client_finance
from db.queries import clients as rows
from db.rows import ClientRow, ContactClientRow, LabelClientRow
from db.sql.pagination import CursorPosition
from db.tables import AddressFields, ClientFields
from db.tables.base import Fields
from db.tables.clients import LAST_NUMBER_KEY
from domain.core.errors import BadInput
from domain.core.lookups import normalize_lookup, normalize_search
from domain.core.pagination import Page, PagePerParentReader, PageReader, PageRequest, SortOrder
from domain.core.scope import Permission, ReadScope, Scope, hide_without, require

Filter: TypeAlias = rows.ClientFilter
Sort: TypeAlias = rows.ClientSortField
Sorting: TypeAlias = rows.ClientSorting
addresses, counts_of_contacts, counts_of_labels = rows.addresses, rows.counts_of_contacts, rows.counts_of_labels

MAX_FILTER_LABELS = 50
LOOKUP_FIELDS: dict[str, type[Fields]] = {
    "country": AddressFields,
    "kvk_number": ClientFields,
    "vat_number": ClientFields,
}  # text filters, with the field set that normalizes each of them
POSITIONS: dict[Sort, Callable[[ClientRow], CursorPosition]] = {
    Sort.NAME: lambda row: (row.name_key, row.id),
    Sort.NUMBER: lambda row: (row.number_key or LAST_NUMBER_KEY, row.id),
    Sort.CREATED_AT: lambda row: (row.created_at, row.id),
    Sort.UPDATED_AT: lambda row: (row.updated_at, row.id),
}


async def page(scope: ReadScope, criteria: Filter, sorting: Sorting, page_request: PageRequest) -> Page[ClientRow]:
    """Return a page of the organization's clients that match the filter."""
    scope.require(Permission.CLIENTS_READ)
    criteria = _validate_filter(criteria)
    name = f"clients.{sorting.field.lower()}.{'up' if sorting.is_ascending else 'down'}"
    reader = PageReader.of(SortOrder(name, POSITIONS[sorting.field], is_ascending=sorting.is_ascending), scope.cursors, page_request)
    return reader.page(await rows.page(scope, criteria, sorting.field, reader.page_slice), criteria)


def _validate_filter(criteria: Filter) -> Filter:
    if any(len(labels or ()) > MAX_FILTER_LABELS for labels in (criteria.labels_any, criteria.labels_all, criteria.labels_none)):
        raise BadInput(f"Each list in `labels` must have at most {MAX_FILTER_LABELS} entries.")
    texts = {name: text for name in LOOKUP_FIELDS if (text := getattr(criteria, name)) is not None}
    if criteria.search is None and not texts:
        return criteria
    normalized_texts: dict[str, Any] = {
        name: normalize_lookup(LOOKUP_FIELDS[name], name, text, to_camel(name)) for name, text in texts.items()
    }
    return replace(criteria, search=normalize_search(criteria.search), **normalized_texts)


async def by_number(scope: Scope, number: str) -> ClientRow | None:
    scope.require(Permission.CLIENTS_READ)
    return await rows.by_number(scope, normalize_lookup(ClientFields, "number", number, "number"))


counts = require(Permission.CLIENTS_READ, rows.counts)
"""Return the number of clients for each filter."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)
financial_settings = hide_without(Permission.FINANCE_READ, client_finance.of_clients)
"""Return the financial settings of each client. Callers without FINANCE_READ get None, not an error."""

OF_CONTACT: SortOrder[ContactClientRow] = SortOrder("contact.clients.name", attrgetter("name_key", "id"))
LABEL_CLIENTS_BY_NAME: SortOrder[LabelClientRow] = SortOrder("label.clients.name", attrgetter("name_key", "id"))
of_contacts = require(Permission.CLIENTS_READ, PagePerParentReader(OF_CONTACT, rows.of_contacts))
"""Return the clients of each contact by name."""
of_labels = require(Permission.CLIENTS_READ, PagePerParentReader(LABEL_CLIENTS_BY_NAME, rows.of_labels))
"""Return the clients of each label by name."""
