"""Compare the compiled executor with graphql-core's, in process, with the real schema, document cache and database.

    python -m benchmarks.executors [--rounds 10] [--each 5] [--keep FOLDER]

For every query it prints whether the query ran compiled or why it fell back, whether both answers have exactly the same JSON, and how many
times as fast the compiled executor is. Elapsed time includes waiting for the database. Processor time of this process limits a worker
under load.
"""

import argparse
import gc
import re
import statistics
import time
from pathlib import Path
from typing import ClassVar, NamedTuple

import orjson
import uvloop
from graphql import GraphQLError

from benchmarks.demo_database import DemoDatabase, run_demo_database
from benchmarks.machine import print_load
from benchmarks.queries import FIRST_CLIENT, build_queries
from benchmarks.servers import ROOT
from db.engine.database import Database
from db.engine.query_stats import QueryStats
from domain.core.scope import Actor
from domain.organization import tokens
from resolvers.execution.executor import CompiledExecutor
from resolvers.execution.operation import OperationExecutor
from resolvers.execution.plan_cache import PlanCache
from schema.build import build
from server.documents.cache import DocumentCache
from server.documents.execution import ExecutionRequest, Runner
from server.limit_settings import DocumentLimits

SECRETS = [b"a secret of the benchmarks, 32 bytes or more"]
TUTORIAL = re.findall(r"^```graphql\n(.*?)^```$", (ROOT / "docs/tutorial/querying.md").read_text(), re.MULTILINE | re.DOTALL)
# Features of documents, one by one, to see which of them run compiled.
UNUSUAL_QUERIES = {
    "overview of 50": TUTORIAL[0].replace("first: 1", "first: 50"),
    "viewer": "{ viewer { permissions organization { id name baseCurrency } member { name role } } }",
    "alias, twice one field": '{ a: clients(first: 9) { nodes { n: name name } } b: clients(first: 2, after: "") { nodes { id } } }',
    "two aliases": "{ a: clients(first: 9) { nodes { n: name name } } b: clients(first: 2) { nodes { id } } }",
    "fragments, nested": "{ clients { ...A } } fragment A on ClientConnection { nodes { ...B } } fragment B on Client { name ... { id } }",
    "fragment on the interface": "{ clients { nodes { ... on Node { id } __typename } } }",
    "@skip, @include": "query ($no: Boolean = false) { clients { nodes { name @skip(if: true) number @include(if: $no) id } } }",
    "revenue by currency": "{ clients(first: 50) { nodes { revenue { since until byCurrency { currency paid { amount } } } } } }",
    "address": "{ clients(first: 50) { nodes { address { line1 city country } isArchived createdAt } } }",
    "contacts with cursors": "{ clients(first: 50) { nodes { contacts(first: 1) { edges { cursor position } pageInfo { endCursor } } } } }",
    "node: unknown": '{ node(id: "cli_AAAAAAAAAAAAAAAAAAAAAA") { id } }',
    "__schema": "{ __schema { queryType { name } } }",
    "null by a wrong cursor": '{ clients(first: 1) { nodes { contacts(after: "no") { nodes { id } } } } }',
}


def all_queries(client_id: str) -> dict[str, tuple[str, dict[str, object]]]:
    hot = {name: (query.text, query.variables) for name, query in build_queries(client_id).items()}
    odd: dict[str, tuple[str, dict[str, object]]] = {name: (text, {}) for name, text in UNUSUAL_QUERIES.items()}
    return {**hot, "node, bare": ("query ($id: ID!) { node(id: $id) { id __typename } }", {"id": client_id}), **odd}


class RecordingExecutor(CompiledExecutor):
    """The compiled executor, which records its reasons for falling back to graphql-core."""

    fallback_reasons: ClassVar[list[str]] = []

    def on_fallback(self, reason: Exception) -> None:
        self.fallback_reasons.append(repr(reason))


HUGE_LIMIT = 10**9
EXECUTORS = {True: RecordingExecutor(PlanCache()).execute, False: OperationExecutor.execute}


class RequestTime(NamedTuple):
    """Elapsed time and processor time of a request, in milliseconds."""

    clock: float
    processor: float


class ExecutorTrial:
    """Execute queries with both executors. Documents are cached as in the server, so that each is parsed and compiled once."""

    def __init__(self, database: Database, actor: Actor) -> None:
        schema = build()
        self._actor = actor
        self._documents = DocumentCache(schema._schema, DocumentLimits(), max_bytes=HUGE_LIMIT, shows_schema=True)  # noqa: SLF001
        self._runners = {
            is_compiled: Runner(schema, executor, database, SECRETS, shows_schema=True) for is_compiled, executor in EXECUTORS.items()
        }

    async def execute(self, text: str, variables: dict[str, object], *, is_compiled: bool) -> bytes:
        document = self._documents.get_or_parse(text)
        operation = document.find_operation(None)
        if isinstance(operation, GraphQLError):
            raise operation
        request = ExecutionRequest(document, operation, operation.coerce(variables), self._actor, None, QueryStats())
        result = await self._runners[is_compiled].execute(request)
        return orjson.dumps([result.data, [error.formatted for error in result.errors or ()]])

    async def measure(self, text: str, variables: dict[str, object], *, is_compiled: bool, each: int) -> RequestTime:
        clock, processor = time.perf_counter(), time.process_time()
        for _ in range(each):
            await self.execute(text, variables, is_compiled=is_compiled)
        return RequestTime((time.perf_counter() - clock) / each * 1000, (time.process_time() - processor) / each * 1000)

    def describe_last_run(self) -> str:
        """Return whether the last run was compiled, or its reason for falling back."""
        description = f"fell back: {RecordingExecutor.fallback_reasons[0]}" if RecordingExecutor.fallback_reasons else "compiled"
        RecordingExecutor.fallback_reasons.clear()
        return description


async def main(demo_database: DemoDatabase, options: argparse.Namespace) -> None:
    database = await Database.connect(demo_database.runtime_url)
    authenticated = await tokens.authenticate(database, demo_database.token)
    if authenticated is None:
        raise RuntimeError("The token is not valid.")
    trial = ExecutorTrial(database, authenticated[0])
    first = orjson.loads(await trial.execute(FIRST_CLIENT, {}, is_compiled=False))[0]
    gc.collect()
    gc.freeze()
    print(f"{'':26} elapsed time: core, compiled, ratio{'':19} processor time")
    for name, (text, variables) in all_queries(first["clients"]["edges"][0]["node"]["id"]).items():
        print(f"{name:26} {await compare_executors(trial, text, variables, options)}")
    await database.close()


async def compare_executors(trial: ExecutorTrial, text: str, variables: dict[str, object], options: argparse.Namespace) -> str:
    expected = await trial.execute(text, variables, is_compiled=False)
    trial.describe_last_run()
    is_equal = await trial.execute(text, variables, is_compiled=True) == expected
    description = trial.describe_last_run()
    times: dict[bool, list[RequestTime]] = {False: [], True: []}
    for round_number in range(options.rounds * 2):
        for is_compiled in (False, True) if round_number % 2 else (True, False):
            times[is_compiled].append(await trial.measure(text, variables, is_compiled=is_compiled, each=options.each))
    clock, processor = (_format_times([each[index] for each in times[False]], [each[index] for each in times[True]]) for index in (0, 1))
    return f"{clock}   {processor}   {'same' if is_equal else 'DIFFERS'}  {description}"


def _format_times(core: list[float], compiled_ms: list[float]) -> str:
    ratios = [slow / fast for slow, fast in zip(core, compiled_ms, strict=True)]
    spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
    return f"{statistics.median(core):6.2f} ms {statistics.median(compiled_ms):6.2f} ms {statistics.median(ratios):5.2f} x {spread:16}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="half the number of measurements of each executor")
    parser.add_argument("--each", type=int, default=5, help="requests per measurement")
    parser.add_argument("--keep", type=Path, help="folder whose database is kept and used again")
    options = parser.parse_args()
    print_load()
    with run_demo_database(options.keep) as database:
        uvloop.run(main(database, options))
    print_load()
