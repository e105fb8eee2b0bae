"""Export the product's statements for the peers and the baseline. Texts and parameters come from its queries, so none is written twice."""

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
    """A mapping in which each value is its own name, to find the order of a query's parameters."""

    def __missing__(self, name: str) -> str:
        return name


class SharedQuery(NamedTuple):
    """A query, and the columns of it that the peers show."""

    query: Query[Any]
    columns: tuple[str, ...]


def page_query(status: str, *, is_next: bool = False) -> Query[Any]:
    return clients._page(clients.ClientSortField.NAME, SHAPES[status], is_ascending=True, is_next=is_next)  # noqa: SLF001 the statement of the product


def contacts_query() -> Query[Any]:
    """Return the statement for clients with few contacts, since all clients of the demo data have few."""
    return contacts._all_per_client()  # noqa: SLF001


def revenue_query() -> Query[Any]:
    """Return the statement for periods of whole months, since all cases have such periods."""
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
    """Write the statements as JSON. Each wraps the product's text and names columns as the fields, for drivers that cannot rename."""
    statements_by_name = {
        name: {"text": _with_field_names(each), "parameters": [str(value) for value in each.query.arguments(NamedValues())]}
        for name, each in shared_queries().items()
    }
    fixed_values = {"tenant": str(demo.TENANT), "since": str(date.min), "until": str(date.max)}
    to.write_text(json.dumps(fixed_values | {"statements": statements_by_name}))


def _with_field_names(each: SharedQuery) -> str:
    """Wrap the statement so that its columns have the names of the GraphQL fields. `key` is the column `id`: the peers show another id."""
    column_list = (f'"{"id" if name == "key" else name}" AS "{to_camel_case(name)}"' for name in each.columns)
    return f"SELECT {', '.join(column_list)} FROM ({each.query.sql}) AS found"  # noqa: S608 a constant text of the product
