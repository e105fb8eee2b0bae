"""Rules of clients."""

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeAlias

from pydantic.alias_generators import to_camel

from db import clients as rows
from db.paging import CursorPosition
from db.rows import ClientRow, ContactClientRow, LabelClientRow
from db.tables import AddressFields, ClientFields
from db.tables.base import Fields
from db.tables.clients import LAST_NUMBER_KEY
from domain.errors import BadInput
from domain.lookups import normalize_lookup, normalize_search
from domain.pages import Order, Page, PagesOfEach, Reading, Span
from domain.scope import Permission, ReadScope, Scope, require

Filter: TypeAlias = rows.ClientFilter
Sort: TypeAlias = rows.ClientSortField
Sorting: TypeAlias = rows.ClientSorting
addresses, counts_of_contacts, counts_of_labels = rows.addresses, rows.counts_of_contacts, rows.counts_of_labels

MOST_LABELS = 50
COMPARED: dict[str, type[Fields]] = {
    "country": AddressFields,
    "kvk_number": ClientFields,
    "vat_number": ClientFields,
}  # texts of a filter, by the fields they are of
PLACES: dict[Sort, Callable[[ClientRow], CursorPosition]] = {
    Sort.NAME: lambda row: (row.name_key, row.id),
    Sort.NUMBER: lambda row: (row.number_key or LAST_NUMBER_KEY, row.id),
    Sort.CREATED_AT: lambda row: (row.created_at, row.id),
    Sort.UPDATED_AT: lambda row: (row.updated_at, row.id),
}


async def page(scope: ReadScope, wanted: Filter, sorting: Sorting, span: Span) -> Page[ClientRow]:
    """Clients of the organization that are wanted, in an order."""
    scope.must(Permission.CLIENTS_READ)
    wanted = _checked(wanted)
    name = f"clients.{sorting.field.lower()}.{'up' if sorting.is_ascending else 'down'}"
    reading = Reading.of(Order(name, PLACES[sorting.field], is_ascending=sorting.is_ascending), scope.cursors, span)
    return reading.page(await rows.page(scope, wanted, sorting.field, reading.part), wanted)


def _checked(wanted: Filter) -> Filter:
    if any(len(labels or ()) > MOST_LABELS for labels in (wanted.labels_any, wanted.labels_all, wanted.labels_none)):
        raise BadInput(f"`labels` takes at most {MOST_LABELS} of each.")
    given = {name: text for name in COMPARED if (text := getattr(wanted, name)) is not None}
    if wanted.search is None and not given:
        return wanted
    stored: dict[str, Any] = {name: normalize_lookup(COMPARED[name], name, text, to_camel(name)) for name, text in given.items()}
    return replace(wanted, search=normalize_search(wanted.search), **stored)


async def by_number(scope: Scope, number: str) -> ClientRow | None:
    scope.must(Permission.CLIENTS_READ)
    return await rows.by_number(scope, normalize_lookup(ClientFields, "number", number, "number"))


counts = require(Permission.CLIENTS_READ, rows.counts)
"""How many there are of each filter."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)

OF_CONTACT: Order[ContactClientRow] = Order("contact.clients.name", attrgetter("name_key", "id"))
OF_LABEL: Order[LabelClientRow] = Order("label.clients.name", attrgetter("name_key", "id"))
of_contacts = require(Permission.CLIENTS_READ, PagesOfEach(OF_CONTACT, rows.of_contacts))
"""The clients of each contact by name."""
of_labels = require(Permission.CLIENTS_READ, PagesOfEach(OF_LABEL, rows.of_labels))
"""The clients of each label by name."""
