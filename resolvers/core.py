"""graphql-core's executor, as Strawberry has it, but gone with its operation, and made of what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLResolveInfoHelpers,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import get_variable_values
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers import asked

MOST_ERRORS = 50  # of variables: as many as graphql-core tells by itself


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


class CoreExecutor(StrawberryGraphQLCoreExecutionContext):
    """Its helpers hold it. Kept by it they would be a ring, which holds document and context until a collector comes: seldom, if old."""

    @classmethod
    def of(
        cls, schema: GraphQLSchema, known: Known, variables: Mapping[str, Any], context: object, *, hide_suggestions: bool
    ) -> Self | list[GraphQLError]:
        """The same that `build` makes of a document; or why its variables are none."""
        values = get_variable_values(
            schema, known.operation.variable_definitions or (), {**variables}, MOST_ERRORS, hide_suggestions=hide_suggestions
        )
        if isinstance(values, list):
            return values
        return cls(
            schema,
            known.fragments,
            known.details,
            None,
            context,
            known.operation,
            values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=hide_suggestions,
        )

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        return GraphQLResolveInfoHelpers(gather=self.gather_async_work, track=self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, _: GraphQLResolveInfoHelpers) -> None:
        """Made anew each time."""
