"""Projects that are archived, taken back or deleted, by themselves or with their client; what is archived stays as it is."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from db.engine.database import DatabaseLimits
from db.tables import Role
from db.tables.keys import new_id
from tests.api.test_projects import OTHERS, SHOWN
from tests.ask import Api
from tests.builders import EARLY, Tenant
from tests.changing import asked, change, everything, refusal, refusals, traced
from tests.ids import global_id
from tests.waiting import until

ARCHIVED = "userErrors { __typename code message path ... on AlreadyArchivedError { archived { id } } }"
HELD_UP = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def archived_refusal(api: Api, mutation: str, **input: object) -> dict[str, Any]:
    """The one refusal, with what is archived."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    found = await api.data(f"mutation ($input: {kind}!) {{ done: {mutation}(input: $input) {{ {ARCHIVED} }} }}", input=input)
    (error,) = found["done"]["userErrors"]
    assert (error["__typename"], error["code"]) == ("AlreadyArchivedError", "ALREADY_ARCHIVED")
    refused: dict[str, Any] = error
    return refused


async def held_up(org: Tenant, count: int) -> None:
    """Until so many wait for somebody's lock."""

    async def are_there() -> bool:
        return bool(await org.owner.fetchval(HELD_UP) == count)

    await until(are_there)


async def test_a_project_is_archived_and_taken_back(as_: Callable[..., Api], org: Tenant) -> None:
    """A version on each time; the second time each is refused, and nothing changes. Between the two it takes no change."""
    api, project = as_(org, Role.MEMBER), await org.add_project(await org.add_client("A"), "Klus")
    same = {"id": global_id("Project", project)}
    found = await refusal(api, "projectUnarchive", **same, expectedVersion=1)
    assert (found["code"], found["path"]) == ("NOT_ARCHIVED", ["id"])
    archived = await change(api, "projectArchive", SHOWN, **same, expectedVersion=1)
    assert (archived["isArchived"], archived["isArchivedWithClient"], archived["version"]) == (True, False, 2)
    assert archived["archivedAt"] is not None
    before = await everything(org)
    for mutation, more in (("projectArchive", {}), ("projectUpdate", {"name": "Anders"})):
        refused = await archived_refusal(api, mutation, **same, **more, expectedVersion=2)
        assert (refused["path"], refused["archived"]) == (["id"], same)
        assert refused["message"] == "Klus is archived, and stays as it is. Take it back first with `projectUnarchive`."
    assert await everything(org) == before
    back = await change(api, "projectUnarchive", SHOWN, **same, expectedVersion=2)
    assert (back["isArchived"], back["archivedAt"], back["version"]) == (False, None, 3)
    assert (await change(api, "projectUpdate", SHOWN, **same, name="Anders", expectedVersion=3))["name"] == "Anders"


@pytest.mark.parametrize("mutation", OTHERS)
@pytest.mark.parametrize("is_archived", [True, False])
async def test_s44_the_projects_of_an_archived_client_stay_as_they_are(
    as_: Callable[..., Api], org: Tenant, mutation: str, *, is_archived: bool
) -> None:
    """None of them changes, comes back or goes by itself; the refusal shows the client, and names the way back."""
    client = await org.add_client("Bakker", archived_at=EARLY)
    project = await org.add_project(client, archived_at=EARLY if is_archived else None)
    before = await everything(org)
    found = await archived_refusal(as_(org), mutation, id=global_id("Project", project), expectedVersion=1, **OTHERS[mutation])
    assert (found["path"], found["archived"]) == (["id"], {"id": global_id("Client", client)})
    assert found["message"] == "Bakker is archived, and stays as it is. Take it back first with `clientUnarchive`."
    assert await everything(org) == before


async def test_s46_an_archived_client_gets_no_project(as_: Callable[..., Api], org: Tenant) -> None:
    """Beside the other faults, at the client's place."""
    client = await org.add_client("Bakker", archived_at=EARLY)
    before, given = await everything(org), {"clientId": global_id("Client", client)}
    found = await archived_refusal(as_(org), "projectCreate", **given, name="P")
    assert (found["path"], found["archived"]) == (["clientId"], {"id": given["clientId"]})
    both = await refusals(as_(org), "projectCreate", **given, name="")
    assert [(error["code"], error["path"]) for error in both] == [("INVALID", ["name"]), ("ALREADY_ARCHIVED", ["clientId"])]
    assert await everything(org) == before


async def test_a_project_that_is_taken_back_by_itself_is_no_more_its_clients_to_take_back(as_: Callable[..., Api], org: Tenant) -> None:
    """The mark of the archiving that took it along goes; archived again it is so by itself."""
    client = await org.add_client("A")
    project = await org.add_project(client, archived_at=EARLY, archive_operation_id=new_id())
    same, mark = {"id": global_id("Project", project)}, "SELECT archive_operation_id FROM relaties.project WHERE tenant_id = $1"
    shown = (await as_(org).data("query ($id: ID!) { project(id: $id) { isArchived isArchivedWithClient } }", **same))["project"]
    assert shown == {"isArchived": True, "isArchivedWithClient": True}
    await change(as_(org), "projectUnarchive", SHOWN, **same, expectedVersion=1)
    assert await org.owner.fetchval(mark, org.id) is None
    again = await change(as_(org), "projectArchive", SHOWN, **same, expectedVersion=2)
    assert (again["isArchived"], again["isArchivedWithClient"]) == (True, False)


async def test_a_project_with_something_on_it_is_not_deleted(as_: Callable[..., Api], org: Tenant) -> None:
    """Registrations, lines of invoices and of quotes, with how many; the last of them gone, so is the project, and its place in portals."""
    api, client = as_(org, Role.MEMBER), await org.add_client("A")
    project, other = await org.add_project(client, "Klus"), await org.add_project(client)
    for of in (project, project, other):
        await org.add_registration(client, of)
    await org.add_quote(client)
    await org.owner.execute("UPDATE relaties.quote_line SET project_id = $2 WHERE tenant_id = $1", org.id, project)
    await org.add_portal(client, projects=[project, other])
    same = {"id": global_id("Project", project), "expectedVersion": 1}
    free = [
        ("registration", 3, "Klus has 2 registrations and 1 quote line, and goes only with its client."),
        ("quote_line", 1, "Klus has 1 quote line, and goes only with its client."),
    ]
    for table, uses, message in free:
        before = await everything(org)
        found = await refusal(api, "projectDelete", **same)
        assert (found["__typename"], found["code"], found["path"], found["uses"]) == ("InUseError", "IN_USE", ["id"], uses)
        assert found["message"] == f"{message} Archive it instead, with `projectArchive`."
        assert await everything(org) == before
        await org.owner.execute(f"DELETE FROM relaties.{table} WHERE tenant_id = $1 AND project_id = $2", org.id, project)
    assert await change(api, "projectDelete", "deletedId", **same) == same["id"]
    shown = await org.owner.fetch("SELECT project_id FROM relaties.portal_project WHERE tenant_id = $1", org.id)
    assert [row["project_id"] for row in shown] == [other]
    assert (await api.data("query ($id: ID!) { project(id: $id) { id } node(id: $id) { id } }", id=same["id"])) == {
        "project": None,
        "node": None,
    }
    assert [(operation, action) for operation, action, _ in await traced(org, project)] == [("projectDelete", "REMOVED")]
    assert (await refusal(api, "projectDelete", **same))["code"] == "NOT_FOUND"


async def test_an_archived_project_that_nothing_stands_on_is_deleted(as_: Callable[..., Api], org: Tenant) -> None:
    """It need not be taken back for that; one that something stands on is told that it may stay as it is."""
    client = await org.add_client("A")
    project, used = [await org.add_project(client) for _ in range(2)]
    await org.add_registration(client, used)
    await org.owner.execute("UPDATE relaties.project SET archived_at = $2 WHERE tenant_id = $1", org.id, EARLY)
    found = await refusal(as_(org), "projectDelete", id=global_id("Project", used), expectedVersion=1)
    assert (found["uses"], found["message"].rpartition(". ")[2]) == (1, "It is archived already, and may stay so.")
    await change(as_(org), "projectDelete", "deletedId", id=global_id("Project", project), expectedVersion=1)


async def test_a_project_that_is_deleted_while_work_comes_stays_or_goes_whole(as_: Callable[..., Api], org: Tenant, owner_url: str) -> None:
    """The delete waits for a registration that is on its way, and is refused then; one that comes later finds no project."""
    client = await org.add_client("A")
    project = await org.add_project(client)
    same: dict[str, object] = {"id": global_id("Project", project), "expectedVersion": 1}
    other = await asyncpg.connect(owner_url)
    try:
        async with other.transaction():
            await Tenant(other, org.id, {}).add_registration(client, project)
            deleting = asyncio.create_task(asked(as_(org), "projectDelete", "deletedId", same))
            await held_up(org, 1)
        found = (await deleting)["data"]["done"]
        assert [(error["code"], error["uses"]) for error in found["userErrors"]] == [("IN_USE", 1)]
        await org.owner.execute("DELETE FROM relaties.registration WHERE tenant_id = $1", org.id)
        await change(as_(org), "projectDelete", "deletedId", **same)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await Tenant(other, org.id, {}).add_registration(client, project)
    finally:
        await other.close()


async def test_a_change_of_a_project_waits_for_the_archiving_of_its_client(as_: Callable[..., Api], org: Tenant, owner_url: str) -> None:
    """And is refused then: the client is held before the project is looked at."""
    client = await org.add_client("A")
    project = await org.add_project(client)
    tries: dict[str, dict[str, object]] = {
        name: {"id": global_id("Project", project), "expectedVersion": 1, **more} for name, more in OTHERS.items()
    }
    tries["projectCreate"] = {"clientId": global_id("Client", client), "name": "P"}
    other = await asyncpg.connect(owner_url)
    try:
        async with other.transaction():
            await other.execute("UPDATE relaties.client SET archived_at = now() WHERE tenant_id = $1", org.id)
            changes = [asyncio.create_task(asked(as_(org), name, "__typename", given)) for name, given in tries.items()]
            await held_up(org, DatabaseLimits().write_pool_size)
        codes = [[error["code"] for error in body["data"]["done"]["userErrors"]] for body in await asyncio.gather(*changes)]
    finally:
        await other.close()
    assert codes == [["ALREADY_ARCHIVED"]] * 5
    assert await traced(org, project) == []
