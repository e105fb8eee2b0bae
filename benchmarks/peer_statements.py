"""The product's own statements, for the peers and the bound: text and parameters come from its queries, so that none is written twice."""

import json
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from strawberry.utils.str_converters import to_camel_case

from db import demo
from db.engine.statement import Query
from db.queries import clients, contacts, labels, revenue

SHAPES = {"ALL": (), "ACTIVE": clients.ClientFilter(is_archived=False).shape, "ARCHIVED": clients.ClientFilter(is_archived=True).shape}
SCALARS = ("name", "number", "kind", "email", "phone", "website", "language", "kvk_number", "vat_number", "archived_at", "version")
CLIENT = ("key", "name_key", *SCALARS)
CONTACT = ("client_id", "is_invoice_contact", "first_name", "last_name", "email")
LABEL = ("client_id", "name", "color")
REVENUE = ("client_id", "is_total", "currency", "invoiced", "paid", "outstanding")


class NamedValues(dict[str, object]):
    """Values of which each is its own name: a query puts them in its order."""

    def __missing__(self, name: str) -> str:
        return name


class SharedQuery(NamedTuple):
    """A query, and the columns that the peers show of it."""

    query: Query[Any]
    columns: tuple[str, ...]


def page_query(status: str, *, is_next: bool = False) -> Query[Any]:
    return clients._page(clients.ClientSortField.NAME, SHAPES[status], is_ascending=True, is_next=is_next)  # noqa: SLF001 the product's own


def contacts_query() -> Query[Any]:
    """Of clients with few contacts, as all are here."""
    return contacts._all_per_client()  # noqa: SLF001


def revenue_query() -> Query[Any]:
    """For a period of whole months, as all are here."""
    return revenue._by_client((), has_currencies=False)  # noqa: SLF001


def shared_queries() -> dict[str, SharedQuery]:
    pages = {
        f"clients {status}{' next' if is_next else ''}": SharedQuery(page_query(status, is_next=is_next), CLIENT)
        for status, is_next in product(SHAPES, (False, True))
    }
    return pages | {
        "client": SharedQuery(clients.BY_ID, CLIENT),
        "contacts": SharedQuery(contacts_query(), CONTACT),
        "labels": SharedQuery(labels.OF_CLIENTS, LABEL),
        "revenue": SharedQuery(revenue_query(), REVENUE),
    }


def write_statements(to: Path) -> None:
    """As JSON: each statement around the product's text names the columns as the fields are named, for drivers that cannot."""
    statements_by_name = {
        name: {"text": _with_field_names(each), "parameters": [str(value) for value in each.query.arguments(NamedValues())]}
        for name, each in shared_queries().items()
    }
    fixed_values = {"tenant": str(demo.TENANT), "since": str(date.min), "until": str(date.max)}
    to.write_text(json.dumps(fixed_values | {"statements": statements_by_name}))


def _with_field_names(each: SharedQuery) -> str:
    """The key of a client is its `id`; the peers show another."""
    column_list = (f'"{"id" if name == "key" else name}" AS "{to_camel_case(name)}"' for name in each.columns)
    return f"SELECT {', '.join(column_list)} FROM ({each.query.sql}) AS found"  # noqa: S608 the product's own text
