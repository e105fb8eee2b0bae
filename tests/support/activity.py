"""Read the activity of clients and contacts, and build the events that are expected in it."""

from typing import Any

from tests.support.api import Api

EVENT = "operation action objectType objectId member { name } changes { field from to }"
CLIENT = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ activity {{ totalCount nodes {{ {EVENT} }} }} }} }}"


async def activity(api: Api, key: str, query: str = CLIENT) -> list[dict[str, Any]]:
    """Return the events of an object, newest first. Fail if the total count differs from the number of events."""
    (connection,) = (await api.data(query, id=key)).values()
    assert connection["activity"]["totalCount"] == len(connection["activity"]["nodes"])
    nodes: list[dict[str, Any]] = connection["activity"]["nodes"]
    return nodes


def event(operation: str, action: str, kind: str, key: str, *changes: tuple[str, str | None, str | None]) -> dict[str, Any]:
    """Build the event that is expected after a change by the owner of the organization."""
    changes_by_field = [{"field": field, "from": was, "to": now} for field, was, now in changes]
    return {
        "operation": operation,
        "action": action,
        "objectType": kind,
        "objectId": key,
        "member": {"name": "Owner"},
        "changes": changes_by_field,
    }
