"""Test the comparison of two checkouts: request bodies, response checks and ratios."""

import json

from benchmarks.cases import build_cases
from benchmarks.checkouts import TenantCursors, interleave_bodies, replace_ids
from benchmarks.figures import Window
from benchmarks.paired_ratios import FIGURES, format_table, ratios_by_pass
from benchmarks.queries import build_queries
from benchmarks.wrk import MARKER

CLIENTS = 200


def build_tenant_cursors(name: str) -> TenantCursors:
    return TenantCursors(
        f"token of {name}", [f"{name} {number}" for number in range(CLIENTS)], [f"after {name} {n}" for n in range(CLIENTS)]
    )


def build_window(rps: float, cpu_ms: float, database_ms: float = 2) -> Window:
    return Window(rps, p50_ms=10, p99_ms=15, cpu_ms=cpu_ms, database_ms=database_ms, memory_mib=50)


def test_organizations_alternate_with_all_their_cases() -> None:
    query, cases = build_queries("")["Q1"], build_cases("Q1", CLIENTS)
    lines = [
        line.split("\t")
        for line in interleave_bodies([build_tenant_cursors("a"), build_tenant_cursors("b"), build_tenant_cursors("c")], query, cases)
    ]
    assert [token for token, _ in lines] == ["token of a", "token of b", "token of c"] * len(cases)
    for index, name in enumerate("abc"):
        bodies = [json.loads(body) for _, body in lines[index::3]]
        expected = [json.loads(build_tenant_cursors(name).build_body(query, case)) for case in cases]
        assert bodies == expected[index:] + expected[:index]


def test_body_has_the_ids_and_cursors_of_its_organization() -> None:
    case = build_cases("Q3", CLIENTS)[1]
    body = json.loads(build_tenant_cursors("a").build_body(build_queries("")["Q3"], case))
    assert body["query"] == build_queries("")["Q3"].text
    assert body["variables"]["after"] == f"after a {case.position - 1}"
    assert body["variables"]["request"] == MARKER
    client = build_cases("Q2", CLIENTS)[5]
    assert json.loads(build_tenant_cursors("a").build_body(build_queries("")["Q2"], client))["variables"]["id"] == f"a {client.position}"


def test_answers_are_equal_except_for_the_form_of_ids() -> None:
    answer = {"data": {"clients": {"edges": [{"cursor": "x", "node": {"id": "cli_1", "name": "A", "contacts": [{"id": "con_2"}]}}]}}}
    older = json.loads(json.dumps(answer).replace("cli_1", "Q2xpZW50OjE=").replace("con_2", "Q29udGFjdDoy"))
    assert replace_ids(answer) == replace_ids(older)
    for text, other in (('"A"', '"B"'), ('"cli_1"', "null")):
        assert replace_ids(answer) != replace_ids(json.loads(json.dumps(answer).replace(text, other)))


def test_ratios_are_computed_within_a_pass() -> None:
    """The ratio is 0.5 in each pass, although the machine was twice as slow in the second."""
    new, old = [build_window(100, 1), build_window(50, 2)], [build_window(80, 2), build_window(40, 4)]
    assert ratios_by_pass(new, old, FIGURES["CPU ms, worker"]) == [0.5, 0.5]
    assert ratios_by_pass(new, old, FIGURES["answers/s"]) == [1.25, 1.25]


def test_the_table_has_medians_and_the_ratio_with_its_quartiles() -> None:
    new, old = [build_window(rps, 1) for rps in (100, 110, 150)], [build_window(100, 2)] * 3
    first, _, of_new, of_old, of_ratios = format_table({"new": new, "old": old}).splitlines()
    assert first == "| | answers/s | CPU ms, worker | CPU ms, PostgreSQL | CPU ms, both | p50 ms | p99 ms | p99 / p50 |"
    assert of_new == "| new | 110.0 | 1.000 | 2.000 | 3.000 | 10.000 | 15.000 | 1.500 |"
    assert of_old == "| old | 100.0 | 2.000 | 2.000 | 4.000 | 10.000 | 15.000 | 1.500 |"
    assert of_ratios.startswith(
        "| new / old | 1.100 (1.050 to 1.300) | 0.500 (0.500 to 0.500) | 1.000 (1.000 to 1.000) | 0.750 (0.750 to 0.750) |"
    )


def test_single_checkout_has_no_ratios() -> None:
    assert len(format_table({"new": [build_window(100, 1)]}).splitlines()) == 3
