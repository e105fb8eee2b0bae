"""A value that cannot be converted or bound is the caller's mistake. The same exception within a rule is a bug, with an incident."""

from collections.abc import AsyncIterator
from decimal import InvalidOperation
from typing import Any, NewType, cast

import asyncpg
import pytest
import sqlmodel
import strawberry
from graphql import GraphQLError, GraphQLInputObjectType, GraphQLScalarType, is_input_type, is_leaf_type
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Integer, func, select
from sqlalchemy.exc import DBAPIError, StatementError
from strawberry.schema.config import StrawberryConfig

from db.engine.database import Database
from db.engine.statement import Query
from db.rows import CountRow
from db.sql.expressions import TENANT, col, parameter
from db.tables import Registration, Role
from db.tables.base import table_of
from resolvers.context import Info
from resolvers.execution.operation import MAX_VARIABLE_ERRORS
from schema.core.scalars import SCALARS
from server.http.error_masking import MAX_MESSAGE, format_error
from server.settings import Settings
from tests.ask import MUCH, Api, connected
from tests.builders import Tenant
from tests.inputs import CORE

OF_32_BITS = Query(
    select(func.count().label("count"))
    .select_from(table_of(Registration))
    .where(col(Registration.tenant_id) == TENANT, col(Registration.minutes) == parameter("wanted", Integer())),
    CountRow,
)
RAISED = {
    "ValueError": ValueError("of a rule"),
    "OverflowError": OverflowError("of a rule"),
    "InvalidOperation": InvalidOperation("of a rule"),
    "UnicodeEncodeError": UnicodeEncodeError("utf-8", "\ud800", 0, 1, "of a rule"),
}
Odd = NewType("Odd", int)


def odd(value: object) -> int:
    """As a scalar that nobody took care of: it lets out what Python raises."""
    if value == "bug":
        raise TypeError(value)
    return int(cast("str", value)) // 1


@strawberry.type
class Asked:
    @strawberry.field
    async def bound(self, info: Info, wanted: str) -> int:
        """The text is a number of any size, or stands for itself where it is none."""
        value = int(wanted) if wanted.isdigit() else wanted
        (found,) = await info.context.read_scope().fetch(OF_32_BITS, wanted=value)
        return found.count

    @strawberry.field
    async def rule(self, kind: str) -> int:
        raise RAISED[kind]

    @strawberry.field
    async def odd(self, number: Odd = Odd(1)) -> str:
        return str(number)

    @strawberry.field
    async def odds(self, numbers: list[Odd]) -> str:
        return str(numbers)


@strawberry.type
class Changed:
    @strawberry.mutation
    async def bound(self, info: Info) -> int:
        async with info.context.open_write_scope("bound") as scope:
            return len((await scope.session.exec(sqlmodel.select(Registration).where(col(Registration.minutes) == 2**40))).all())


@pytest.fixture(scope="module")
async def api(database: Database, crowded: Tenant) -> AsyncIterator[Api]:
    scalar = strawberry.scalar(name="Odd", parse_value=odd, serialize=str)
    served = strawberry.Schema(Asked, Changed, config=StrawberryConfig(scalar_map={**SCALARS, Odd: scalar}))
    async with connected(served, database) as http:
        yield Api(http, crowded.tokens[Role.OWNER])


async def only_error(api: Api, query: str, **variables: object) -> dict[str, Any]:
    (error,) = (await api.ask(query, **variables))["errors"]
    found: dict[str, Any] = error
    return found


BEYOND = "A value is beyond what can be stored. Send a smaller one."


@pytest.mark.parametrize("query", ['{ bound(wanted: "2147483648") }', "mutation { bound }"])
async def test_a_value_beyond_its_parameter_is_bad_input_at_its_field(api: Api, query: str) -> None:
    """By the driver of reads, and by SQLAlchemy's of changes."""
    error = await only_error(api, query)
    assert (error["message"], error["path"], error["extensions"]) == (BEYOND, ["bound"], {"code": "BAD_USER_INPUT"})


async def test_a_field_that_cannot_be_bound_leaves_the_others(api: Api) -> None:
    body = await api.ask('{ a: bound(wanted: "1") b: bound(wanted: "99999999999999999999") c: bound(wanted: "2147483647") }')
    assert body["data"] is None
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [(["b"], "BAD_USER_INPUT")]
    assert await api.data('{ a: bound(wanted: "1") }') == {"a": 0}


async def test_a_value_of_another_type_than_its_parameter_is_a_bug(api: Api) -> None:
    error = await only_error(api, '{ bound(wanted: "x") }')
    assert (error["message"], error["extensions"]["code"]) == ("Something went wrong.", "INTERNAL_SERVER_ERROR")
    assert error["extensions"]["incident"]


@pytest.mark.parametrize("kind", RAISED)
async def test_the_same_exception_in_a_rule_is_a_bug(api: Api, kind: str) -> None:
    error = await only_error(api, "query ($kind: String!) { rule(kind: $kind) }", kind=kind)
    assert (error["message"], error["extensions"]["code"]) == ("Something went wrong.", "INTERNAL_SERVER_ERROR")
    assert error["extensions"]["incident"]


WAYS = {
    "literal": ("{ odd(number: WRONG) }", None),
    "variable": ("query ($x: Odd) { odd(number: $x) }", "x"),
    "default": ("query ($x: Odd = WRONG) { odd(number: $x) }", None),
    "literal in a list": ("{ odds(numbers: [1, WRONG]) }", None),
    "variable in a list": ("query ($x: [Odd!]!) { odds(numbers: $x) }", "x[]"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_what_python_cannot_convert_is_bad_input(api: Api, way: str) -> None:
    """Said where it is, without Python's words."""
    query, name = WAYS[way]
    wrong = [1, "no number"] if name == "x[]" else "no number"
    error = await only_error(api, query.replace("WRONG", '"no number"'), **({"x": wrong} if name else {}))
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["locations"]
    assert "invalid literal" not in error["message"]
    assert "no number" in error["message"]
    assert name is None or "Variable '$x' has invalid value" in error["message"]


@pytest.mark.parametrize("way", WAYS)
async def test_another_exception_while_a_value_is_read_is_a_bug(api: Api, way: str) -> None:
    query, name = WAYS[way]
    wrong = ["bug"] if name == "x[]" else "bug"
    error = await only_error(api, query.replace("WRONG", '"bug"'), **({"x": wrong} if name else {}))
    assert (error["message"], error["extensions"]["code"]) == ("Something went wrong.", "INTERNAL_SERVER_ERROR")


def encoding(cause: Exception) -> asyncpg.DataError:
    """As the driver raises it where it encodes a value."""
    made = asyncpg.DataError("invalid input for query argument $1: 99999999999 (value out of int32 range)")
    made.__cause__ = cause
    return made


def in_adapter(failed: Exception) -> DBAPIError:
    adapted = Exception(str(failed))
    adapted.__cause__ = failed
    return DBAPIError("SELECT 1", None, adapted)


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        *((encoding(cause), "BAD_USER_INPUT") for cause in RAISED.values()),
        *((in_adapter(encoding(cause)), "BAD_USER_INPUT") for cause in RAISED.values()),
        *((StatementError("m", "SELECT 1", None, cause), "BAD_USER_INPUT") for cause in RAISED.values()),
        (encoding(TypeError("expected str, got int")), "INTERNAL_SERVER_ERROR"),
        (encoding(ZeroDivisionError()), "INTERNAL_SERVER_ERROR"),
        (asyncpg.NumericValueOutOfRangeError("integer out of range"), "INTERNAL_SERVER_ERROR"),
        (in_adapter(asyncpg.DatetimeFieldOverflowError("out of range")), "INTERNAL_SERVER_ERROR"),
        *((in_adapter(cause), "INTERNAL_SERVER_ERROR") for cause in RAISED.values()),
    ],
)
def test_only_what_fails_where_it_is_bound_is_bad_input(failed: Exception, code: str) -> None:
    """What the server says of data may be a sum of ours that grew too large."""
    answer = format_error(GraphQLError(str(failed), original_error=failed))
    assert answer["extensions"]["code"] == code
    assert "int32" not in str(answer)


LONG = "x" * 15_000
MANY_FAULTS: dict[str, tuple[str, Any]] = {
    "unknown fields of a large input": (
        "mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { query { __typename } } }",
        {"name": "a" * 900_000, **{f"unknown{place}": 1 for place in range(60)}},
    ),
    "a long name": ("mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { query { __typename } } }", {"x" * 900_000: 1}),
    "long names": (
        "mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { query { __typename } } }",
        {f"{LONG}{place}": 1 for place in range(60)},
    ),
    "long words of an enum": ("query ($x: ClientOrderInput) { clients(orderBy: $x) { totalCount } }", {"field": LONG, "direction": LONG}),
    "a field of a document": (f"{{ {LONG} }}", None),
    "a literal of a document": (f'{{ clients(first: "{LONG}") {{ totalCount }} }}', None),
    "a document that cannot be parsed": (f"{{ a(: {LONG} }}", None),
    "a document of many wrong values": (
        "{ " + "".join(f"a{place}: clients(first: WRONG) {{ totalCount }} " for place in range(20)) + "}",
        None,
    ),
}


@pytest.mark.parametrize(("query", "wrong"), MANY_FAULTS.values(), ids=MANY_FAULTS)
@pytest.mark.parametrize("is_compiled", [True, False])
async def test_many_faults_get_few_short_errors(
    database: Database, schema: strawberry.Schema, crowded: Tenant, query: str, wrong: object, is_compiled: bool
) -> None:
    """Each error looks at the whole value, so their number bounds the work too."""
    async with connected(schema, database, Settings(max_auth_failures=MUCH, rate_limit_burst=MUCH, compiled_executor=is_compiled)) as http:
        response = await Api(http, crowded.tokens[Role.OWNER]).post({"query": query, "variables": {"x": wrong}})
    errors = response.json()["errors"]
    assert 0 < len(errors) <= MAX_VARIABLE_ERRORS + 1  # the last one says that there are more
    assert all(len(error["message"]) <= MAX_MESSAGE + 1 and error["extensions"]["code"] for error in errors)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.from_regex(r"[0-9+TZ:.-]{0,40}", fullmatch=True),
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=3), values, max_size=2),
    max_leaves=3,
)
MOMENTS = st.datetimes().map(str) | st.builds(
    "{}T{}{}".format, st.dates(), st.times(), st.sampled_from(["Z", "+14:00", "-23:59", "+24:00"])
)


@given(JSON | MOMENTS | st.dates().map(str) | st.decimals().map(str))
def test_no_scalar_lets_out_what_python_raises(value: object) -> None:
    """A value, or an error of GraphQL in words of ours."""
    for scalar in CORE.type_map.values():
        if isinstance(scalar, GraphQLScalarType):
            error = refusal(scalar, value)
            assert error is None or (error.original_error is None and len(error.message) < 700)


def refusal(scalar: GraphQLScalarType, value: object) -> GraphQLError | None:
    try:
        scalar.coerce_input_value(value)
    except GraphQLError as wrong:
        return wrong
    return None


def test_every_input_is_converted_by_its_fields_alone() -> None:
    """Code of its own could let out what Python raises, which would be taken for a bug of the resolver."""
    inputs = [kind for kind in CORE.type_map.values() if is_input_type(kind) and not is_leaf_type(kind)]
    assert len(inputs) > 40
    for kind in inputs:
        declared = cast("GraphQLInputObjectType", kind).extensions["strawberry-definition"]
        assert declared.from_input is None
        assert not hasattr(declared.origin, "__post_init__")
