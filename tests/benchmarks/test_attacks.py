"""Test the evaluation of attacks (goals and faults), and the requests that attacks send."""

from collections import Counter

import pytest
from graphql import parse

from benchmarks.attacks import checks, documents, memory, values
from benchmarks.attacks.registry import ATTACKS
from benchmarks.attacks.results import DurationsByQuery, Goal, Outcome, median_and_p99, table_line
from benchmarks.attacks.scenario import Body, encode_request
from domain.core.signing import Signer
from server.settings import Settings
from tests.support.mutation_inputs import UNKNOWN_ID

IDLE: DurationsByQuery = {"small": [4.0] * 100}
SLOW: DurationsByQuery = {"small": [20.0] * 100}


def build_outcome(
    under: DurationsByQuery, answer_counts: dict[str, int] | None = None, growth_mib: float = 0, max_growth_mib: float | None = None
) -> Outcome:
    return Outcome("An attack", Goal(), IDLE, under, Counter(answer_counts or {}), growth_mib, 0.5, max_growth_mib)


@pytest.mark.parametrize(("idle_p99", "goal"), [(1, 50), (10, 50), (11, 55), (100, 500)])
def test_goal_is_50_ms_or_five_times_idle(idle_p99: float, goal: float) -> None:
    assert Goal().limit_ms(idle_p99) == goal


def test_attack_without_effect_passes() -> None:
    assert build_outcome(SLOW, {"200 answered": 3, "400 BAD_REQUEST": 4}).find_missed_goals == []
    assert "held  [400 BAD_REQUEST 4, 200 answered 3]" in table_line(build_outcome(SLOW, {"200 answered": 3, "400 BAD_REQUEST": 4}))


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (build_outcome({"small": [4.0] * 97 + [50.0] * 3}), "small p99 50 of 50 ms"),
        (build_outcome(SLOW, growth_mib=65, max_growth_mib=64), "grew 65 of 64 MiB"),
        (build_outcome(SLOW, {"500 INTERNAL_SERVER_ERROR": 2, "200 INTERNAL_SERVER_ERROR": 1}), "3 faults"),
    ],
)
def test_missed_goal_is_explained(outcome: Outcome, why: str) -> None:
    """Goals are missed by slow responses, by growth if the attack aims at it, and by faults."""
    assert outcome.find_missed_goals == [why]
    assert f"MISSED ({why})" in table_line(outcome)


def test_growth_counts_only_where_it_is_the_goal() -> None:
    assert build_outcome(SLOW, growth_mib=500).find_missed_goals == []


def test_one_answer_equals_its_percentiles() -> None:
    assert median_and_p99([7.0]) == (7.0, 7.0)
    assert median_and_p99([1.0, 3.0])[0] == 2.0


def test_every_attack_has_a_short_unique_name() -> None:
    assert len(ATTACKS) == 35
    assert all(len(name) <= 34 for name in ATTACKS)


@pytest.mark.parametrize(
    "make",
    [
        documents.build_bulk_upsert,
        documents.build_persisted_query,
        values.build_long_integers,
        memory.build_long_keys,
        memory.build_many_variables,
    ],
)
def test_body_is_never_repeated(make: "documents.Make") -> None:
    first, second = make(), make()
    assert first != second
    assert parse(first["query"]).definitions


@pytest.mark.parametrize(
    "body", [values.KEYS, values.EMPTY, values.VALUES, values.TEXT, memory.build_long_keys(), next(values.MARKED_TEXTS)]
)
def test_large_body_has_the_maximum_size(body: Body) -> None:
    """A larger body would be rejected because of its size."""
    assert 100_000 < len(encode_request(1, "", body).partition(b"\r\n\r\n")[2]) <= Settings().max_body_bytes


def test_payload_of_a_signed_text_is_found() -> None:
    """The length of the signature is unknown. A payload that is not JSON gives an empty list."""
    assert checks.decode_payload(Signer([b"secret" * 8], UNKNOWN_ID, b"test").sign(b'["a", 1, "digest"]')) == ["a", 1, "digest"]
    assert checks.decode_payload(Signer([b"secret" * 8], UNKNOWN_ID, b"test").sign(b"no JSON")) == []
