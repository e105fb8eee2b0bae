"""Generate hostile values: for a GraphQL type, of any type, and as JSON text that no encoder would write."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

Strategy = st.SearchStrategy[Any]
SIZES = st.sampled_from([0, 1, 2, 3, 31, 32, 101, 600])
REPETITIONS = st.sampled_from([1, 2, 100, 101, 600])
MARKS = ["\u0300", "\u0316", "\u0345", "\u05b0", "\u1ab0", "\u0f71\u0f72", "\u3099", "\u20dd", "\u0488"]
LARGEST = 100_000  # most characters of a list
CHARACTERS = [
    "", " ", "\t", "\r\n", "\0", "\x1b[31m", "\x7f", "\x85", "\xa0", "\xad", "\u200b", "\u200d", "\u200e", "\u202e", "\u2028",
    "\u2060", "\ufeff", "\ufffd", "\ufffe", "\ud800", "\udfff", "\ud83d\ude00", "\U0010ffff", "\U000e0061", "\u0130", "\u0131",
    "ß", "\ufb03", "\u1e9e", "é", "e\u0301", "\u0660", "\u2160", "\u00b2", "\u2100", "\uff21", "\u1100\u1161",
    "\U0001f468\u200d\U0001f469", "%", "_", "\\", "'", '"', "`", "[/x]", "{{7*7}}",
]  # fmt: skip
WORDS = [
    "a",
    "Client",
    "NL",
    "nl-NL",
    "EUR",
    "12345678",
    "an@test.example",
    "https://test.example",
    "+31 20 123 4567",
    "NL91ABNA0417164300",
]
INTEGERS = [
    0, -1, 1, 100, 101, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, 10**19, -(10**19), 0.0, -0.0,
    1.0, 1.5, 100.0, 100.5, 2.0**31, 1e19, 1e300, 5e-324, True, False, "5", "\u0665", "1_000", "",
]  # fmt: skip
DECIMALS = [
    "0", "-0", "1", "0.00001", "1e2", "1E+400", "1e-400", "1e1000000", "NaN", "sNaN", "Infinity", "-inf", "\u0661", "1_0",
    " 1 ", "+1", "0x10", "", "9" * 30, "0." + "9" * 3_000, "9" * 6_000, 1, 1.1, 10**19, 1e300,
]  # fmt: skip
DATES = [
    "0000-01-01", "0001-01-01", "1899-12-31", "1900-01-01", "1900-02-29", "2024-02-29", "2025-02-29", "9998-12-31",
    "9999-12-31", "10000-01-01", "-0001-01-01", "20260101", "2026-W01-1", "2026-001", "2026-1-1", "2026-01-01T00:00:00Z",
    "\u0662026-01-01", "", "today", 20260101,
]  # fmt: skip
CLOCKS = [
    "T00:00:00Z",
    "T00:00:00",
    "T23:59:59.999999999Z",
    "T24:00:00Z",
    "T23:59:60Z",
    "T00:00Z",
    " 00:00:00Z",
    "t00:00:00z",
    "T00:00:00,5Z",
    "T000000Z",
]
OFFSETS = [
    "T00:00:00+14:00",
    "T00:00:00-14:00",
    "T23:59:59+23:59",
    "T23:59:59-23:59",
    "T00:00:00+24:00",
    "T00:00:00+00:00:01",
    "T12:00:00-00:00",
]

EXTREMES = [
    *(f"{day}{offset}" for day in ("0001-01-01T00:00:00", "9999-12-31T23:59:59") for offset in ("Z", "+14:00", "-14:00", "+23:59")),
    "1899-12-31T23:59:59Z",
    "9998-12-31T23:59:59-23:59",
]


@st.composite
def hostile_texts(draw: DrawFn) -> str:
    """Return a text of a few difficult parts, each repeated."""
    if draw(st.integers(0, 15)) == 0:
        return "a" + "".join(draw(st.sampled_from(MARKS)) * draw(st.sampled_from([15, 31, 15_000])) for _ in range(2))
    parts = st.sampled_from([*CHARACTERS, *WORDS, *MARKS])
    return "".join(draw(parts) * draw(SIZES) for _ in range(draw(st.integers(1, 3)))) + draw(st.sampled_from(["", "a"]))


@st.composite
def hostile_ids(draw: DrawFn, known_ids: Sequence[str]) -> str:
    """Return an id of any type, an id that was changed, or one with an invalid key."""
    kind = draw(st.sampled_from(["cli", "con", "xyz", "CLI", "", "é", "\0", "cli_cli"]))
    key = draw(st.sampled_from(["", "1", "x", "\0", "A" * 22, "_" * 21 + "A", "z" * 22, "+/" * 11, "{0}", "é" * 22, "9" * 5_000]))
    id_ = draw(st.sampled_from([*known_ids, f"{kind}_{key}", "Q2xpZW50OjE="]))
    return draw(st.sampled_from([id_, id_, id_[:-1], id_ + "=", id_.lower(), f" {id_}", id_ * 50]))


@st.composite
def hostile_timestamps(draw: DrawFn) -> str:
    extreme = draw(st.sampled_from(EXTREMES))
    return extreme if draw(st.integers(0, 3)) else str(draw(st.sampled_from(DATES))) + draw(st.sampled_from(CLOCKS + OFFSETS))


@lru_cache
def any_json(depth: int = 3) -> Strategy:
    """Return any JSON value. It is small except for its texts."""
    leaf = st.one_of(st.none(), st.booleans(), st.sampled_from(INTEGERS), hostile_texts())
    if depth == 0:
        return leaf
    below = st.deferred(lambda: any_json(depth - 1))
    return st.one_of(leaf, st.lists(below, max_size=3), st.dictionaries(hostile_texts(), below, max_size=3), nested_values())


@st.composite
def nested_values(draw: DrawFn) -> object:
    """Return a value nested in many lists or objects."""
    value: object = draw(st.sampled_from([None, 0, "a", {}, []]))
    for _ in range(draw(st.sampled_from([1, 2, 10, 31, 32, 33, 200]))):
        value = [value] if draw(st.booleans()) else {"a": value}
    return value


def values_of_type(name: str, known_ids: list[str]) -> Strategy:
    """Return values of a scalar type at and beyond its limits, and some of other types."""
    return _strategy_of_type(name, tuple(known_ids))


@lru_cache
def _strategy_of_type(name: str, known_ids: tuple[str, ...]) -> Strategy:
    """Return the strategy from a cache, because to create strategies takes longer than to draw from them."""
    right = {
        "Boolean": st.sampled_from([True, False, 0, 1, "true", None]),
        "Date": st.sampled_from(DATES),
        "DateTime": hostile_timestamps(),
        "Decimal": st.sampled_from(DECIMALS),
        "Float": st.sampled_from(INTEGERS),
        "ID": hostile_ids(known_ids),
        "Int": st.sampled_from(INTEGERS),
    }.get(name, hostile_texts())
    return st.one_of(right, right, right, any_json(1))


@st.composite
def long_lists(draw: DrawFn, entry: object) -> object:
    """Return a list that repeats an entry, perhaps nested in lists or with null in it."""
    entries: list[object] = [entry] * min(draw(REPETITIONS), 1 + LARGEST // len(repr(entry)))
    return draw(st.sampled_from([entries, [*entries, None], [entries], [[entries]], [[]] * len(entries), [{}] * len(entries), entry, []]))


# JSON text


NUMBERS = [
    "0", "-0", "00", "-", "+1", ".5", "5.", "1e", "1e5", "1E+400", "-1e400", "1e-400", "0.1e1", "1" + "0" * 18, "9" * 21,
    "9" * 5_000, "-" + "9" * 400, "0." + "1" * 5_000, "1e" + "9" * 400, "NaN", "Infinity", "-Infinity", "0x10", "1_0", "\u0661",
    "true", "True", "nul", "undefined",
]  # fmt: skip
STRINGS = [
    '""', '"a"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\u00"', '"\\x"', '"\0"', '"\t"', '"\n"',
    '"a', "'a'", '"\\"', '"__proto__"', '"\ufeff"', '"\u2028"',
]  # fmt: skip
SPACES = st.sampled_from(["", "", "", " ", "\n\t\r", "\ufeff", "\xa0", "\f", "/**/", "//\n", "\0"])
OPENINGS = ["[", '{"a":', "[[", '[{"a":', '{"a":[']


@st.composite
def json_texts(draw: DrawFn, depth: int = 3) -> str:
    """Return text that is JSON or almost: with extreme numbers, broken texts, repeated keys, strange spaces or unclosed lists."""
    kind = draw(st.integers(0, 9 if depth else 4))
    space = draw(SPACES)
    if kind <= 1:
        return space + draw(st.sampled_from(NUMBERS))
    if kind <= 3:
        return space + draw(st.sampled_from(STRINGS))
    if kind == 4:
        return space + json.dumps(draw(hostile_texts()), ensure_ascii=draw(st.booleans()))
    below = [draw(json_texts(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    comma = draw(st.sampled_from([",", ",", ",", "", ",,", ", "]))
    if kind <= 6:
        return f"{space}[{comma.join(below)}]"
    if kind <= 8:
        keys = [draw(st.sampled_from([*STRINGS, '"a"', '"a"', "a"])) for _ in below]
        return f"{space}{{{comma.join(f'{key}:{value}' for key, value in zip(keys, below, strict=True))}}}"
    opening, times = draw(st.sampled_from(OPENINGS)), draw(st.sampled_from([10, 32, 33, 500, 20_000]))
    closing = "".join({"[": "]", "{": "}"}[sign] for sign in reversed(opening) if sign in "[{") * times
    return opening * times + "0" + draw(st.sampled_from([closing, closing[1:], ""]))


@st.composite
def large_json(draw: DrawFn) -> str:
    """Return a JSON value of very many small parts."""
    part = draw(st.sampled_from(["[]", "{}", "0", '""', "null", '{"a":0}', "[[]]", "1e308", '"\u0300"']))
    times = draw(st.sampled_from([1_000, 19_000, 21_000, 100_000]))
    if draw(st.booleans()):
        return f"[{','.join([part] * times)}]"
    return "{" + ",".join(f'"{index}":{part}' for index in range(min(times, 60_000))) + "}"
