"""Asking for changes, and what an organization has before and after."""

import json
from typing import Any
from uuid import UUID

from db.tables import Table
from tests.ask import Api
from tests.builders import Tenant

ERRORS = "userErrors { __typename code path message ... on InUseError { uses } ... on VersionConflictError { currentVersion } }"


async def asked(api: Api, mutation: str, shown: str, input: dict[str, object], key: str | None = None) -> dict[str, Any]:
    """The whole answer to one mutation, under the name `done`."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    directive = f'@idempotent(key: "{key}")' if key else ""
    return await api.ask(
        f"mutation ($input: {kind}!) {{ done: {mutation}(input: $input) {directive} {{ {shown} {ERRORS} }} }}", input=input
    )


async def change(api: Api, mutation: str, shown: str, **input: object) -> Any:  # noqa: ANN401 JSON
    """What is shown of the one field that is asked for, without a refusal."""
    body = await asked(api, mutation, shown, input)
    assert "errors" not in body, body["errors"]
    assert body["data"]["done"].pop("userErrors") == []
    (found,) = body["data"]["done"].values()
    return found


async def refusal(api: Api, mutation: str, **input: object) -> dict[str, Any]:
    """The one refusal, a sentence that says why."""
    (found,) = await refusals(api, mutation, **input)
    return found


async def refusals(api: Api, mutation: str, **input: object) -> list[dict[str, Any]]:
    body = await asked(api, mutation, "__typename", input)
    assert "errors" not in body, body["errors"]
    found: list[dict[str, Any]] = body["data"]["done"]["userErrors"]
    assert all(error["message"].endswith(".") and len(error["message"]) > 10 for error in found)
    return found


async def forbidden(api: Api, mutation: str, **input: object) -> bool:
    """Whether a right was missing, and nothing else was wrong."""
    body = await asked(api, mutation, "__typename", input)
    codes = [error["extensions"]["code"] for error in body.get("errors", [])]
    return codes == ["FORBIDDEN"] and body["data"] == {"done": None}


async def everything(org: Tenant) -> dict[str, list[str]]:
    """All rows of the organization, its trace among them: the same before and after what changes nothing."""
    tables = [table.name for table in Table.metadata.sorted_tables]
    held = {
        name: await org.owner.fetch(f"SELECT t::text AS row FROM relaties.{name} t WHERE tenant_id = $1 ORDER BY 1", org.id)
        for name in tables
    }
    return {name: [row["row"] for row in rows] for name, rows in held.items()}


async def traced(org: Tenant, key: UUID) -> list[tuple[str, str, dict[str, Any]]]:
    """What the trace tells of an object: operation, action, changes."""
    found = await org.owner.fetch(
        "SELECT operation, action, changes::text FROM relaties.audit_event WHERE tenant_id = $1 AND object_id = $2 ORDER BY id", org.id, key
    )
    return [(row["operation"], row["action"], json.loads(row["changes"])) for row in found]
