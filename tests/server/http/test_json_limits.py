"""The values of a JSON body are counted before it is parsed, with the same result as a count of the parsed values."""

import json
import math
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import strawberry
from hypothesis import example, given, settings
from hypothesis import strategies as st

from db.engine.database import Database
from db.tables import Role
from server.documents.literals import MAX_DIGITS
from server.documents.variables import MAX_LIST_ITEMS
from server.errors import HttpError
from server.http import json_limits, parsing
from server.http.json_limits import MAX_NESTING, MAX_VALUES, check_size
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, Api, connect_client
from tests.support.builders import Tenant

HEAD, TAIL = b'{"query": "{ __typename }", "variables": {"x": ', b"}}"
IN_HEAD = 6  # values: the body, two keys, their two values, and the key `x`
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u0000",
    "\\ud83d",
    "\\ude00",
    "\\\\",
    "NaN",
    "1e999",
    "9" * 21,
    " ",
    '"a":',
    "[]",
    "{}",
    "\0",
]
TEXTS = st.text(st.one_of(st.sampled_from('[]{},:"\\'), st.characters())) | st.sampled_from(PIECES)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(TEXTS, values, max_size=4),
    max_leaves=20,
)
BODY_LIMITS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"ensure_ascii": st.booleans(), "indent": st.sampled_from([None, 1]), "separators": st.sampled_from([(",", ":"), (" , ", " : ")])}
)


class RecordingDecoder(json.JSONDecoder):
    """The decoder of the server, which also records the length of each text that it decodes."""

    def __init__(self) -> None:
        super().__init__(
            object_pairs_hook=parsing.STRICT.object_pairs_hook,
            parse_int=parsing.STRICT.parse_int,
            parse_float=parsing.STRICT.parse_float,
            parse_constant=parsing.STRICT.parse_constant,
        )
        self.lengths: list[int] = []

    def decode(self, s: str, *more: Any) -> Any:  # noqa: ANN401 arguments of the base class
        self.lengths.append(len(s))
        return super().decode(s, *more)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> RecordingDecoder:
    recording_decoder = RecordingDecoder()
    monkeypatch.setattr(parsing, "STRICT", recording_decoder)
    return recording_decoder


@pytest.fixture
async def api(database: Database, schema: strawberry.Schema, sample_org: Tenant) -> AsyncIterator[Api]:
    """Create an API client with a long queue timeout, because large bodies of one organization are parsed one at a time."""
    async with connect_client(
        schema, database, Settings(max_auth_failures=HUGE_LIMIT, rate_limit_burst=HUGE_LIMIT, queue_timeout=60)
    ) as http:
        yield Api(http, sample_org.tokens[Role.OWNER])


async def post_content(api: Api, content: bytes) -> httpx.Response:
    headers = {"authorization": f"Bearer {api.token}", "content-type": "application/json"}
    return await api.http.post("/graphql", content=content, headers=headers)


def with_variable(value: bytes) -> bytes:
    return HEAD + value + TAIL


def repeat_item(count: int, item: bytes) -> bytes:
    return b"[" + b",".join([item] * count) + b"]"


TOO_MUCH = {
    "88,000 keys": with_variable(b"{" + b",".join(b'"%05d":1' % index for index in range(88_000)) + b"}"),
    "330,000 empty lists": with_variable(repeat_item(330_000, b"[]")),
    "120,000 objects": with_variable(repeat_item(120_000, b'{"":1}')),
    "330,000 empty texts": with_variable(repeat_item(330_000, b'""')),
    "490,000 numbers": with_variable(repeat_item(490_000, b"1")),
    "one value too many": with_variable(repeat_item(MAX_VALUES - IN_HEAD, b"1")),
    "one level too many": with_variable(b"[" * (MAX_NESTING - 1) + b"1" + b"]" * (MAX_NESTING - 1)),
    "500,000 levels": b"[" * 490_000 + b"]" * 490_000,
    "100,000 levels of objects": b'{"":' * 100_000 + b"1" + b"}" * 100_000,
    "a million brackets": b"[" * 1_000_000,
    "brackets and commas in texts beside many values": with_variable(repeat_item(50_000, b'"\\",[{"')),
}


@pytest.mark.parametrize("content", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_too_large_json_is_rejected_before_parsing(api: Api, decoder: RecordingDecoder, content: bytes) -> None:
    response = await post_content(api, content)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert decoder.lengths == []


@pytest.mark.parametrize(
    "value",
    [
        repeat_item(MAX_VALUES - IN_HEAD - 1, b"1"),
        repeat_item((MAX_VALUES - IN_HEAD - 1) // 3, b'{"a":1}'),
        b"[" * (MAX_NESTING - 2) + b"1" + b"]" * (MAX_NESTING - 2),
        b"[" * (MAX_NESTING - 1) + b"]" * (MAX_NESTING - 1),
        b'"' + b'[{,:\\"' * 100_000 + b'"',
        b'"' + b"\\u0041" * 160_000 + b'"',
    ],
    ids=["values", "objects", "levels", "empty levels", "signs in a text", "escapes"],
)
async def test_json_at_its_limits_is_parsed(api: Api, decoder: RecordingDecoder, value: bytes) -> None:
    """The document does not use the variable, so the request is answered, unless a list in it is too long for a variable."""
    content = with_variable(value)
    body = (await post_content(api, content)).json()
    if value.count(b",") < MAX_LIST_ITEMS or value.startswith(b'"'):
        assert body == {"data": {"__typename": "Query"}}
    else:
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
    assert decoder.lengths == [len(content)]


async def test_thousands_of_unknown_fields_get_one_short_message(api: Api) -> None:
    fields = b",".join(b'"%d%s":1' % (index, b"x" * 50) for index in range(9000))
    response = await post_content(api, b'{"query": "{ __typename }", ' + fields + b"}")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["extensions"]["code"], len(error["message"]) < 250) == ("BAD_REQUEST", True)
    assert f"`0{'x' * 39}`, `1{'x' * 39}`, `2{'x' * 39}`, …" in error["message"]


def count_values(value: object) -> tuple[int, int]:
    """Count the values and keys one by one. Return their number and the depth of nesting."""
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    below = [count_values(part) for part in parts]
    return 1 + sum(count for count, _ in below), max((depth + 1 for _, depth in below), default=0)


def is_within(text: bytes, max_values: int, max_nesting: int) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_limits, "MAX_VALUES", max_values)
        patch.setattr(json_limits, "MAX_NESTING", max_nesting)
        try:
            check_size(text)
        except HttpError:
            return False
    return True


@given(VALUES, BODY_LIMITS)
def test_the_count_is_exact(value: object, how: dict[str, Any]) -> None:
    """A text passes at exactly its number of values and levels, and not at one less, whatever its strings contain."""
    text = json.dumps(value, **how).encode("utf-8", "surrogatepass")
    count, depth = count_values(value)
    assert is_within(text, count, depth)
    assert not is_within(text, count - 1, depth)
    assert depth == 0 or not is_within(text, count, depth - 1)


def read_reference(text: bytes) -> object:
    """Parse JSON by the rules of the server, but check them after the parse. Raises `ValueError` for text that must be rejected."""

    def check_unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError(pairs)
        return dict(pairs)

    def check_digits(digits: str) -> str:
        if len(re.sub("[^0-9]", "", digits.lstrip("-0."))) > MAX_DIGITS:
            raise ValueError(digits)
        return digits

    def parse_finite(digits: str) -> float:
        if math.isinf(float(digits)):
            raise ValueError(digits)
        return float(check_digits(digits))

    def reject_constant(name: str) -> object:
        raise ValueError(name)

    value: object = json.loads(
        text.decode("utf-8"),
        object_pairs_hook=check_unique_keys,
        parse_int=lambda digits: int(check_digits(digits)),
        parse_float=parse_finite,
        parse_constant=reject_constant,
    )
    count, depth = count_values(value)
    collect_texts(value).encode()  # raises for half of a surrogate pair
    if count > MAX_VALUES or depth > MAX_NESTING or "\0" in collect_texts(value):
        raise ValueError(count)
    return value


def collect_texts(value: object) -> str:
    if isinstance(value, dict):
        return "".join(key + collect_texts(below) for key, below in value.items())
    return "".join(map(collect_texts, value)) if isinstance(value, list) else value if isinstance(value, str) else ""


@st.composite
def bodies_with_faults(draw: st.DrawFn) -> bytes:
    """Return JSON text into which other pieces were inserted, or from which characters were removed."""
    text = json.dumps(draw(VALUES), **draw(BODY_LIMITS))
    for _ in range(draw(st.integers(0, 3))):
        index = draw(st.integers(0, len(text)))
        left_out = draw(st.integers(0, 2))
        text = text[:index] + draw(st.sampled_from([*PIECES, "[" * 40, "]" * 40, "[]" * 40])) + text[index + left_out :]
    return text.encode("utf-8", "surrogatepass")


@settings(max_examples=500)
@given(bodies_with_faults())
@example(b"")
@example(b" ")
@example(b"\n{}")
@example(b"{}\r\n\t ")
@example(b"{}\x0b")
@example(b"{} x")
@example(b"[" * 33 + b"]" * 33)
@example(b"[" * 34 + b"]" * 34)
@example(b"[" * 33 + b"1" + b"]" * 33)
@example(rb'"\\u0000"')
@example(rb'"\\\u0000"')
@example(rb'"\ud83d\ude00"')
@example(rb'"\ude00\ud83d"')
@example(b"-" + b"9" * 20)
@example(b"9" * 21)
@example(b"-1.7976931348623157e+308")
@example(b"0.0000012345678901234567")
@example(b"1." + b"9" * 20)
def test_accepted_json_equals_the_reference_parser(text: bytes) -> None:
    """The server's checks return the same values and reject the same texts as a parser that checks afterwards."""
    expected: object = ...
    try:
        expected = read_reference(text)
    except (ValueError, RecursionError):
        with pytest.raises(HttpError):
            parsing.parse_json(text, "body")
        return
    assert repr(parsing.parse_json(text, "body")) == repr(expected)
