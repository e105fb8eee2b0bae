"""The checks of graphql-cop, which attackers run first, find nothing in production."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx
import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from server.settings import Environment, Settings
from tests.support.api import connect_client
from tests.support.builders import Tenant

Json: TypeAlias = Any
BARE_QUERY = "query cop { __typename }"
CIRCULAR = "query cop { __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }"
MODES = {
    "development": Settings(max_auth_failures=10**6),
    "production": Settings(env=Environment.PRODUCTION, secret_key="a secret of the tests, 32 bytes or more", max_auth_failures=10**6),
}


@dataclass(frozen=True)
class Check:
    """A request, and a function that returns whether the response is a finding."""

    finds: Callable[[Json], bool]
    json: Json = None
    method: str = "POST"
    parameters: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None


def query_parameters(query: str) -> dict[str, str]:
    return {"query": query, "operationName": "cop"}


def data(body: Json) -> dict[str, Json]:
    return (isinstance(body, dict) and body.get("data")) or {}


def errors(body: Json) -> list[Json]:
    return (isinstance(body, dict) and body.get("errors")) or []


def mentions(body: Json, *words: str) -> bool:
    """Return whether the extensions of the response or of an error contain one of these words."""
    beside = [*(error.get("extensions", {}) for error in errors(body)), body.get("extensions", {}) if isinstance(body, dict) else {}]
    return any(word in str(each).lower() for each in beside for word in words)


CHECKS = {
    "aliases": Check(
        lambda body: "alias100" in data(body), query_parameters(f"query cop {{ {' '.join(f'alias{n}: __typename' for n in range(101))} }}")
    ),
    "batch": Check(lambda body: isinstance(body, list) and len(body) >= 10, [query_parameters(BARE_QUERY)] * 10),
    "circular introspection": Check(lambda body: len(data(body).get("__schema", {}).get("types", ())) > 25, query_parameters(CIRCULAR)),
    "csrf by a form": Check(lambda body: data(body).get("__typename") == "Query", form=query_parameters(BARE_QUERY)),
    "directives": Check(lambda body: len(errors(body)) == 10, query_parameters(f"query cop {{ __typename {'@aa' * 10} }}")),
    "fields again and again": Check(lambda body: "__typename" in data(body), query_parameters(f"query cop {{ {'__typename ' * 500} }}")),
    "mutation by get": Check(
        lambda body: data(body).get("__typename") == "Mutation", method="GET", parameters=query_parameters("mutation cop { __typename }")
    ),
    "introspection": Check(
        lambda body: bool(data(body).get("__schema", {}).get("types")),
        query_parameters("query cop { __schema { types { name fields { name } } } }"),
    ),
    "query by get": Check(lambda body: data(body).get("__typename") == "Query", method="GET", parameters=query_parameters(BARE_QUERY)),
    "stack trace": Check(lambda body: mentions(body, "exception", "stacktrace", "traceback"), query_parameters("qwerty cop { abc }")),
    "suggestions": Check(
        lambda body: any("did you mean" in error["message"].lower() for error in errors(body)),
        query_parameters("query cop { __schema { directive } }"),
    ),
    "tracing": Check(lambda body: mentions(body, "tracing", "duration"), query_parameters(BARE_QUERY)),
}
PAGES = ["/", "/graphql", "/graphiql", "/playground", "/console"]
IDE = ("graphiql", "playground", "altair", "apollo sandbox")


@pytest.fixture(scope="module")
async def clients(database: Database, schema: strawberry.Schema) -> AsyncIterator[Mapping[str, httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        yield {mode: await stack.enter_async_context(connect_client(schema, database, settings)) for mode, settings in MODES.items()}


def authorization_header(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


async def failed_checks(http: httpx.AsyncClient, token: str | None) -> set[str]:
    """Return the names of the checks that find something."""
    names = set()
    for name, check in CHECKS.items():
        response = await http.request(
            check.method, "/graphql", json=check.json, params=check.parameters, data=check.form, headers=authorization_header(token)
        )
        if check.finds(response.json()):
            names.add(name)
    if any([await has_page(http, path, token) for path in PAGES]):
        names.add("page to explore with")
    return names


async def has_page(http: httpx.AsyncClient, path: str, token: str | None) -> bool:
    response = await http.get(path, headers={"accept": "text/html", **authorization_header(token)}, follow_redirects=True)
    return any(word in response.text.lower() for word in IDE)


@pytest.mark.parametrize("has_token", [True, False])
async def test_production_passes_all_checks(clients: Mapping[str, httpx.AsyncClient], sample_org: Tenant, has_token: bool) -> None:
    assert await failed_checks(clients["production"], sample_org.tokens[Role.VIEWER] if has_token else None) == set()


async def test_checks_detect_problems(clients: Mapping[str, httpx.AsyncClient], sample_org: Tenant) -> None:
    """Development has the features that it needs, and nothing else that a check finds."""
    expected = {"introspection", "query by get", "suggestions", "page to explore with"}
    assert await failed_checks(clients["development"], sample_org.tokens[Role.VIEWER]) == expected
