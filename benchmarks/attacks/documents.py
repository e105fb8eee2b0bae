"""Attacks by documents: dear to refuse, dear to answer, or never the same twice."""

from collections.abc import Callable
from hashlib import sha256
from itertools import count
from random import random

from graphql import get_introspection_query

from benchmarks import hostile
from benchmarks.attacks.scene import Attack, Body, Victim, posting

SERIAL = count()
CROWD = 2_000
DEAR = "{ clients(first: 100) { nodes { name contacts(first: 90) { nodes { fullName email } } } } }"
SMALLER = "{ clients(first: 10) { nodes { name contacts(first: 3) { nodes { fullName email } } } } }"
BULK = "mutation ($x: ClientBulkUpsertInput!) { clientBulkUpsert(input: $x) { results { action } userErrors { code } } }"
TOTALS = "{ " + " ".join(f"a{n}: registrations(filter: {{kind: TIME, isBillable: true}}) {{ totalCount }}" for n in range(20)) + " }"


Make = Callable[[], Body]


def new(make: Callable[[], str]) -> Make:
    """The document under a name that nobody sent before, so that it is read each time."""
    return lambda: {"query": f"query A{next(SERIAL)} {make()}"}


def persisted() -> Body:
    text = hostile.unique()
    return {"query": text, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}}


def bulk() -> Body:
    clients = [{"name": f"Client {random()}", "number": f"N{next(SERIAL)}-{random()}"} for _ in range(100)]
    return {"query": BULK, "variables": {"x": {"clients": clients}}}


ATTACKS = (
    Attack("fragment lattice of 120 levels", posting(new(hostile.lattice))),
    Attack("5,000 aliases", posting(new(hostile.aliases))),
    Attack("10,000 conflicting fields", posting(new(hostile.conflicts))),
    Attack("195 conflicting fields", posting(new(hostile.conflicts_within))),
    Attack("99 entangled fields", posting(new(hostile.entangled))),
    Attack("deep nesting", posting(new(hostile.deep))),
    Attack("the dearest there may be", posting(lambda: {"query": DEAR})),
    Attack("2,000 requests at once", posting(lambda: {"query": SMALLER}, connections=CROWD, pause_s=1)),
    Attack("introspection", posting(lambda: {"query": get_introspection_query()})),
    Attack("bulk upserts of 100", posting(bulk)),
    Attack("20 totals of registrations", posting(lambda: {"query": TOTALS})),
    Attack("a colleague's new documents", posting(lambda: {"query": hostile.unique()}, connections=50, role="VIEWER"), Victim.COLLEAGUE),
    Attack("persisted, never the same", posting(persisted), max_growth_mib=100),
)
