"""What the servers of the comparison are sent: never the same twice, and the same for all of them."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from benchmarks.bodies import REQUEST, Active, Bodies
from benchmarks.cases import COUNT, cases_of
from benchmarks.compare import check_equal
from benchmarks.queries import CURSORS, POSTGRAPHILE, asked, key_of
from benchmarks.servers import BOUND, MORE, OURS, USUAL
from benchmarks.wrk import MARKER, fill_marker, least_bytes, new_run
from schema.build import build

CLIENTS = [Active(UUID(int=number), f"client {number:03}") for number in range(188)]
SERVERS = (OURS, *USUAL, *MORE)
QUERIES = asked("")
BODIES = Bodies(CLIENTS, {server: [f"{server} {number}" for number in range(len(CLIENTS))] for server in SERVERS})
CASES = {name: cases_of(name, len(CLIENTS)) for name in QUERIES}
SCHEMAS = {
    "product": build()._schema,  # noqa: SLF001
    "peers": build_schema((Path(__file__).parents[2] / "benchmarks" / "peers" / "schema.graphql").read_text()),
}


def different(server: str, name: str) -> list[str]:
    return BODIES.different(server, QUERIES[name], CASES[name])


@pytest.mark.parametrize("server", [*SERVERS, BOUND])
@pytest.mark.parametrize("name", QUERIES)
def test_no_body_is_sent_twice(server: str, name: str) -> None:
    """Neither within the list nor when it comes round again, nor in a later run."""
    bodies = different(server, name)
    runs = [fill_marker(bodies[number % COUNT], run, number) for run in (new_run(), new_run()) for number in range(3 * COUNT)]
    assert len(set(runs)) == len(runs)
    assert all(body.count(MARKER) == 1 for body in bodies)
    assert {len(sent) for sent in runs} == {len(body) for body in bodies}


@pytest.mark.parametrize("name", QUERIES)
def test_bodies_differ_in_more_than_the_number(name: str) -> None:
    assert len({body.replace(MARKER, "") for body in different(OURS, name)}) == COUNT


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", QUERIES)
def test_the_document_of_a_query_is_one_text(server: str, name: str) -> None:
    """So that a server's cache of documents works, as it does for an application's own documents. None declares the number."""
    (text,) = {json.loads(body)["query"] for body in different(server, name)}
    assert REQUEST not in text


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", QUERIES)
def test_all_servers_are_sent_the_same(server: str, name: str) -> None:
    """In the same order. Cursors are a server's own; PostGraphile has other names for the same and takes keys."""
    for ours, theirs in zip(different(OURS, name), different(server, name), strict=True):
        wanted, sent = json.loads(ours), json.loads(theirs)
        if wanted["variables"].get("after"):
            wanted["variables"]["after"] = wanted["variables"]["after"].replace(OURS, server)
        if server == POSTGRAPHILE:
            wanted["query"] = sent["query"]
            wanted["variables"] |= {"id": key_of(wanted["variables"]["id"])} if "id" in wanted["variables"] else {}
        assert sent == wanted


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
@pytest.mark.parametrize("text", [CURSORS, *(query.text for query in QUERIES.values())], ids=["cursors", *QUERIES])
def test_documents_are_valid_for_the_product_and_its_peers(schema: GraphQLSchema, text: str) -> None:
    assert validate(schema, parse(text)) == []


@pytest.mark.parametrize("server", [*SERVERS, BOUND])
@pytest.mark.parametrize("name", QUERIES)
def test_the_repeated_body_is_that_of_the_first_case(server: str, name: str) -> None:
    repeated, first = json.loads(BODIES.repeated(server, QUERIES[name], CASES[name])), json.loads(different(server, name)[0])
    where = first if server == BOUND else first["variables"]
    assert where.pop(REQUEST) == MARKER
    assert repeated == first


def test_the_bound_is_told_of_cases_in_the_order_of_all() -> None:
    assert [json.loads(body)["case"] for body in different(BOUND, "Q1")] == list(range(COUNT))


def test_the_bound_asks_the_database_for_the_same() -> None:
    """A page behind the client before its first, one more than are shown; one client by its key."""
    first, second = CASES["Q1"][:2]
    period = {"start": "2026-01-01", "end": "2026-12-31"}
    assert BODIES.arguments(first) == {"count": 51, **period}
    before = CLIENTS[second.position - 1]
    assert BODIES.arguments(second) == {
        "count": 41,
        "after_key": before.name_key,
        "after_id": str(before.key),
        "start": "2025-01-01",
        "end": "2025-12-31",
    }
    assert BODIES.arguments(CASES["Q2"][0]) == {"ids": [str(CLIENTS[0].key)], **period}
    assert BODIES.arguments(CASES["Q4"][0])["count"] == 51


def page(name: str, *, has_previous: bool, cursor: str | None = "own") -> dict[str, object]:
    return {"data": {"clients": {"edges": [{"cursor": cursor, "node": {"name": name}}], "pageInfo": {"hasPreviousPage": has_previous}}}}


def test_every_case_is_compared() -> None:
    expected = [page("A", has_previous=False), page("B", has_previous=True)]
    check_equal("Q1: peer", "peer", [page("A", has_previous=False, cursor="other"), page("B", has_previous=True)], expected)
    with pytest.raises(AssertionError, match=r"Q1: peer answers something else in case 1: .*'name': 'C'"):
        check_equal("Q1: peer", "peer", [page("A", has_previous=False), page("C", has_previous=True)], expected)
    with pytest.raises(AssertionError, match="in case 0"):
        check_equal("Q1: peer", "peer", [page("A", has_previous=False, cursor=None), page("B", has_previous=True)], expected)
    with pytest.raises(ValueError, match="longer"):
        check_equal("Q1: peer", "peer", expected[:1], expected)


def test_only_postgraphile_may_know_of_no_page_before() -> None:
    found, expected = [page("B", has_previous=False)], [page("B", has_previous=True)]
    check_equal("Q1: postgraphile", POSTGRAPHILE, found, expected)
    with pytest.raises(AssertionError):
        check_equal("Q1: yoga", "yoga", found, expected)


def test_answers_have_at_least_the_bytes_of_those_asked_for() -> None:
    """Sixteen more than are answered may be asked for, and any of them may be missing; one that wrk asks the script for is never sent."""
    assert least_bytes(3, [300]) == 900
    assert least_bytes(60, [10, 20]) == 39 * 10 + 21 * 20
    assert least_bytes(0, [10, 20]) == 0
