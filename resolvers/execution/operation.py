"""Run operations on graphql-core as Strawberry does, but without reference cycles, and with prepared operations."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLResolveInfoHelpers,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableValues,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails
from graphql.execution.values import get_variable_values
from graphql.pyutils import AwaitableOrValue
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.execution import projection
from resolvers.execution.strictness import strict_ids

# Errors that are reported for variables, and for a document. graphql-core's default of 50 took up to 90 ms for 1 MB of variables,
# because each error formats the whole value.
MAX_VARIABLE_ERRORS = 5
MAX_OBJECTS = 200_000
INTROSPECTION_FIELDS = {"__schema", "__type"}
# Full introspection takes a tenth of a second, so it must not block the event loop. One thread: more would slow it down.
INTROSPECTION_THREAD = ThreadPoolExecutor(1, "introspection")


class ResponseTooLargeError(Exception):
    """The response would have too many objects, so the operation ends."""


@dataclass(frozen=True)
class PreparedOperation:
    """An operation, the fragments of its document, which graphql-core would collect for each request, and the columns that it reads."""

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    details: dict[str, FragmentDetails]
    requested_columns: frozenset[str] | None

    @classmethod
    def prepare_all(
        cls, schema: GraphQLSchema, operations: Sequence[OperationDefinitionNode], fragments: dict[str, FragmentDefinitionNode]
    ) -> list[Self]:
        """Prepare all operations of a document, which share its fragments. Fragments have no variables: the parser rejects them."""
        details = {name: FragmentDetails(each) for name, each in fragments.items()}
        return [cls(each, fragments, details, projection.find_requested_columns(schema, each, fragments)) for each in operations]

    def coerce_variables(
        self, schema: GraphQLSchema, raw_values: Mapping[str, Any], *, hide_suggestions: bool
    ) -> VariableValues | list[GraphQLError]:
        """Coerce the variables of a request. Return their values, with the defaults, or the errors.

        Variables are coerced only here: the cost, the limits and the execution all use these values.
        """
        definitions = self.operation.variable_definitions or ()
        with strict_ids(is_strict=self.operation.operation is not OperationType.MUTATION):
            return get_variable_values(schema, definitions, {**raw_values}, MAX_VARIABLE_ERRORS, hide_suggestions=hide_suggestions)


class Execution(NamedTuple):
    """One execution of an operation: its variable values and the context of its resolvers."""

    schema: GraphQLSchema
    prepared_operation: PreparedOperation
    variable_values: VariableValues
    context: Any
    hide_suggestions: bool = False
    max_objects: int = MAX_OBJECTS


class OperationExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor for prepared operations, which limits the objects of a response and leaves no reference cycle.

    It creates helpers on access. Stored helpers would form a reference cycle, which keeps document and context until a late collection.
    """

    max_objects = MAX_OBJECTS
    object_count = 0  # in the response so far

    @classmethod
    async def execute(cls, execution: Execution) -> ExecutionResult:
        """Run the operation. Raises `ResponseTooLargeError` if the response would have too many objects."""
        executor = cls.of(execution)
        answer: AwaitableOrValue[Any] = executor.execute_operation()
        result: ExecutionResult = answer if isinstance(answer, ExecutionResult) else await answer
        if executor.object_count > executor.max_objects:
            raise ResponseTooLargeError
        return result

    @classmethod
    def of(cls, execution: Execution) -> Self:
        """Create the executor of a prepared operation, as graphql-core's `build` creates one from a document."""
        prepared_operation = execution.prepared_operation
        executor = cls(
            execution.schema,
            prepared_operation.fragments,
            prepared_operation.details,
            None,
            execution.context,
            prepared_operation.operation,
            execution.variable_values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=execution.hide_suggestions,
        )
        executor.max_objects = execution.max_objects
        return executor

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        return GraphQLResolveInfoHelpers(gather=self.gather_async_work, track=self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, _: GraphQLResolveInfoHelpers) -> None:
        """Ignore the value: helpers are created on each access."""

    def execute_fields(self, *arguments: Any) -> AwaitableOrValue[dict[str, Any]]:  # noqa: ANN401 graphql-core's signature
        """Count the object. Beyond the limit, execute no more fields; the caller discards the result."""
        self.object_count += 1
        return {} if self.object_count > self.max_objects else super().execute_fields(*arguments)

    def execute_field(self, *arguments: Any) -> AwaitableOrValue[Any]:  # noqa: ANN401 graphql-core's signature
        """Execute a field. Introspection runs in its own thread, because it never awaits and would block the event loop."""
        details: FieldDetailsList = arguments[2]
        if details[0].node.name.value in INTROSPECTION_FIELDS:
            return asyncio.get_running_loop().run_in_executor(INTROSPECTION_THREAD, super().execute_field, *arguments)
        return super().execute_field(*arguments)
