"""A server whose database fails, and the checks of how it reacts."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.api import Api
from tests.support.eventually import wait_until

LABEL_QUERY = "{ labels(first: 1) { nodes { name } } }"
MAKE = """mutation ($name: String!, $key: String!) { labelCreate(input: {name: $name}) @idempotent(key: $key) {
  label { name } userErrors { code } } }"""
# graphql-core leaves coroutines unawaited if an operation is cancelled between two of its steps. They hold none of our resources.
GIVEN_UP = pytest.mark.filterwarnings("ignore:coroutine 'Executor:RuntimeWarning")


@dataclass
class OutageServer:
    """Send a query and a mutation to a server, and wait until it has recovered."""

    api: Api

    async def query_label(self) -> tuple[int, Any]:
        return await self._post({"query": LABEL_QUERY})

    async def create_label(self, name: str, key: str | None = None) -> tuple[int, Any]:
        return await self._post({"query": MAKE, "variables": {"name": name, "key": key or str(uuid4())}})

    async def _post(self, body: object) -> tuple[int, Any]:
        response = await self.api.post(body)
        return response.status_code, response.json()

    async def is_ready(self) -> bool:
        return (await self.api.http.get("/readyz")).status_code == httpx.codes.OK

    async def wait_until_healthy(self) -> None:
        """Wait until queries, mutations and the readiness probe succeed without intervention."""
        await wait_until(self._answers_queries)
        await wait_until(self._answers_changes)
        await wait_until(self.is_ready)
        answers = await asyncio.gather(*(self.query_label() for _ in range(20)))
        assert answers == [(200, {"data": {"labels": {"nodes": [{"name": "A label"}]}}})] * 20

    async def _answers_queries(self) -> bool:
        return "errors" not in (await self.query_label())[1]

    async def _answers_changes(self) -> bool:
        return "errors" not in (await self.create_label("Again"))[1]


def is_unavailable(answer: tuple[int, Any]) -> bool:
    """Return whether every error has the code UNAVAILABLE, and no message comes from the driver."""
    status, body = answer
    codes = {error["extensions"]["code"] for error in body["errors"]}
    messages = {error["message"] for error in body["errors"]}
    return status in {200, 503} and codes == {"UNAVAILABLE"} and messages <= {"The database cannot be reached. Try again in a moment."}
