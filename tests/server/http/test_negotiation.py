"""Test how `Accept` and `Accept-Encoding` choose the representation of a response."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import ErrorCode, HttpError
from server.http.negotiation import GRAPHQL_JSON, JSON, MAX_CHARACTERS, OFFERED_TYPES, accepts_gzip, negotiate

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
        (f"{GRAPHQL_JSON};q=0.9;q=0, {JSON};q=0.5", GRAPHQL_JSON),  # the first weight counts
        (f",, {JSON} ,", JSON),
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


@pytest.mark.parametrize(
    ("accept_encoding", "is_accepted"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("deflate;q=1,gzip", True),
        ("gzip;q=0.001", True),
        ("gzip;q=x", True),  # an invalid weight counts as 1
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("gzip ; Q=0.000", False),
        ("gzip;level=9;q=0", False),
        ("gzip;q=0, gzip", False),  # the first of a name counts
        ("gzip, gzip;q=0", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("*;q=0", False),
        ("gzip, *;q=0", True),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("identity;q=0", False),  # gzip is not listed: the file is sent as it is, which every client can read
        ("identity;q=0, *;q=0", False),
        ("identity;q=0, gzip", True),
        ("br", False),
        ("gzipped", False),
        ("g zip", False),
        ("", False),
        (" ", False),
        (",;,=;", False),
        (";q=1", False),
    ],
)
def test_gzip_is_negotiated(accept_encoding: str, is_accepted: bool) -> None:
    assert accepts_gzip(accept_encoding) == is_accepted


@given(st.one_of(st.text(), st.lists(st.sampled_from(["gzip", "*", ";", ",", " ", "q=", "0", "nan", "1e9", "-1", "\u0663"])).map("".join)))
def test_any_accept_encoding_header_is_parsed(accept_encoding: str) -> None:
    assert accepts_gzip(accept_encoding) in {True, False}


def pad(element: str, length: int) -> str:
    return element + ";" + "x" * (length - len(element) - 1)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (pad(GRAPHQL_JSON, MAX_CHARACTERS), GRAPHQL_JSON),
        (pad(GRAPHQL_JSON, MAX_CHARACTERS + 1), JSON),  # as if there were no header
        (pad(GRAPHQL_JSON, MAX_CHARACTERS) + ",", GRAPHQL_JSON),
        (pad(JSON, MAX_CHARACTERS) + f",{GRAPHQL_JSON}", JSON),
        (f"{JSON};q=0.1," + pad(GRAPHQL_JSON, MAX_CHARACTERS), JSON),
        (f"{JSON},{' ' * (MAX_CHARACTERS - 60)}{GRAPHQL_JSON};q=0.123,", JSON),
        (
            f"{JSON};q=0.2," + f"{GRAPHQL_JSON};q=0.1".rjust(MAX_CHARACTERS - len(f"{JSON};q=0.2,") + 2),
            JSON,
        ),  # `q=0.1` would be cut to `q=0`
        (f"{JSON}," * 100_000, JSON),
    ],
    ids=range(8),
)
def test_only_elements_within_the_size_limit_count(accept: str, kind: str) -> None:
    assert negotiate(accept) == kind


@pytest.mark.parametrize(
    ("accept_encoding", "is_accepted"),
    [
        ("gzip".rjust(MAX_CHARACTERS), True),
        ("gzip".rjust(MAX_CHARACTERS + 1), False),
        ("br,".ljust(MAX_CHARACTERS - 4) + "gzip", True),
        ("br,".ljust(MAX_CHARACTERS - 4) + "gzip,", True),
        ("br,".ljust(MAX_CHARACTERS - 4) + "gzip;q=0", False),
        ("br,".ljust(MAX_CHARACTERS - 4) + "gzipped", False),
    ],
    ids=range(6),
)
def test_only_codings_within_the_size_limit_count(accept_encoding: str, is_accepted: bool) -> None:
    assert accepts_gzip(accept_encoding) == is_accepted
