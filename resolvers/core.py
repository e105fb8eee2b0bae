"""graphql-core's executor, as Strawberry has it, but gone with its operation, and made of what is known of it."""

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
    VariableValues,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails
from graphql.execution.values import get_variable_values
from graphql.pyutils import AwaitableOrValue
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers import asked

# Of variables, and of a document. graphql-core's 50 took up to 90 ms for 1 MB of variables: each error looks at the whole value again.
MOST_ERRORS = 5
MOST_OBJECTS = 200_000
SCHEMA_FIELDS = {"__schema", "__type"}
# All that a schema says takes a tenth of a second, in which the event loop answers others. One at a time: more would take its time too.
SCHEMA_THREAD = ThreadPoolExecutor(1, "introspection")


class ResponseTooLargeError(Exception):
    """The response would have more objects than one may have; the operation ends."""


@dataclass(frozen=True)
class Known:
    """An operation and the fragments of its document, which graphql-core would look for each time, and what it reads of rows."""

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    details: dict[str, FragmentDetails]
    reads: frozenset[str] | None

    @classmethod
    def of(
        cls, schema: GraphQLSchema, operations: Sequence[OperationDefinitionNode], fragments: dict[str, FragmentDefinitionNode]
    ) -> list[Self]:
        """Of all operations of a document, which share its fragments. None of those has variables: the parser does not take them."""
        details = {name: FragmentDetails(each) for name, each in fragments.items()}
        return [cls(each, fragments, details, asked.names(schema, each, fragments)) for each in operations]

    def coerce(self, schema: GraphQLSchema, sent: Mapping[str, Any], *, hide_suggestions: bool) -> VariableValues | list[GraphQLError]:
        """Coerce the variables of a request; return their values with the defaults, or what is wrong with them.

        Nothing else coerces variables: the cost, the limits and the execution all take these values.
        """
        definitions = self.operation.variable_definitions or ()
        return get_variable_values(schema, definitions, {**sent}, MOST_ERRORS, hide_suggestions=hide_suggestions)


class Execution(NamedTuple):
    """An operation that is run: for the values of its variables, with what its resolvers work with."""

    schema: GraphQLSchema
    known: Known
    values: VariableValues
    context: Any
    hide_suggestions: bool = False
    max_objects: int = MOST_OBJECTS


class CoreExecutor(StrawberryGraphQLCoreExecutionContext):
    """Its helpers hold it. Kept by it they would be a ring, which holds document and context until a collector comes: seldom, if old."""

    max_objects = MOST_OBJECTS
    objects = 0  # in the response so far

    @classmethod
    async def execute(cls, execution: Execution) -> ExecutionResult:
        """Run the operation. Raises `ResponseTooLargeError` if the response would have too many objects."""
        executor = cls.of(execution)
        answer: AwaitableOrValue[Any] = executor.execute_operation()
        result: ExecutionResult = answer if isinstance(answer, ExecutionResult) else await answer
        if executor.objects > executor.max_objects:
            raise ResponseTooLargeError
        return result

    @classmethod
    def of(cls, execution: Execution) -> Self:
        """Make the executor of an operation that is known, as `build` makes one of a document."""
        known = execution.known
        executor = cls(
            execution.schema,
            known.fragments,
            known.details,
            None,
            execution.context,
            known.operation,
            execution.values,
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
        """Made anew each time."""

    def execute_fields(self, *arguments: Any) -> AwaitableOrValue[dict[str, Any]]:  # noqa: ANN401 graphql-core's signature
        """Count the object. Beyond the limit nothing is executed any more, and who runs the operation discards the result."""
        self.objects += 1
        return {} if self.objects > self.max_objects else super().execute_fields(*arguments)

    def execute_field(self, *arguments: Any) -> AwaitableOrValue[Any]:  # noqa: ANN401 graphql-core's signature
        """Execute a field; introspection in a thread of its own, since it waits for nothing and would hold up the event loop."""
        details: FieldDetailsList = arguments[2]
        if details[0].node.name.value in SCHEMA_FIELDS:
            return asyncio.get_running_loop().run_in_executor(SCHEMA_THREAD, super().execute_field, *arguments)
        return super().execute_field(*arguments)
