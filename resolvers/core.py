"""graphql-core's executor, as Strawberry has it, but gone with its operation."""

from graphql import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class CoreExecutor(StrawberryGraphQLCoreExecutionContext):
    """Its helpers hold it. Kept by it they would be a ring, which holds document and context until a collector comes: seldom, if old."""

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        return GraphQLResolveInfoHelpers(gather=self.gather_async_work, track=self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, _: GraphQLResolveInfoHelpers) -> None:
        """Made anew each time."""
