"""Every deprecation says what to use instead and until when the old one works, as docs/explanation/compatibility.md promises."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

ROOT = Path(__file__).parents[2]
SCHEMA = build_schema((ROOT / "schema" / "schema.graphql").read_text())
REASON = re.compile(r"[A-Z].*\. (?:Use `(?P<replacement>[\w.]+)`|There is no replacement)\. Removed after (?P<day>\d{4}-\d{2}-\d{2})\.")


def members(kind: GraphQLNamedType) -> Mapping[str, object]:
    """Return the fields, input fields or values of a type by name."""
    match kind:
        case GraphQLEnumType():
            return {**kind.values}
        case GraphQLObjectType() | GraphQLInterfaceType() | GraphQLInputObjectType():
            return {**kind.fields}
        case _:
            return {}


def deprecations(schema: GraphQLSchema) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Yield the name and the reason of each deprecation, with what stands beside it."""
    for kind in schema.type_map.values():
        for name, member in members(kind).items():
            for argument_name, argument in getattr(member, "args", {}).items():
                if argument.deprecation_reason is not None:
                    yield f"{kind.name}.{name}({argument_name}:)", argument.deprecation_reason, getattr(member, "args", {})
            reason: str | None = getattr(member, "deprecation_reason", None)
            if reason is not None:
                yield f"{kind.name}.{name}", reason, members(kind)


def find_violations(schema: GraphQLSchema) -> list[str]:
    """Return the deprecations whose reason has another form, names a replacement that does not exist, or has no valid date."""
    return [name for name, reason, siblings in deprecations(schema) if not is_valid(schema, reason, siblings)]


def is_valid(schema: GraphQLSchema, reason: str, siblings: Mapping[str, object]) -> bool:
    match = REASON.fullmatch(reason)
    if match is None or not is_date(match["day"]):
        return False
    type_name, _, name = (match["replacement"] or "").rpartition(".")
    candidates = members(schema.type_map[type_name]) if type_name in schema.type_map else siblings
    return not name or getattr(candidates.get(name), "deprecation_reason", "") is None


def is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text) > date(2026, 1, 1)
    except ValueError:
        return False


def test_every_deprecation_has_the_promised_form() -> None:
    assert find_violations(SCHEMA) == []


def plant(reason: str) -> GraphQLSchema:
    """Build a schema that deprecates a field, an argument, an input field and an enum value for this reason."""
    text = reason.replace('"', r"\"")
    deprecated = f'@deprecated(reason: "{text}")'
    return build_schema(f"""
      type Query {{ other: Kind old(other: Int old: Int {deprecated} in: Input): Int {deprecated} gone: Int @deprecated }}
      input Input {{ other: Int old: Int {deprecated} }}
      enum Kind {{ other old {deprecated} }}
    """)


PLANTED = ["Query.old(old:)", "Query.old", "Input.old", "Kind.old"]


@pytest.mark.parametrize(
    "reason",
    [
        "The name is ambiguous. Use `other`. Removed after 2027-06-30.",
        "The name is ambiguous. Use `Query.other`. Removed after 2027-06-30.",
        "Nobody needs it. There is no replacement. Removed after 2027-06-30.",
    ],
)
def test_reason_of_the_promised_form_is_accepted(reason: str) -> None:
    """`gone` has the default reason of GraphQL, `No longer supported`."""
    assert find_violations(plant(reason)) == ["Query.gone"]


@pytest.mark.parametrize(
    "reason",
    [
        "Never was.",
        "Use `other`.",
        "Use `other`. Removed after 2027-06-30.",
        "The name is ambiguous. Use other. Removed after 2027-06-30.",
        "The name is ambiguous. Use `other`. Removed after 2027-06-31.",
        "The name is ambiguous. Use `other`. Removed after June 2027.",
        "The name is ambiguous. Use `unknown`. Removed after 2027-06-30.",
        "The name is ambiguous. Use `Query.unknown`. Removed after 2027-06-30.",
        "The name is ambiguous. Use `old`. Removed after 2027-06-30.",
        "The name is ambiguous. Use `other`. Removed after 2027-06-30",
    ],
)
def test_reason_of_another_form_is_found(reason: str) -> None:
    assert [name for name in find_violations(plant(reason)) if name != "Query.gone"] == PLANTED


def test_page_shows_a_reason_of_this_form() -> None:
    page = " ".join((ROOT / "docs" / "explanation" / "compatibility.md").read_text().split())
    (example,) = re.findall(r'"([^"]*Removed after [^"]*)"', page)
    assert REASON.fullmatch(example)
