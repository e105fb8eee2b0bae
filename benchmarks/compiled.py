"""`relaties serve` with the trial executor instead of graphql-core's: what it would give, from socket to socket."""

import strawberry

from benchmarks.trial_executor import LevelExecutor
from server import cli, serving
from server.app import schema_of
from server.settings import Settings


def compiled(settings: Settings) -> strawberry.Schema:
    schema = schema_of(settings)
    schema.execution_context_class = LevelExecutor
    return schema


if __name__ == "__main__":
    vars(serving)["schema_of"] = compiled
    cli.main()
