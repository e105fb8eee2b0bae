"""The media type of a response follows from the weights in `Accept`."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import ErrorCode, HttpError
from server.http.negotiation import GRAPHQL_JSON, JSON, OFFERED_TYPES, negotiate

WEIGHTS = [f"0.{digits}" for digits in ("1", "25", "5", "999")]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("  ", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{JSON}; charset=utf-8", JSON),
        ("Application/GraphQL-Response+JSON;charset=UTF-8", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {JSON}", GRAPHQL_JSON),
        (f"{JSON}, {GRAPHQL_JSON}", GRAPHQL_JSON),  # equal weight: the newer type wins
        (f"{GRAPHQL_JSON};q=0.9, {JSON}", JSON),
        (f"{JSON};q=0.9, {GRAPHQL_JSON};q=0.8", JSON),
        (f"{GRAPHQL_JSON}, {JSON};q=0.9", GRAPHQL_JSON),  # Apollo Client
        (f"{GRAPHQL_JSON}, {JSON}, text/event-stream, multipart/mixed", GRAPHQL_JSON),  # urql
        (f"text/html, {GRAPHQL_JSON};q=0.1", GRAPHQL_JSON),
        (f"*/*, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.5, */*", JSON),
        (f"{GRAPHQL_JSON};q=0, */*", JSON),
        (f"{JSON};q=0, */*", GRAPHQL_JSON),
        (f"{JSON};q=0, application/*;q=0.1", GRAPHQL_JSON),
        (f"*/*;q=0, {JSON}", JSON),
        (f"{JSON};q=0.0, {GRAPHQL_JSON};q=1.000", GRAPHQL_JSON),
        (f"{JSON};q=nan", JSON),  # an invalid weight counts as 1
        (f"{JSON};q=x, {GRAPHQL_JSON};q=0.9", JSON),
        (f"{JSON};q=-1", JSON),
        (f"{JSON};q=7, {GRAPHQL_JSON}", GRAPHQL_JSON),
    ],
)
def test_preferred_media_type_is_chosen(accept: str, kind: str) -> None:
    """The weight decides first, then how exactly the type is named."""
    assert negotiate(accept) == kind


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml, text/*", f"{JSON};q=0", "*/*;q=0", "application/*;q=0.000", "json", ",", ";"]
)
def test_accepting_neither_is_rejected(accept: str) -> None:
    """The error names both types."""
    with pytest.raises(HttpError) as raised_error:
        negotiate(accept)
    assert (raised_error.value.code, raised_error.value.status) == (ErrorCode.NOT_ACCEPTABLE, 406)
    assert all(kind in raised_error.value.message for kind in OFFERED_TYPES)


PARTS = st.sampled_from(
    [JSON, GRAPHQL_JSON, "*/*", "application/*", "text/html", ";", ",", " ", "q=", "Q=", "0.5", "nan", "inf", "1e9", "-1", "٣"]
)


@given(st.one_of(st.text(), st.lists(PARTS).map("".join)))
def test_any_accept_header_gives_a_type_or_the_error(accept: str) -> None:
    """Clients can send any text in this header."""
    with suppress(HttpError):
        assert negotiate(accept) in OFFERED_TYPES


@given(st.sampled_from(WEIGHTS), st.sampled_from(WEIGHTS))
def test_higher_quality_wins_in_any_order(json: str, graphql: str) -> None:
    """With equal weights the type that expresses errors in the status wins."""
    ranges = [f"{JSON};q={json}", f"{GRAPHQL_JSON};q={graphql}"]
    expected = JSON if json > graphql else GRAPHQL_JSON
    assert negotiate(", ".join(ranges)) == negotiate(" , ".join(reversed(ranges))) == expected
