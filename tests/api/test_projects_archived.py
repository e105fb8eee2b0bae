"""Test archiving, unarchiving and deleting projects, alone or with their client."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from db.engine.database import DatabaseLimits
from db.tables import Role
from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import CREATED_AT, Tenant
from tests.support.eventually import wait_until
from tests.support.ids import global_id, type_of
from tests.support.mutations import dump_rows, fetch_audit_events, fetch_error, fetch_errors, mutate, run_mutation
from tests.support.projects import PROJECT_FIELDS, UPDATE_INPUTS

ARCHIVED_ERROR = "userErrors { __typename code message path ... on UserError { ... on AlreadyArchivedError { archived { id } } } }"
BLOCKED_COUNT = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def fetch_archived_error(api: Api, mutation: str, **input: object) -> dict[str, Any]:
    """Return the only error, which contains the archived object."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    data = await api.data(f"mutation ($input: {kind}!) {{ done: {mutation}(input: $input) {{ {ARCHIVED_ERROR} }} }}", input=input)
    (error,) = data["done"]["userErrors"]
    assert (error["__typename"], error["code"]) == (f"{type_of(error['archived']['id'])}AlreadyArchivedError", "ALREADY_ARCHIVED")
    archived_error: dict[str, Any] = error
    return archived_error


async def wait_for_blocked(org: Tenant, count: int) -> None:
    """Wait until `count` statements wait for a lock."""

    async def has_blocked() -> bool:
        return bool(await org.owner.fetchval(BLOCKED_COUNT) == count)

    await wait_until(has_blocked)


async def test_project_is_archived_and_unarchived(api_for: Callable[..., Api], org: Tenant) -> None:
    """Each raises the version. Repeating it is rejected, and so is a change of an archived project."""
    api, project = api_for(org, Role.MEMBER), await org.add_project(await org.add_client("A"), "Klus")
    same = {"id": global_id("Project", project)}
    error = await fetch_error(api, "projectUnarchive", **same, expectedVersion=1)
    assert (error["code"], error["path"]) == ("NOT_ARCHIVED", ["id"])
    archived = await mutate(api, "projectArchive", PROJECT_FIELDS, **same, expectedVersion=1)
    assert (archived["isArchived"], archived["isArchivedWithClient"], archived["version"]) == (True, False, 2)
    assert archived["archivedAt"] is not None
    before = await dump_rows(org)
    for mutation, more in (("projectArchive", {}), ("projectUpdate", {"name": "Anders"})):
        archived_error = await fetch_archived_error(api, mutation, **same, **more, expectedVersion=2)
        assert (archived_error["path"], archived_error["archived"]) == (["id"], same)
        assert archived_error["message"] == "Klus is archived and cannot be changed. Unarchive it first with `projectUnarchive`."
    assert await dump_rows(org) == before
    back = await mutate(api, "projectUnarchive", PROJECT_FIELDS, **same, expectedVersion=2)
    assert (back["isArchived"], back["archivedAt"], back["version"]) == (False, None, 3)
    assert (await mutate(api, "projectUpdate", PROJECT_FIELDS, **same, name="Anders", expectedVersion=3))["name"] == "Anders"


@pytest.mark.parametrize("mutation", UPDATE_INPUTS)
@pytest.mark.parametrize("is_archived", [True, False])
async def test_s44_projects_of_an_archived_client_cannot_be_changed(
    api_for: Callable[..., Api], org: Tenant, mutation: str, *, is_archived: bool
) -> None:
    """They cannot be updated, archived, unarchived or deleted. The error contains the client and names `clientUnarchive`."""
    client = await org.add_client("Bakker", archived_at=CREATED_AT)
    project = await org.add_project(client, archived_at=CREATED_AT if is_archived else None)
    before = await dump_rows(org)
    error = await fetch_archived_error(
        api_for(org), mutation, id=global_id("Project", project), expectedVersion=1, **UPDATE_INPUTS[mutation]
    )
    assert (error["path"], error["archived"]) == (["id"], {"id": global_id("Client", client)})
    assert error["message"] == "Bakker is archived and cannot be changed. Unarchive it first with `clientUnarchive`."
    assert await dump_rows(org) == before


async def test_s46_archived_client_gets_no_new_project(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error has the path of the client and is reported with the other errors."""
    client = await org.add_client("Bakker", archived_at=CREATED_AT)
    before, arguments = await dump_rows(org), {"clientId": global_id("Client", client)}
    archived_error = await fetch_archived_error(api_for(org), "projectCreate", **arguments, name="P")
    assert (archived_error["path"], archived_error["archived"]) == (["clientId"], {"id": arguments["clientId"]})
    both = await fetch_errors(api_for(org), "projectCreate", **arguments, name="")
    assert [(error["code"], error["path"]) for error in both] == [("INVALID", ["name"]), ("ALREADY_ARCHIVED", ["clientId"])]
    assert await dump_rows(org) == before


async def test_project_unarchived_alone_is_not_unarchived_with_its_client(api_for: Callable[..., Api], org: Tenant) -> None:
    """Unarchiving clears the mark of the client's archiving, so archiving it again is an archiving of its own."""
    client = await org.add_client("A")
    project = await org.add_project(client, archived_at=CREATED_AT, archive_operation_id=new_id())
    same, mark = {"id": global_id("Project", project)}, "SELECT archive_operation_id FROM relaties.project WHERE tenant_id = $1"
    project_data = (await api_for(org).data("query ($id: ID!) { project(id: $id) { isArchived isArchivedWithClient } }", **same))["project"]
    assert project_data == {"isArchived": True, "isArchivedWithClient": True}
    await mutate(api_for(org), "projectUnarchive", PROJECT_FIELDS, **same, expectedVersion=1)
    assert await org.owner.fetchval(mark, org.id) is None
    again = await mutate(api_for(org), "projectArchive", PROJECT_FIELDS, **same, expectedVersion=2)
    assert (again["isArchived"], again["isArchivedWithClient"]) == (True, False)


async def test_project_in_use_is_not_deleted(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error counts registrations, invoice lines and quote lines. An unused project is deleted and removed from portals."""
    api, client = api_for(org, Role.MEMBER), await org.add_client("A")
    project, other = await org.add_project(client, "Klus"), await org.add_project(client)
    for project_key in (project, project, other):
        await org.add_registration(client, project_key)
    await org.add_quote(client)
    await org.owner.execute("UPDATE relaties.quote_line SET project_id = $2 WHERE tenant_id = $1", org.id, project)
    await org.add_portal(client, projects=[project, other])
    same = {"id": global_id("Project", project), "expectedVersion": 1}
    free = [
        ("registration", 3, "Klus has 2 registrations and 1 quote line and can only be deleted with its client."),
        ("quote_line", 1, "Klus has 1 quote line and can only be deleted with its client."),
    ]
    for table, uses, message in free:
        before = await dump_rows(org)
        error = await fetch_error(api, "projectDelete", **same)
        assert (error["__typename"], error["code"], error["path"], error["uses"]) == ("InUseError", "IN_USE", ["id"], uses)
        assert error["message"] == f"{message} Archive it instead with `projectArchive`."
        assert await dump_rows(org) == before
        await org.owner.execute(f"DELETE FROM relaties.{table} WHERE tenant_id = $1 AND project_id = $2", org.id, project)
    assert await mutate(api, "projectDelete", "deletedId", **same) == same["id"]
    rows = await org.owner.fetch("SELECT project_id FROM relaties.portal_project WHERE tenant_id = $1", org.id)
    assert [row["project_id"] for row in rows] == [other]
    assert (await api.data("query ($id: ID!) { project(id: $id) { id } node(id: $id) { id } }", id=same["id"])) == {
        "project": None,
        "node": None,
    }
    assert [(operation, action) for operation, action, _ in await fetch_audit_events(org, project)] == [("projectDelete", "REMOVED")]
    assert (await fetch_error(api, "projectDelete", **same))["code"] == "NOT_FOUND"


async def test_archived_unused_project_is_deleted(api_for: Callable[..., Api], org: Tenant) -> None:
    """It need not be unarchived first. The error for a project in use says that it can stay archived."""
    client = await org.add_client("A")
    project, used = [await org.add_project(client) for _ in range(2)]
    await org.add_registration(client, used)
    await org.owner.execute("UPDATE relaties.project SET archived_at = $2 WHERE tenant_id = $1", org.id, CREATED_AT)
    error = await fetch_error(api_for(org), "projectDelete", id=global_id("Project", used), expectedVersion=1)
    assert (error["uses"], error["message"].rpartition(". ")[2]) == (1, "Keep it archived instead.")
    await mutate(api_for(org), "projectDelete", "deletedId", id=global_id("Project", project), expectedVersion=1)


async def test_project_deletion_concurrent_with_registration_is_all_or_nothing(
    api_for: Callable[..., Api], org: Tenant, owner_url: str
) -> None:
    """The deletion waits for an uncommitted registration and is then rejected. A later registration finds no project."""
    client = await org.add_client("A")
    project = await org.add_project(client)
    same: dict[str, object] = {"id": global_id("Project", project), "expectedVersion": 1}
    other = await asyncpg.connect(owner_url)
    try:
        async with other.transaction():
            await Tenant(other, org.id, {}).add_registration(client, project)
            deleting = asyncio.create_task(run_mutation(api_for(org), "projectDelete", "deletedId", same))
            await wait_for_blocked(org, 1)
        payload = (await deleting)["data"]["done"]
        assert [(error["code"], error["uses"]) for error in payload["userErrors"]] == [("IN_USE", 1)]
        await org.owner.execute("DELETE FROM relaties.registration WHERE tenant_id = $1", org.id)
        await mutate(api_for(org), "projectDelete", "deletedId", **same)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await Tenant(other, org.id, {}).add_registration(client, project)
    finally:
        await other.close()


async def test_project_change_waits_for_archiving_of_its_client(api_for: Callable[..., Api], org: Tenant, owner_url: str) -> None:
    """The change locks the client before it checks the project, so it is rejected once the archiving commits."""
    client = await org.add_client("A")
    project = await org.add_project(client)
    tries: dict[str, dict[str, object]] = {
        name: {"id": global_id("Project", project), "expectedVersion": 1, **more} for name, more in UPDATE_INPUTS.items()
    }
    tries["projectCreate"] = {"clientId": global_id("Client", client), "name": "P"}
    other = await asyncpg.connect(owner_url)
    try:
        async with other.transaction():
            await other.execute("UPDATE relaties.client SET archived_at = now() WHERE tenant_id = $1", org.id)
            changes = [asyncio.create_task(run_mutation(api_for(org), name, "__typename", arguments)) for name, arguments in tries.items()]
            await wait_for_blocked(org, DatabaseLimits().write_pool_size)
        codes = [[error["code"] for error in body["data"]["done"]["userErrors"]] for body in await asyncio.gather(*changes)]
    finally:
        await other.close()
    assert codes == [["ALREADY_ARCHIVED"]] * 5
    assert await fetch_audit_events(org, project) == []
