"""Share code between Ariadne and Graphene: run the product's statements with asyncpg, and load relations with DataLoaders.

Rows are dicts with the names of the fields. This module imports nothing of the product, since it runs with other versions of the packages.
"""

import json
import os
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

import asyncpg
from aiodataloader import DataLoader
from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, validate

Record = dict[str, Any]
Period = tuple[date, date]
STATEMENTS = json.loads(Path(os.environ["PEER_STATEMENTS"]).read_text())
EVER = date.fromisoformat(STATEMENTS["since"]), date.fromisoformat(STATEMENTS["until"])
CONTACTS = 25
POOL = 8
PREFIX = "cli_"  # prefix of client ids
pools: list[asyncpg.Pool] = []


class _Reader(asyncpg.Connection):
    def get_reset_query(self) -> str:
        return ""


async def fetch_rows(name: str, **parameter_values: object) -> list[Record]:
    if not pools:
        pools.append(await asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], min_size=POOL, max_size=POOL, connection_class=_Reader))
    statement, values = STATEMENTS["statements"][name], {"tenant": STATEMENTS["tenant"], **parameter_values}
    async with pools[0].acquire() as connection:
        records = await connection.fetch(statement["text"], *(values[parameter] for parameter in statement["parameters"]))
    return [dict(row) for row in records]


async def fetch_clients(status: str, first: int, after: str | None) -> Record:
    key, id_ = json.loads(b64decode(after)) if after else (None, None)
    client_rows = await fetch_rows(f"clients {status}{' next' if after else ''}", count=first + 1, after_key=key, after_id=id_)
    edges = [{"cursor": _cursor(row), "node": _client(row)} for row in client_rows[:first]]
    page_bounds = (
        {"startCursor": edges[0]["cursor"], "endCursor": edges[-1]["cursor"]} if edges else {"startCursor": None, "endCursor": None}
    )
    return {"edges": edges, "pageInfo": {"hasNextPage": len(client_rows) > first, "hasPreviousPage": bool(after), **page_bounds}}


async def fetch_client(id_: str) -> Record | None:
    client_rows = await fetch_rows("client", ids=[urlsafe_b64decode(id_.removeprefix(PREFIX) + "==").hex()])
    return _client(client_rows[0]) if client_rows else None


def _client(row: Record) -> Record:
    row["id"] = PREFIX + urlsafe_b64encode(row["key"].bytes).decode()[:-2]
    return row


def _cursor(row: Record) -> str:
    return b64encode(json.dumps([row["nameKey"], str(row["key"])]).encode()).decode()


def _group_by_client(rows: Sequence[Record], ids: Sequence[object]) -> list[list[Record]]:
    groups: dict[object, list[Record]] = {key: [] for key in ids}
    for row in rows:
        groups[row["clientId"]].append(row)
    return list(groups.values())


async def _contacts(ids: list[object]) -> list[Record]:
    contact_rows = _group_by_client(await fetch_rows("contacts", ids=ids, size=CONTACTS), ids)
    return [{"edges": [{"isInvoiceContact": row["isInvoiceContact"], "node": row} for row in group[:CONTACTS]]} for group in contact_rows]


async def _labels(ids: list[object]) -> list[list[Record]]:
    return _group_by_client(await fetch_rows("labels", ids=ids), ids)


async def _revenue(ids: list[object], period: Period) -> list[Record]:
    totals = {row["clientId"]: row for row in await fetch_rows("revenue", ids=ids, start=period[0], end=period[1]) if row["isTotal"]}
    names = ("invoiced", "paid", "outstanding")
    return [{name: {"amount": totals[key][name], "currency": totals[key]["currency"]} for name in names} for key in ids]


class Context:
    """The loaders of a request."""

    def __init__(self) -> None:
        self.contacts = DataLoader(_contacts)
        self.labels = DataLoader(_labels)
        self._revenue: dict[Period, DataLoader[Any, Any]] = {}

    def revenue(self, since: date | None, until: date | None) -> DataLoader[Any, Any]:
        period = since or EVER[0], until or EVER[1]
        if period not in self._revenue:
            self._revenue[period] = DataLoader(partial(_revenue, period=period))
        return self._revenue[period]


def cache_documents(schema: GraphQLSchema) -> tuple[Callable[[str], DocumentNode], Callable[[DocumentNode], list[GraphQLError]]]:
    """Return functions that parse and validate each document only once. Neither library has such a cache."""
    documents_by_hash: dict[int, tuple[DocumentNode, list[GraphQLError]]] = {}

    def validate_document(document: DocumentNode) -> list[GraphQLError]:
        if id(document) not in documents_by_hash:
            documents_by_hash[id(document)] = document, validate(schema, document)
        return documents_by_hash[id(document)][1]

    return cache(parse), validate_document
