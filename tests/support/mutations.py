"""Run mutations, and read what the organization has before and after them."""

import json
from typing import Any
from uuid import UUID

from db.tables import Table
from tests.support.api import Api
from tests.support.builders import Tenant

DETAILS = "... on UserError { ... on InUseError { uses } ... on VersionConflictError { currentVersion } }"
"""A selection for the errors of any mutation: within `UserError`, a type is valid that the mutation cannot return."""
ERRORS = f"userErrors {{ __typename code path message {DETAILS} }}"


async def run_mutation(api: Api, mutation: str, selection: str, input: dict[str, object], key: str | None = None) -> dict[str, Any]:
    """Run one mutation under the alias `done` and return the response body."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    directive = f'@idempotent(key: "{key}")' if key else ""
    return await api.execute(
        f"mutation ($input: {kind}!) {{ done: {mutation}(input: $input) {directive} {{ {selection} {ERRORS} }} }}", input=input
    )


async def mutate(api: Api, mutation: str, selection: str, **input: object) -> Any:  # noqa: ANN401 JSON
    """Run the mutation and return its result field. Fail if there are errors or user errors."""
    body = await run_mutation(api, mutation, selection, input)
    assert "errors" not in body, body["errors"]
    assert body["data"]["done"].pop("userErrors") == []
    (result,) = body["data"]["done"].values()
    return result


async def fetch_error(api: Api, mutation: str, **input: object) -> dict[str, Any]:
    """Run the mutation and return its only user error."""
    (error,) = await fetch_errors(api, mutation, **input)
    return error


async def fetch_errors(api: Api, mutation: str, **input: object) -> list[dict[str, Any]]:
    """Run the mutation and return its user errors. Fail if a message is not a sentence."""
    body = await run_mutation(api, mutation, "__typename", input)
    assert "errors" not in body, body["errors"]
    errors: list[dict[str, Any]] = body["data"]["done"]["userErrors"]
    assert all(error["message"].endswith(".") and len(error["message"]) > 10 for error in errors)
    return errors


async def is_forbidden(api: Api, mutation: str, **input: object) -> bool:
    """Return whether the mutation fails only because a permission is missing."""
    body = await run_mutation(api, mutation, "__typename", input)
    codes = [error["extensions"]["code"] for error in body.get("errors", [])]
    return codes == ["FORBIDDEN"] and body["data"] == {"done": None}


async def dump_rows(org: Tenant) -> dict[str, list[str]]:
    """Return all rows of the organization, including its audit log, to check that nothing changed."""
    tables = [table.name for table in Table.metadata.sorted_tables]
    rows_by_table = {
        name: await org.owner.fetch(f"SELECT t::text AS row FROM relaties.{name} t WHERE tenant_id = $1 ORDER BY 1", org.id)
        for name in tables
    }
    return {name: [row["row"] for row in rows] for name, rows in rows_by_table.items()}


async def fetch_audit_events(org: Tenant, key: UUID) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the operation, action and changes of each audit event of an object."""
    rows = await org.owner.fetch(
        "SELECT operation, action, changes::text FROM relaties.audit_event WHERE tenant_id = $1 AND object_id = $2 ORDER BY id", org.id, key
    )
    return [(row["operation"], row["action"], json.loads(row["changes"])) for row in rows]
