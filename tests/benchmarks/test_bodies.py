"""Request bodies of the comparison never repeat, and are the same for all servers."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from benchmarks.bodies import REQUEST, ActiveClient, RequestBodies
from benchmarks.cases import COUNT, build_cases
from benchmarks.compare import check_equal
from benchmarks.queries import CURSORS, POSTGRAPHILE, build_queries, decode_key
from benchmarks.servers import BASELINE, MORE, RELATIES, USUAL
from benchmarks.wrk import MARKER, fill_marker, least_bytes, new_run_number
from schema.build import build

CLIENTS = [ActiveClient(UUID(int=number), f"client {number:03}") for number in range(188)]
SERVERS = (RELATIES, *USUAL, *MORE)
QUERIES = build_queries("")
BODIES = RequestBodies(CLIENTS, {server: [f"{server} {number}" for number in range(len(CLIENTS))] for server in SERVERS})
CASES = {name: build_cases(name, len(CLIENTS)) for name in QUERIES}
SCHEMAS = {
    "product": build()._schema,  # noqa: SLF001
    "peers": build_schema((Path(__file__).parents[2] / "benchmarks" / "peers" / "schema.graphql").read_text()),
}


def build_different_bodies(server: str, name: str) -> list[str]:
    return BODIES.build_different(server, QUERIES[name], CASES[name])


@pytest.mark.parametrize("server", [*SERVERS, BASELINE])
@pytest.mark.parametrize("name", QUERIES)
def test_no_body_is_repeated(server: str, name: str) -> None:
    """Bodies differ within the list, when the list is repeated, and between runs."""
    bodies = build_different_bodies(server, name)
    runs = [fill_marker(bodies[number % COUNT], run, number) for run in (new_run_number(), new_run_number()) for number in range(3 * COUNT)]
    assert len(set(runs)) == len(runs)
    assert all(body.count(MARKER) == 1 for body in bodies)
    assert {len(run_bodies) for run_bodies in runs} == {len(body) for body in bodies}


@pytest.mark.parametrize("name", QUERIES)
def test_bodies_differ_in_more_than_the_number(name: str) -> None:
    assert len({body.replace(MARKER, "") for body in build_different_bodies(RELATIES, name)}) == COUNT


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", QUERIES)
def test_document_of_a_query_is_always_the_same_text(server: str, name: str) -> None:
    """So document caches work as they do for an application. The document does not declare the marker variable."""
    (text,) = {json.loads(body)["query"] for body in build_different_bodies(server, name)}
    assert REQUEST not in text


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", QUERIES)
def test_all_servers_receive_the_same_requests(server: str, name: str) -> None:
    """The order is the same too. Only cursors differ, and PostGraphile has other names and takes keys instead of ids."""
    for ours, theirs in zip(build_different_bodies(RELATIES, name), build_different_bodies(server, name), strict=True):
        expected_body, body = json.loads(ours), json.loads(theirs)
        if expected_body["variables"].get("after"):
            expected_body["variables"]["after"] = expected_body["variables"]["after"].replace(RELATIES, server)
        if server == POSTGRAPHILE:
            expected_body["query"] = body["query"]
            expected_body["variables"] |= {"id": decode_key(expected_body["variables"]["id"])} if "id" in expected_body["variables"] else {}
        assert body == expected_body


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
@pytest.mark.parametrize("text", [CURSORS, *(query.text for query in QUERIES.values())], ids=["cursors", *QUERIES])
def test_documents_are_valid_for_the_product_and_its_peers(schema: GraphQLSchema, text: str) -> None:
    assert validate(schema, parse(text)) == []


@pytest.mark.parametrize("server", [*SERVERS, BASELINE])
@pytest.mark.parametrize("name", QUERIES)
def test_repeated_body_is_that_of_the_first_case(server: str, name: str) -> None:
    repeated, first = (
        json.loads(BODIES.build_repeated(server, QUERIES[name], CASES[name])),
        json.loads(build_different_bodies(server, name)[0]),
    )
    where = first if server == BASELINE else first["variables"]
    assert where.pop(REQUEST) == MARKER
    assert repeated == first


def test_baseline_knows_all_cases_in_order() -> None:
    assert [json.loads(body)["case"] for body in build_different_bodies(BASELINE, "Q1")] == list(range(COUNT))


def test_baseline_runs_the_same_queries() -> None:
    """A page starts after the preceding client and reads one row more than it shows. A single client is read by its key."""
    first, second = CASES["Q1"][:2]
    period = {"start": "2026-01-01", "end": "2026-12-31"}
    assert BODIES.baseline_arguments(first) == {"count": 51, **period}
    before = CLIENTS[second.position - 1]
    assert BODIES.baseline_arguments(second) == {
        "count": 41,
        "after_key": before.name_key,
        "after_id": str(before.key),
        "start": "2025-01-01",
        "end": "2025-12-31",
    }
    assert BODIES.baseline_arguments(CASES["Q2"][0]) == {"ids": [str(CLIENTS[0].key)], **period}
    assert BODIES.baseline_arguments(CASES["Q4"][0])["count"] == 51


def build_page(name: str, *, has_previous: bool, cursor: str | None = "own") -> dict[str, object]:
    return {"data": {"clients": {"edges": [{"cursor": cursor, "node": {"name": name}}], "pageInfo": {"hasPreviousPage": has_previous}}}}


def test_every_case_is_compared() -> None:
    expected = [build_page("A", has_previous=False), build_page("B", has_previous=True)]
    check_equal("Q1: peer", "peer", [build_page("A", has_previous=False, cursor="other"), build_page("B", has_previous=True)], expected)
    with pytest.raises(AssertionError, match=r"Q1: peer gives another answer in case 1: .*'name': 'C'"):
        check_equal("Q1: peer", "peer", [build_page("A", has_previous=False), build_page("C", has_previous=True)], expected)
    with pytest.raises(AssertionError, match="in case 0"):
        check_equal("Q1: peer", "peer", [build_page("A", has_previous=False, cursor=None), build_page("B", has_previous=True)], expected)
    with pytest.raises(ValueError, match="longer"):
        check_equal("Q1: peer", "peer", expected[:1], expected)


def test_only_postgraphile_may_omit_the_previous_page() -> None:
    answers, expected = [build_page("B", has_previous=False)], [build_page("B", has_previous=True)]
    check_equal("Q1: postgraphile", POSTGRAPHILE, answers, expected)
    with pytest.raises(AssertionError):
        check_equal("Q1: yoga", "yoga", answers, expected)


def test_answers_have_the_minimum_size_of_their_requests() -> None:
    """Up to 16 requests may be unanswered when wrk stops, and any of them may be missing. One more is generated and never sent."""
    assert least_bytes(3, [300]) == 900
    assert least_bytes(60, [10, 20]) == 39 * 10 + 21 * 20
    assert least_bytes(0, [10, 20]) == 0
