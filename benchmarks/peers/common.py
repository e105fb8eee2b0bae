"""What Ariadne and Graphene share: the product's statements by asyncpg, rows as dicts named as the fields, and a DataLoader per relation.

It imports nothing of the product: it runs among other versions of the packages.
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

Shown = dict[str, Any]
Period = tuple[date, date]
GIVEN = json.loads(Path(os.environ["PEER_STATEMENTS"]).read_text())
EVER = date.fromisoformat(GIVEN["since"]), date.fromisoformat(GIVEN["until"])
CONTACTS = 25
POOL = 8
PREFIX = "cli_"  # of the ids of clients
pools: list[asyncpg.Pool] = []


class _Reader(asyncpg.Connection):
    def get_reset_query(self) -> str:
        return ""


async def rows(name: str, **given: object) -> list[Shown]:
    if not pools:
        pools.append(await asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], min_size=POOL, max_size=POOL, connection_class=_Reader))
    statement, values = GIVEN["statements"][name], {"tenant": GIVEN["tenant"], **given}
    async with pools[0].acquire() as connection:
        found = await connection.fetch(statement["text"], *(values[parameter] for parameter in statement["parameters"]))
    return [dict(row) for row in found]


async def clients(status: str, first: int, after: str | None) -> Shown:
    key, id_ = json.loads(b64decode(after)) if after else (None, None)
    found = await rows(f"clients {status}{' next' if after else ''}", count=first + 1, after_key=key, after_id=id_)
    edges = [{"cursor": _cursor(row), "node": _client(row)} for row in found[:first]]
    place = {"startCursor": edges[0]["cursor"], "endCursor": edges[-1]["cursor"]} if edges else {"startCursor": None, "endCursor": None}
    return {"edges": edges, "pageInfo": {"hasNextPage": len(found) > first, "hasPreviousPage": bool(after), **place}}


async def client(id_: str) -> Shown | None:
    found = await rows("client", ids=[urlsafe_b64decode(id_.removeprefix(PREFIX) + "==").hex()])
    return _client(found[0]) if found else None


def _client(row: Shown) -> Shown:
    row["id"] = PREFIX + urlsafe_b64encode(row["key"].bytes).decode()[:-2]
    return row


def _cursor(row: Shown) -> str:
    return b64encode(json.dumps([row["nameKey"], str(row["key"])]).encode()).decode()


def _grouped(found: Sequence[Shown], ids: Sequence[object]) -> list[list[Shown]]:
    groups: dict[object, list[Shown]] = {key: [] for key in ids}
    for row in found:
        groups[row["clientId"]].append(row)
    return list(groups.values())


async def _contacts(ids: list[object]) -> list[Shown]:
    found = _grouped(await rows("contacts", ids=ids, size=CONTACTS), ids)
    return [{"edges": [{"isInvoiceContact": row["isInvoiceContact"], "node": row} for row in group[:CONTACTS]]} for group in found]


async def _labels(ids: list[object]) -> list[list[Shown]]:
    return _grouped(await rows("labels", ids=ids), ids)


async def _revenue(ids: list[object], period: Period) -> list[Shown]:
    totals = {row["clientId"]: row for row in await rows("revenue", ids=ids, start=period[0], end=period[1]) if row["isTotal"]}
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


def kept(schema: GraphQLSchema) -> tuple[Callable[[str], DocumentNode], Callable[[DocumentNode], list[GraphQLError]]]:
    """Documents are parsed and validated once: neither library does it by itself."""
    validated: dict[int, tuple[DocumentNode, list[GraphQLError]]] = {}

    def errors(document: DocumentNode) -> list[GraphQLError]:
        if id(document) not in validated:
            validated[id(document)] = document, validate(schema, document)
        return validated[id(document)][1]

    return cache(parse), errors
