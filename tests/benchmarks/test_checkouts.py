"""What two checkouts are sent, how their answers are compared, and what is made of the windows."""

import json

from benchmarks.cases import cases_of
from benchmarks.checkouts import Known, interleaved, without_ids
from benchmarks.figures import Window
from benchmarks.queries import asked
from benchmarks.turns import FIGURES, ratios, shown
from benchmarks.wrk import MARKER

CLIENTS = 200


def known(name: str) -> Known:
    return Known(f"token of {name}", [f"{name} {number}" for number in range(CLIENTS)], [f"after {name} {n}" for n in range(CLIENTS)])


def window(rps: float, cpu_ms: float, database_ms: float = 2) -> Window:
    return Window(rps, p50_ms=10, p99_ms=15, cpu_ms=cpu_ms, database_ms=database_ms, memory_mib=50)


def test_organizations_take_turns_with_all_their_cases() -> None:
    query, cases = asked("")["Q1"], cases_of("Q1", CLIENTS)
    found = [line.split("\t") for line in interleaved([known("a"), known("b"), known("c")], query, cases)]
    assert [token for token, _ in found] == ["token of a", "token of b", "token of c"] * len(cases)
    for place, name in enumerate("abc"):
        bodies = [json.loads(body) for _, body in found[place::3]]
        expected = [json.loads(known(name).body(query, case)) for case in cases]
        assert bodies == expected[place:] + expected[:place]


def test_a_body_has_the_ids_and_cursors_of_its_organization() -> None:
    case = cases_of("Q3", CLIENTS)[1]
    body = json.loads(known("a").body(asked("")["Q3"], case))
    assert body["query"] == asked("")["Q3"].text
    assert body["variables"]["after"] == f"after a {case.position - 1}"
    assert body["variables"]["request"] == MARKER
    client = cases_of("Q2", CLIENTS)[5]
    assert json.loads(known("a").body(asked("")["Q2"], client))["variables"]["id"] == f"a {client.position}"


def test_answers_are_equal_but_for_the_form_of_ids() -> None:
    answer = {"data": {"clients": {"edges": [{"cursor": "x", "node": {"id": "cli_1", "name": "A", "contacts": [{"id": "con_2"}]}}]}}}
    older = json.loads(json.dumps(answer).replace("cli_1", "Q2xpZW50OjE=").replace("con_2", "Q29udGFjdDoy"))
    assert without_ids(answer) == without_ids(older)
    for text, other in (('"A"', '"B"'), ('"cli_1"', "null")):
        assert without_ids(answer) != without_ids(json.loads(json.dumps(answer).replace(text, other)))


def test_ratios_are_those_within_a_turn() -> None:
    """Half the processor time in each turn, though the machine became twice as slow meanwhile."""
    new, old = [window(100, 1), window(50, 2)], [window(80, 2), window(40, 4)]
    assert ratios(new, old, FIGURES["CPU ms, worker"]) == [0.5, 0.5]
    assert ratios(new, old, FIGURES["answers/s"]) == [1.25, 1.25]


def test_the_table_has_medians_and_the_ratio_with_its_quartiles() -> None:
    new, old = [window(rps, 1) for rps in (100, 110, 150)], [window(100, 2)] * 3
    first, _, of_new, of_old, of_ratios = shown({"new": new, "old": old}).splitlines()
    assert first == "| | answers/s | CPU ms, worker | CPU ms, PostgreSQL | CPU ms, both | p50 ms | p99 ms | p99 / p50 |"
    assert of_new == "| new | 110.0 | 1.000 | 2.000 | 3.000 | 10.000 | 15.000 | 1.500 |"
    assert of_old == "| old | 100.0 | 2.000 | 2.000 | 4.000 | 10.000 | 15.000 | 1.500 |"
    assert of_ratios.startswith(
        "| new / old | 1.100 (1.050 to 1.300) | 0.500 (0.500 to 0.500) | 1.000 (1.000 to 1.000) | 0.750 (0.750 to 0.750) |"
    )


def test_a_checkout_alone_has_no_ratios() -> None:
    assert len(shown({"new": [window(100, 1)]}).splitlines()) == 3
