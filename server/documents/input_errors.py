"""Point the errors of graphql-core at the wrong value: its path in the argument or variable, and a message for people.

The path is in `extensions.path`. Its first step is the name of the argument or variable; the others are fields and indexes of lists.
"""

import re
from collections.abc import Sequence

from graphql import (
    GraphQLDirective,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    VisitorAction,
)
from graphql.language import SKIP
from graphql.utilities import validate_input_literal

from resolvers.execution.strictness import strict_ids

# graphql-core gives the path of a wrong variable only as text. All names in it are those of the schema, before any text of the caller.
VARIABLE_ERROR = re.compile(r"Variable '\$(\w+)' has invalid value(?: at )?((?:\.\w+|\[\d+\])*): (.*)", re.DOTALL)
STEP = re.compile(r"\w+")
ONE_OF_ERROR = re.compile(r"Within OneOf Input Object type '(\w+)', exactly one field must be specified, .*")


def describe_variable_error(schema: GraphQLSchema, error: GraphQLError) -> GraphQLError:
    """Add the path to an error about the value of a variable. Return any other error unchanged."""
    match = VARIABLE_ERROR.fullmatch(error.message)
    if match is None:
        return error
    message = _describe_one_of(schema, match[3]) or error.message
    return _with_path(error, message, [match[1], *STEP.findall(match[2])])


def _describe_one_of(schema: GraphQLSchema, message: str) -> str | None:
    """Return the message for a violation of `@oneOf`, or None if the message is about something else."""
    match = ONE_OF_ERROR.fullmatch(message)
    kind = schema.type_map.get(match[1]) if match else None
    return f"Give exactly one of {', '.join(f'`{name}`' for name in kind.fields)}." if isinstance(kind, GraphQLInputObjectType) else None


def _with_path(error: GraphQLError, message: str, path: Sequence[str], node: ValueNode | None = None) -> GraphQLError:
    return GraphQLError(message, error.nodes or node, original_error=error.original_error, extensions={"path": path})


class InputLiteralsRule(ValuesOfCorrectTypeRule):
    """Check literals as graphql-core does, and add the position and the path to each error.

    A malformed id in the input of a mutation is no error here: the mutation reports it.
    """

    _variable_name: str | None = None
    _operation_type: OperationType | None = None

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
        self._operation_type = node.operation

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> None:
        self._variable_name = node.variable.name.value

    def leave_variable_definition(self, *_: object) -> None:
        self._variable_name = None

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Check a whole argument or default value. The name is that of graphql-core, which calls this for the outermost value only."""
        if input_type is None:  # of an unknown argument, which another rule reports
            return SKIP
        start = self._variable_name or self._find_argument_name()

        def report(error: GraphQLError, path: Sequence[str | int]) -> None:
            message = _describe_one_of(self.context.schema, error.message) or error.message
            self.report_error(_with_path(error, message, [start, *map(str, path)], node))

        with strict_ids(is_strict=not self._is_in_mutation_input()):
            validate_input_literal(node, input_type, report, hide_suggestions=self.context.hide_suggestions)
        return SKIP

    def _is_in_mutation_input(self) -> bool:
        if self._variable_name:
            return self._operation_type is OperationType.MUTATION
        mutation_type = self.context.schema.mutation_type
        return mutation_type is not None and self.context.get_parent_type() is mutation_type

    def _find_argument_name(self) -> str:
        """Return the name of the argument whose value is checked."""
        owner: GraphQLDirective | GraphQLField | None = self.context.get_directive() or self.context.get_field_def()
        argument = self.context.get_argument()
        return next(name for name, each in owner.args.items() if each is argument) if owner else ""
