"""The functions that the compiled executor generates."""

import ast
import inspect
import textwrap

import strawberry
from graphql import parse

import resolvers.execution
from resolvers.execution.codegen import CodeGenerator
from resolvers.execution.plan import FetchedField, Level
from tests.support.compiled_queries import compile_plan


def test_package_docstring_shows_a_generated_function(schema: strawberry.Schema) -> None:
    paragraphs = (inspect.getdoc(resolvers.execution) or "").split("\n\n")
    document, function = [textwrap.dedent(paragraph) for paragraph in paragraphs if paragraph.startswith("    ")]
    plan = compile_plan(schema, parse(document))
    assert plan
    generated = CodeGenerator().generate_function(enter_only_field(enter_only_field(plan.root)))
    assert ast.unparse(ast.parse(function)) == ast.unparse(ast.parse(generated))


def enter_only_field(level: Level) -> Level:
    """Return the level of the only field of a level."""
    ((_, field),) = level.fields
    assert isinstance(field, FetchedField)
    assert isinstance(field.content, Level)
    return field.content
