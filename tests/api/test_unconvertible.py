"""Test that a value that cannot be converted or bound is the caller's mistake, and that the same exception in a rule is an incident."""

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
from tests.support.api import HUGE_LIMIT, Api, connect_client
from tests.support.builders import Tenant
from tests.support.mutation_inputs import SCHEMA

INTEGER_QUERY = Query(
    select(func.count().label("count"))
    .select_from(table_of(Registration))
    .where(col(Registration.tenant_id) == TENANT, col(Registration.minutes) == parameter("wanted", Integer())),
    CountRow,
)
PYTHON_ERRORS = {
    "ValueError": ValueError("of a rule"),
    "OverflowError": OverflowError("of a rule"),
    "InvalidOperation": InvalidOperation("of a rule"),
    "UnicodeEncodeError": UnicodeEncodeError("utf-8", "\ud800", 0, 1, "of a rule"),
}
Odd = NewType("Odd", int)


def raise_python_error(value: object) -> int:
    """Raise a Python error as a careless scalar would."""
    if value == "bug":
        raise TypeError(value)
    return int(cast("str", value)) // 1


@strawberry.type
class UnconvertibleQuery:
    @strawberry.field
    async def convert(self, info: Info, wanted: str) -> int:
        """Bind the text as an integer of any size, or as text if it is not a number."""
        value = int(wanted) if wanted.isdigit() else wanted
        (row,) = await info.context.read_scope().fetch(INTEGER_QUERY, wanted=value)
        return row.count

    @strawberry.field
    async def rule(self, kind: str) -> int:
        raise PYTHON_ERRORS[kind]

    @strawberry.field
    async def odd(self, number: Odd = Odd(1)) -> str:
        return str(number)

    @strawberry.field
    async def odds(self, numbers: list[Odd]) -> str:
        return str(numbers)


@strawberry.type
class UnconvertibleMutation:
    @strawberry.mutation
    async def convert(self, info: Info) -> int:
        async with info.context.open_write_scope("convert") as scope:
            return len((await scope.session.exec(sqlmodel.select(Registration).where(col(Registration.minutes) == 2**40))).all())


@pytest.fixture(scope="module")
async def api(database: Database, sample_org: Tenant) -> AsyncIterator[Api]:
    scalar = strawberry.scalar(name="Odd", parse_value=raise_python_error, serialize=str)
    test_schema = strawberry.Schema(UnconvertibleQuery, UnconvertibleMutation, config=StrawberryConfig(scalar_map={**SCALARS, Odd: scalar}))
    async with connect_client(test_schema, database) as http:
        yield Api(http, sample_org.tokens[Role.OWNER])


async def only_error(api: Api, query: str, **variables: object) -> dict[str, Any]:
    (error,) = (await api.execute(query, **variables))["errors"]
    error_body: dict[str, Any] = error
    return error_body


BEYOND = "A value is too large to be stored. Send a smaller one."


@pytest.mark.parametrize("query", ['{ convert(wanted: "2147483648") }', "mutation { convert }"])
async def test_value_beyond_its_parameter_is_bad_input_at_its_field(api: Api, query: str) -> None:
    """The driver reports it for reads, and SQLAlchemy for writes."""
    error = await only_error(api, query)
    assert (error["message"], error["path"], error["extensions"]) == (BEYOND, ["convert"], {"code": "BAD_USER_INPUT"})


async def test_unbindable_field_leaves_the_others_intact(api: Api) -> None:
    body = await api.execute('{ a: convert(wanted: "1") b: convert(wanted: "99999999999999999999") c: convert(wanted: "2147483647") }')
    assert body["data"] is None
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [(["b"], "BAD_USER_INPUT")]
    assert await api.data('{ a: convert(wanted: "1") }') == {"a": 0}


async def test_value_of_another_type_than_its_parameter_is_an_incident(api: Api) -> None:
    error = await only_error(api, '{ convert(wanted: "x") }')
    assert (error["message"], error["extensions"]["code"]) == (
        "An internal error occurred. Report its `incident` to the operator.",
        "INTERNAL_SERVER_ERROR",
    )
    assert error["extensions"]["incident"]


@pytest.mark.parametrize("kind", PYTHON_ERRORS)
async def test_python_error_in_a_rule_is_an_incident(api: Api, kind: str) -> None:
    error = await only_error(api, "query ($kind: String!) { rule(kind: $kind) }", kind=kind)
    assert (error["message"], error["extensions"]["code"]) == (
        "An internal error occurred. Report its `incident` to the operator.",
        "INTERNAL_SERVER_ERROR",
    )
    assert error["extensions"]["incident"]


VALUE_FORMS = {
    "literal": ("{ odd(number: WRONG) }", None),
    "variable": ("query ($x: Odd) { odd(number: $x) }", "x"),
    "default": ("query ($x: Odd = WRONG) { odd(number: $x) }", None),
    "literal in a list": ("{ odds(numbers: [1, WRONG]) }", None),
    "variable in a list": ("query ($x: [Odd!]!) { odds(numbers: $x) }", "x[]"),
}

PATHS = {
    "literal": ["number"],
    "variable": ["x"],
    "default": ["x"],
    "literal in a list": ["numbers", "1"],
    "variable in a list": ["x", "1"],
}


@pytest.mark.parametrize("form", VALUE_FORMS)
async def test_value_that_python_cannot_convert_is_bad_input(api: Api, form: str) -> None:
    """The error has its location and its path, without Python's message."""
    query, name = VALUE_FORMS[form]
    wrong = [1, "no number"] if name == "x[]" else "no number"
    error = await only_error(api, query.replace("WRONG", '"no number"'), **({"x": wrong} if name else {}))
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": PATHS[form]}
    assert error["locations"]
    assert "invalid literal" not in error["message"]
    assert "no number" in error["message"]
    assert name is None or "Variable '$x' has invalid value" in error["message"]


@pytest.mark.parametrize("form", VALUE_FORMS)
async def test_other_exception_while_parsing_a_value_is_an_incident(api: Api, form: str) -> None:
    query, name = VALUE_FORMS[form]
    wrong = ["bug"] if name == "x[]" else "bug"
    error = await only_error(api, query.replace("WRONG", '"bug"'), **({"x": wrong} if name else {}))
    assert (error["message"], error["extensions"]["code"]) == (
        "An internal error occurred. Report its `incident` to the operator.",
        "INTERNAL_SERVER_ERROR",
    )


def encoding_error(cause: Exception) -> asyncpg.DataError:
    """Return the error that the driver raises if it cannot encode a value."""
    error = asyncpg.DataError("invalid input for query argument $1: 99999999999 (value out of int32 range)")
    error.__cause__ = cause
    return error


def in_sqlalchemy(cause: Exception) -> DBAPIError:
    adapter_error = Exception(str(cause))
    adapter_error.__cause__ = cause
    return DBAPIError("SELECT 1", None, adapter_error)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        *((encoding_error(cause), "BAD_USER_INPUT") for cause in PYTHON_ERRORS.values()),
        *((in_sqlalchemy(encoding_error(cause)), "BAD_USER_INPUT") for cause in PYTHON_ERRORS.values()),
        *((StatementError("m", "SELECT 1", None, cause), "BAD_USER_INPUT") for cause in PYTHON_ERRORS.values()),
        (encoding_error(TypeError("expected str, got int")), "INTERNAL_SERVER_ERROR"),
        (encoding_error(ZeroDivisionError()), "INTERNAL_SERVER_ERROR"),
        (asyncpg.NumericValueOutOfRangeError("integer out of range"), "INTERNAL_SERVER_ERROR"),
        (in_sqlalchemy(asyncpg.DatetimeFieldOverflowError("out of range")), "INTERNAL_SERVER_ERROR"),
        *((in_sqlalchemy(cause), "INTERNAL_SERVER_ERROR") for cause in PYTHON_ERRORS.values()),
    ],
)
def test_only_binding_failures_are_bad_input(failure: Exception, code: str) -> None:
    """An error that the database reports may come from our own computation, such as a sum that is too large."""
    answer = format_error(GraphQLError(str(failure), original_error=failure))
    assert answer["extensions"]["code"] == code
    assert "int32" not in str(answer)


LONG = "x" * 15_000
MANY_FAULTS: dict[str, tuple[str, Any]] = {
    "unknown fields of a large input": (
        "mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { query { __typename } } }",
        {"name": "a" * 900_000, **{f"unknown{index}": 1 for index in range(60)}},
    ),
    "a long name": ("mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { query { __typename } } }", {"x" * 900_000: 1}),
    "long names": (
        "mutation ($x: ClientCreateInput!) { clientCreate(input: $x) { query { __typename } } }",
        {f"{LONG}{index}": 1 for index in range(60)},
    ),
    "long words of an enum": ("query ($x: ClientOrderInput) { clients(orderBy: $x) { totalCount } }", {"field": LONG, "direction": LONG}),
    "a field of a document": (f"{{ {LONG} }}", None),
    "a literal of a document": (f'{{ clients(first: "{LONG}") {{ totalCount }} }}', None),
    "a document that cannot be parsed": (f"{{ a(: {LONG} }}", None),
    "a document of many wrong values": (
        "{ " + "".join(f"a{index}: clients(first: WRONG) {{ totalCount }} " for index in range(20)) + "}",
        None,
    ),
}


@pytest.mark.parametrize(("query", "wrong"), MANY_FAULTS.values(), ids=MANY_FAULTS)
@pytest.mark.parametrize("is_compiled", [True, False])
async def test_many_errors_are_returned_few_and_short(
    database: Database, schema: strawberry.Schema, sample_org: Tenant, query: str, wrong: object, is_compiled: bool
) -> None:
    """The number of errors is limited because each of them reads the whole value."""
    async with connect_client(
        schema, database, Settings(max_auth_failures=HUGE_LIMIT, rate_limit_burst=HUGE_LIMIT, compiled_executor=is_compiled)
    ) as http:
        response = await Api(http, sample_org.tokens[Role.OWNER]).post({"query": query, "variables": {"x": wrong}})
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
def test_no_scalar_leaks_python_errors(value: object) -> None:
    """Each scalar returns a value or raises a GraphQL error with a message of its own."""
    for scalar in SCHEMA.type_map.values():
        if isinstance(scalar, GraphQLScalarType):
            error = coercion_error(scalar, value)
            assert error is None or (error.original_error is None and len(error.message) < 700)


def coercion_error(scalar: GraphQLScalarType, value: object) -> GraphQLError | None:
    try:
        scalar.coerce_input_value(value)
    except GraphQLError as wrong:
        return wrong
    return None


def test_no_input_type_has_conversion_code_of_its_own() -> None:
    """A Python error in such code would be reported as a bug of the resolver."""
    inputs = [kind for kind in SCHEMA.type_map.values() if is_input_type(kind) and not is_leaf_type(kind)]
    assert len(inputs) > 40
    for kind in inputs:
        declared = cast("GraphQLInputObjectType", kind).extensions["strawberry-definition"]
        assert declared.from_input is None
        assert not hasattr(declared.origin, "__post_init__")
