"""Test the matching of incoming clients against the product's table (S38, S39, S40), row by row and for random input."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.tables.keys import new_id
from domain.clients.matching import Decision, ExistingClient, Match, MatchKeys, match_clients

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
EXISTING_WITH_NUMBER, EXISTING_WITHOUT_NUMBER = ExistingClient("1", "a", id=A), ExistingClient(None, "a", id=B)
KEYS = st.sampled_from(["a", "b", "c"])
INCOMING = st.builds(MatchKeys, st.none() | KEYS, st.none() | KEYS)
EXISTING_CLIENTS = st.builds(ExistingClient, st.none() | KEYS, KEYS, id=st.uuids(), is_archived=st.booleans())
# Client numbers are unique within an organization.
EXISTING = st.lists(EXISTING_CLIENTS, max_size=8, unique_by=(lambda each: each.number_key or each.id, lambda each: each.id))


@pytest.mark.parametrize(
    ("incoming", "existing", "decision"),
    [
        (MatchKeys("1", "other"), [EXISTING_WITH_NUMBER, EXISTING_WITHOUT_NUMBER], Decision(Match.SAME, "number", [A])),
        (MatchKeys("2", "a"), [EXISTING_WITHOUT_NUMBER], Decision(Match.NEW, "number")),
        (MatchKeys("2", "a"), [EXISTING_WITH_NUMBER], Decision(Match.NEW, "number")),
        (MatchKeys(None, "a"), [EXISTING_WITHOUT_NUMBER], Decision(Match.SAME, "name", [B])),
        (MatchKeys(None, "a"), [EXISTING_WITH_NUMBER, EXISTING_WITHOUT_NUMBER], Decision(Match.SAME, "name", [B])),
        (MatchKeys(None, "a"), [EXISTING_WITH_NUMBER], Decision(Match.NEW, "name")),
        (
            MatchKeys(None, "a"),
            [EXISTING_WITHOUT_NUMBER, replace(EXISTING_WITHOUT_NUMBER, id=C)],
            Decision(Match.AMBIGUOUS, "name", [B, C]),
        ),
        (MatchKeys(None, "a"), [], Decision(Match.NEW, "name")),
        (MatchKeys(None, "a"), [replace(EXISTING_WITHOUT_NUMBER, is_archived=True)], Decision(Match.ARCHIVED, "name", [B])),
        (MatchKeys("1", "a"), [replace(EXISTING_WITH_NUMBER, is_archived=True)], Decision(Match.ARCHIVED, "number", [A])),
        (
            MatchKeys(None, "a"),
            [EXISTING_WITHOUT_NUMBER, replace(EXISTING_WITHOUT_NUMBER, id=C, is_archived=True)],
            Decision(Match.AMBIGUOUS, "name", [B, C]),
        ),
        (MatchKeys(None, None), [EXISTING_WITHOUT_NUMBER, ExistingClient(None, None, id=C)], Decision(Match.NEW)),
    ],
)
def test_s38_s39_s40_each_row_of_the_table(incoming: MatchKeys, existing: list[ExistingClient], decision: Decision) -> None:
    """Numbers count first, and names only if neither side has a number. Of several matches none is chosen."""
    assert match_clients([incoming], existing) == [decision]


def test_repeated_number_or_name_is_a_duplicate_of_the_first() -> None:
    """The decision has the index of the first. Names count only without a number."""
    incoming = [
        MatchKeys("1", "a"),
        MatchKeys(None, "a"),
        MatchKeys("2", "a"),
        MatchKeys("1", "b"),
        MatchKeys(None, "a"),
        MatchKeys(None, "a"),
    ]
    again = [Decision(Match.DUPLICATE, "number", first_index=0), *[Decision(Match.DUPLICATE, "name", first_index=1)] * 2]
    assert match_clients(incoming, [EXISTING_WITHOUT_NUMBER])[3:] == again
    assert [each.match for each in match_clients(incoming, [EXISTING_WITHOUT_NUMBER])[:3]] == [Match.NEW, Match.SAME, Match.NEW]


def expected_match(each: MatchKeys, existing: Sequence[ExistingClient]) -> Match:
    """Return the match that the product's table states."""
    if each.number_key is not None:
        same = [client for client in existing if client.number_key == each.number_key]
    else:
        same = [client for client in existing if client.number_key is None and client.name_key == each.name_key]
    if len(same) > 1:
        return Match.AMBIGUOUS
    return Match.NEW if not same else Match.ARCHIVED if same[0].is_archived else Match.SAME


@given(each=INCOMING, existing=EXISTING)
def test_single_client_is_matched_by_the_table(each: MatchKeys, existing: list[ExistingClient]) -> None:
    """Other existing clients and their order have no effect."""
    for order in (existing, existing[::-1]):
        (decision,) = match_clients([each], order)
        assert decision.match is expected_match(each, existing)


@given(number=KEYS, names=st.tuples(KEYS, KEYS), existing=EXISTING)
def test_s38_name_does_not_count_beside_a_number(number: str, names: tuple[str, str], existing: list[ExistingClient]) -> None:
    """This holds for the name of the incoming and of the existing client."""
    renamed = [replace(client, name_key="z") if client.number_key else client for client in existing]
    assert match_clients([MatchKeys(number, names[0])], existing) == match_clients([MatchKeys(number, names[1])], renamed)


@given(incoming=st.lists(INCOMING, max_size=8), existing=EXISTING)
def test_second_run_creates_nothing(incoming: list[MatchKeys], existing: list[ExistingClient]) -> None:
    """A new client is found in the second run, unless it has neither number nor name. All other decisions stay the same."""
    first = match_clients(incoming, existing)
    fresh = [each for each, decision in zip(incoming, first, strict=True) if decision.match is Match.NEW]
    added_clients = [ExistingClient(each.number_key, each.name_key, id=new_id()) for each in fresh]
    second = match_clients(incoming, [*existing, *added_clients])
    for each, was, now in zip(incoming, first, second, strict=True):
        is_found = was.match is Match.NEW and each.key is not None
        assert now.match is (Match.SAME if is_found else was.match)


@given(incoming=st.lists(INCOMING, max_size=8), existing=EXISTING)
def test_no_client_is_matched_twice(incoming: list[MatchKeys], existing: list[ExistingClient]) -> None:
    """All clients with the same key are duplicates of the first, and their decisions have its index."""
    decisions = match_clients(incoming, existing)
    matched_keys = [key for each in decisions if each.match is Match.SAME for key in each.clients]
    assert len(matched_keys) == len(set(matched_keys))
    keys = [each.key for each in incoming]
    firsts = [None if key is None or keys.index(key) == index else keys.index(key) for index, key in enumerate(keys)]
    assert [each.first_index for each in decisions] == firsts
    assert [each.match is Match.DUPLICATE for each in decisions] == [first is not None for first in firsts]
