"""Read error codes of rejected documents, and the statements that were sent before the rejection."""

import httpx

from tests.support.api import Api

GRAPHQL_JSON = "application/graphql-response+json"
TOO_COMPLEX, INVALID = "QUERY_TOO_COMPLEX", "GRAPHQL_VALIDATION_FAILED"


def sent_statements(statements: list[str]) -> list[str]:
    """Return the statements without the lookup of the token."""
    return [statement for statement in statements if "token_actor" not in statement]


def error_codes(response: httpx.Response) -> set[str]:
    """Return the error codes of a response that has status 400 and no data."""
    assert response.status_code == 400, response.text
    assert set(response.json()) == {"errors"}
    return {error["extensions"]["code"] for error in response.json()["errors"]}


async def fetch_error_codes(api: Api, query: str, **more: object) -> set[str]:
    return error_codes(await api.post({"query": query, **more}, accept=GRAPHQL_JSON))
