"""Define attacks by documents that are expensive to reject, expensive to answer, or different in every request."""

from collections.abc import Callable
from hashlib import sha256
from itertools import count
from random import random

from graphql import get_introspection_query

from benchmarks import hostile_documents
from benchmarks.attacks.scenario import Attack, Body, Victim, post_repeatedly

SERIAL = count()
CROWD = 2_000
EXPENSIVE = "{ clients(first: 100) { nodes { name contacts(first: 90) { nodes { fullName email } } } } }"
SMALLER = "{ clients(first: 10) { nodes { name contacts(first: 3) { nodes { fullName email } } } } }"
BULK = "mutation ($x: ClientBulkUpsertInput!) { clientBulkUpsert(input: $x) { results { action } userErrors { code } } }"
TOTALS = "{ " + " ".join(f"a{n}: registrations(filter: {{kind: TIME, isBillable: true}}) {{ totalCount }}" for n in range(20)) + " }"


Make = Callable[[], Body]


def make_unique(make: Callable[[], str]) -> Make:
    """Give the document a new name, so that it is parsed each time."""
    return lambda: {"query": f"query A{next(SERIAL)} {make()}"}


def build_persisted_query() -> Body:
    text = hostile_documents.unique_document()
    return {"query": text, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}}


def build_bulk_upsert() -> Body:
    clients = [{"name": f"Client {random()}", "number": f"N{next(SERIAL)}-{random()}"} for _ in range(100)]
    return {"query": BULK, "variables": {"x": {"clients": clients}}}


ATTACKS = (
    Attack("fragment lattice of 120 levels", post_repeatedly(make_unique(hostile_documents.fragment_lattice))),
    Attack("5,000 aliases", post_repeatedly(make_unique(hostile_documents.many_aliases))),
    Attack("10,000 conflicting fields", post_repeatedly(make_unique(hostile_documents.conflicting_fields))),
    Attack("195 conflicting fields", post_repeatedly(make_unique(hostile_documents.conflicts_within_limits))),
    Attack("99 entangled fields", post_repeatedly(make_unique(hostile_documents.equal_nested_fields))),
    Attack("deep nesting", post_repeatedly(make_unique(hostile_documents.deep_fields))),
    Attack("most expensive query", post_repeatedly(lambda: {"query": EXPENSIVE})),
    Attack("2,000 requests at once", post_repeatedly(lambda: {"query": SMALLER}, connections=CROWD, pause_s=1)),
    Attack("introspection", post_repeatedly(lambda: {"query": get_introspection_query()})),
    Attack("bulk upserts of 100", post_repeatedly(build_bulk_upsert)),
    Attack("20 totals of registrations", post_repeatedly(lambda: {"query": TOTALS})),
    Attack(
        "a colleague's new documents",
        post_repeatedly(lambda: {"query": hostile_documents.unique_document()}, connections=50, role="VIEWER"),
        Victim.COLLEAGUE,
    ),
    Attack("persisted, always different", post_repeatedly(build_persisted_query), max_growth_mib=100),
)
