"""A server whose database fails, and how it must take that."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.ask import Api
from tests.waiting import until

ASK = "{ labels(first: 1) { nodes { name } } }"
MAKE = """mutation ($name: String!, $key: String!) { labelCreate(input: {name: $name}) @idempotent(key: $key) {
  label { name } userErrors { code } } }"""
# graphql-core leaves coroutines behind where an operation is given up between two of its steps. They hold nothing of ours.
GIVEN_UP = pytest.mark.filterwarnings("ignore:coroutine 'Executor:RuntimeWarning")


@dataclass
class Server:
    """One that is asked for the one label of its organization that is first, and told to make others."""

    api: Api

    async def asked(self) -> tuple[int, Any]:
        return await self._told({"query": ASK})

    async def told_to_make(self, name: str, key: str | None = None) -> tuple[int, Any]:
        return await self._told({"query": MAKE, "variables": {"name": name, "key": key or str(uuid4())}})

    async def _told(self, body: object) -> tuple[int, Any]:
        response = await self.api.post(body)
        return response.status_code, response.json()

    async def is_ready(self) -> bool:
        return (await self.api.http.get("/readyz")).status_code == httpx.codes.OK

    async def heals(self) -> None:
        """By themselves reads and changes are answered again, and the probe says so; how soon is the machine's to say."""
        await until(self._is_asked)
        await until(self._is_told_to_make)
        await until(self.is_ready)
        answers = await asyncio.gather(*(self.asked() for _ in range(20)))
        assert answers == [(200, {"data": {"labels": {"nodes": [{"name": "A label"}]}}})] * 20

    async def _is_asked(self) -> bool:
        return "errors" not in (await self.asked())[1]

    async def _is_told_to_make(self) -> bool:
        return "errors" not in (await self.told_to_make("Again"))[1]


def unavailable(answer: tuple[int, Any]) -> bool:
    """By a code, and nothing else; no word of the driver's."""
    status, body = answer
    codes = {error["extensions"]["code"] for error in body["errors"]}
    messages = {error["message"] for error in body["errors"]}
    return status in {200, 503} and codes == {"UNAVAILABLE"} and messages <= {"The database cannot be reached. Try again."}
