"""Activity of clients and contacts, and the events that it should have."""

from typing import Any

from tests.support.api import Api

EVENT = "operation action objectType objectId member { name } changes { field from to }"
CLIENT = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ activity {{ totalCount nodes {{ {EVENT} }} }} }} }}"


async def activity(api: Api, key: str, query: str = CLIENT) -> list[dict[str, Any]]:
    """Return the events, newest first, and check their total count."""
    (connection,) = (await api.data(query, id=key)).values()
    assert connection["activity"]["totalCount"] == len(connection["activity"]["nodes"])
    nodes: list[dict[str, Any]] = connection["activity"]["nodes"]
    return nodes


def event(operation: str, action: str, kind: str, key: str, *changes: tuple[str, str | None, str | None]) -> dict[str, Any]:
    """Return the event of a change that the owner makes."""
    changes_by_field = [{"field": field, "from": was, "to": now} for field, was, now in changes]
    return {
        "operation": operation,
        "action": action,
        "objectType": kind,
        "objectId": key,
        "member": {"name": "Owner"},
        "changes": changes_by_field,
    }
