"""Every root field, connection and total has an operation in `benchmarks.points`. Nothing is timed here."""

import pytest
from graphql import GraphQLObjectType, get_named_type, parse, validate

from benchmarks.cost_cases import MOST, TOTAL, CostCase, build_cases, is_connection, priced_fields
from schema.build import build

CORE = build()._schema  # noqa: SLF001
CASES = build_cases(CORE)


def test_every_root_field_connection_and_weight_is_measured() -> None:
    root = CORE.query_type
    assert root is not None
    measured = {case.field for case in CASES}
    assert measured == priced_fields(CORE)
    assert {f"{root.name}.{name}" for name in root.fields} <= measured | set(connection_arguments(root))
    objects = [kind for kind in CORE.type_map.values() if isinstance(kind, GraphQLObjectType)]
    assert {f"{kind.name}.{TOTAL}" for kind in objects if TOTAL in kind.fields} <= measured


def test_every_total_is_measured_with_and_without_each_argument() -> None:
    """This holds for each field that returns the connection."""
    for kind in CORE.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind is not CORE.mutation_type:
            for path, arguments in connection_arguments(kind).items():
                queries = [case.query for case in CASES if case.field.endswith(f".{TOTAL}") and path in case.arguments]
                assert queries, path
                assert all(any(f"{argument}: " in query for query in queries) for argument in arguments), path


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.field} {case.arguments}")
def test_every_operation_is_valid_and_finds_its_objects(case: CostCase) -> None:
    assert validate(CORE, parse(case.query)) == []
    assert case.source is None or case.source in MOST


def connection_arguments(kind: GraphQLObjectType) -> dict[str, list[str]]:
    """Return the connection fields of a type, each with the arguments that filter its entries."""
    paging = {"first", "after", "last", "before", "orderBy"}
    return {
        f"{kind.name}.{name}": [argument for argument in field.args if argument not in paging]
        for name, field in kind.fields.items()
        if is_connection(get_named_type(field.type))
    }
