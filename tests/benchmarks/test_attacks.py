"""What attacks came to: when a goal is held, what counts as a fault, and that every attack makes what it says."""

from collections import Counter

import pytest
from graphql import parse

from benchmarks.attacks import checks, documents, memory, values
from benchmarks.attacks.registry import ATTACKS
from benchmarks.attacks.results import Goal, Outcome, Taken, cut, line
from benchmarks.attacks.scene import Body, encode
from domain.core.signing import Signer
from server.settings import Settings
from tests.inputs import NOBODYS

IDLE: Taken = {"small": [4.0] * 100}
SLOW: Taken = {"small": [20.0] * 100}


def outcome(under: Taken, heard: dict[str, int] | None = None, growth_mib: float = 0, max_growth_mib: float | None = None) -> Outcome:
    return Outcome("An attack", Goal(), IDLE, under, Counter(heard or {}), growth_mib, 0.5, max_growth_mib)


@pytest.mark.parametrize(("idle_p99", "goal"), [(1, 50), (10, 50), (11, 55), (100, 500)])
def test_the_goal_is_50_ms_or_five_times_idle(idle_p99: float, goal: float) -> None:
    assert Goal().ms(idle_p99) == goal


def test_an_attack_that_nobody_notices_is_held() -> None:
    assert outcome(SLOW, {"200 answered": 3, "400 BAD_REQUEST": 4}).missed == []
    assert "held  [400 BAD_REQUEST 4, 200 answered 3]" in line(outcome(SLOW, {"200 answered": 3, "400 BAD_REQUEST": 4}))


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (outcome({"small": [4.0] * 97 + [50.0] * 3}), "small p99 50 of 50 ms"),
        (outcome(SLOW, growth_mib=65, max_growth_mib=64), "grew 65 of 64 MiB"),
        (outcome(SLOW, {"500 INTERNAL_SERVER_ERROR": 2, "200 INTERNAL_SERVER_ERROR": 1}), "3 faults"),
    ],
)
def test_a_goal_that_is_missed_says_why(found: Outcome, why: str) -> None:
    """Slow answers, growth where it is the aim of the attack, and faults of any attack."""
    assert found.missed == [why]
    assert f"MISSED ({why})" in line(found)


def test_growth_counts_only_where_it_is_the_aim() -> None:
    assert outcome(SLOW, growth_mib=500).missed == []


def test_one_answer_is_its_own_percentiles() -> None:
    assert cut([7.0]) == (7.0, 7.0)
    assert cut([1.0, 3.0])[0] == 2.0


def test_every_attack_has_a_name_of_its_own() -> None:
    assert len(ATTACKS) == 35
    assert all(len(name) <= 34 for name in ATTACKS)


@pytest.mark.parametrize("make", [documents.bulk, documents.persisted, values.long_integers, memory.long_keys, memory.many_variables])
def test_a_body_is_never_the_same_twice(make: "documents.Make") -> None:
    first, second = make(), make()
    assert first != second
    assert parse(first["query"]).definitions


@pytest.mark.parametrize("body", [values.KEYS, values.EMPTY, values.VALUES, values.TEXT, memory.long_keys(), next(values.MARKED)])
def test_a_large_body_is_as_large_as_one_may_be(body: Body) -> None:
    """Not larger: it would be refused for that."""
    assert 100_000 < len(encode(1, "", body).partition(b"\r\n\r\n")[2]) <= Settings().max_body_bytes


def test_the_payload_of_a_sealed_text_is_found() -> None:
    """Behind a signature of any length; nothing where it is no JSON."""
    assert checks.payload(Signer([b"secret" * 8], NOBODYS, b"test").sign(b'["a", 1, "digest"]')) == ["a", 1, "digest"]
    assert checks.payload(Signer([b"secret" * 8], NOBODYS, b"test").sign(b"no JSON")) == []
