"""Run operations without HTTP."""

from collections.abc import Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from db.engine.query_stats import QueryStats
from domain.core.scope import Actor
from server.documents.cache import DocumentCache
from server.documents.execution import ExecutionRequest, Runner


@dataclass
class InProcessServer:
    """Run operations of one organization without HTTP."""

    runner: Runner
    documents: DocumentCache
    actor: Actor

    def prepare(self, text: str, **variables: object) -> ExecutionRequest:
        document = self.documents.get_or_parse(text)
        return ExecutionRequest(document, document.operations[0], document.operations[0].coerce(variables), self.actor, None, QueryStats())

    async def execute(self, text: str, **variables: object) -> Any:  # noqa: ANN401
        result = await self.runner.execute(self.prepare(text, **variables))
        return result.data


class YieldCounter:
    """Await a coroutine and count how often it yields to the event loop without waiting for anything."""

    def __init__(self, run: Coroutine[Any, Any, object]) -> None:
        self.count = 0
        self._run = run

    def __await__(self) -> Generator[Any, None, None]:
        with suppress(StopIteration):
            while True:
                waits_for = self._run.send(None)
                self.count += waits_for is None
                yield waits_for
