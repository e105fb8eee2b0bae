"""`relaties serve` with the trial executor instead of graphql-core's: what it would give, from socket to socket."""

import strawberry

from benchmarks.trial_executor import LevelExecutor
from schema.root import build
from server import cli, serving


def compiled() -> strawberry.Schema:
    schema = build()
    schema.execution_context_class = LevelExecutor
    return schema


if __name__ == "__main__":
    vars(serving)["build"] = compiled
    cli.main()
