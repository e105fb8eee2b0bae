"""Two changes that meet on a client, its projects, its labels or its contacts: in whatever order, both come to what they may."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.ask import Api
from tests.builders import Tenant
from tests.ids import global_id
from tests.racing import MEETINGS, Ask, Payload, Worked, asked, code, worked

Usual = Callable[[Tenant], Api]
DAY = "2026-01-15"
HOUR: dict[str, Any] = {"time": {"minutes": 60}}
DONE, GONE, FROZEN = "DONE", "NOT_FOUND", "ALREADY_ARCHIVED"


async def test_of_two_deletions_one_is_done(usual: Usual, org: Tenant) -> None:
    """Of the same token; the other finds nothing any more, and there is one record of it."""
    api, seen = usual(org), set[tuple[str, str]]()
    for meeting in MEETINGS:
        there = await worked(org, is_archived=True)
        delete = await there.deletion(api)
        one, other = await meeting.of(delete, delete)
        assert await there.count("deletion_record", "id", there.client) == 1
        assert await there.count("client", "id", there.client) == 0
        seen.add((code(one), code(other)))
    assert seen == {(DONE, GONE), (GONE, DONE)}


@pytest.mark.parametrize("takes_orphans", [True, False])
async def test_a_deletion_against_its_contact_becoming_anothers(usual: Usual, org: Tenant, *, takes_orphans: bool) -> None:
    """Linked first, the preview is no longer true, and the fresh one is; deleted first, there is nobody to link. Never a link to nobody."""
    api, seen = usual(org), set[tuple[str, str]]()
    for meeting in MEETINGS:
        there = await worked(org, is_archived=True)
        delete = await there.deletion(api, deleteOrphanContacts=takes_orphans)
        link = partial(asked, api, "clientContactLink", clientId=there.shown("other"), contactId=there.shown("contact"))
        deleted, linked = await meeting.of(delete, link)
        seen.add((code(deleted), code(linked)))
        if code(deleted) == "PREVIEW_OUTDATED":
            token = deleted["userErrors"][0]["preview"]["token"]
            again = partial(asked, api, "clientDelete", id=there.shown("client"), deleteOrphanContacts=takes_orphans)
            assert code(await again(previewToken=token)) == DONE
        is_linked = code(linked) == DONE
        assert await there.count("client", "id", there.client) == 0
        assert await there.count("contact", "id", there.contact) == is_linked
        assert await there.count("client_contact", "contact_id", there.contact) == is_linked
    assert seen == {("PREVIEW_OUTDATED", DONE), (DONE, GONE if takes_orphans else DONE)}


async def test_a_deletion_against_the_client_being_taken_back(usual: Usual, org: Tenant) -> None:
    """One is done; taken back it is as it was, with its project, and the deletion is told to archive it first."""
    api, seen = usual(org), set[tuple[str, str]]()
    for meeting in MEETINGS:
        there = await worked(org, is_archived=True)
        unarchive = partial(asked, api, "clientUnarchive", id=there.shown("client"))
        taken, deleted = await meeting.of(unarchive, await there.deletion(api))
        seen.add((code(taken), code(deleted)))
        is_taken = code(taken) == DONE
        assert await there.is_active() == is_taken
        assert await there.count("registration", "id", there.registration) == is_taken
    assert seen == {(DONE, "NOT_ARCHIVED"), (GONE, DONE)}


async def test_a_deletion_against_a_change_that_takes_the_client_back_and_archives_it_again(usual: Usual, org: Tenant) -> None:
    """Wherever in it the deletion comes: it is done as it was shown, or what is there now is shown, or the client is active just then."""
    api, seen = usual(org), set[tuple[str, ...]]()
    for meeting in MEETINGS:
        there = await worked(org, is_archived=True)

        async def change(there: Worked = there) -> Payload:
            one: dict[str, object] = {"id": there.shown("client")}
            steps = {"clientUnarchive": one, "clientUpdate": {**one, "expectedVersion": 3, "name": "Nieuw"}, "clientArchive": one}
            return {"steps": [code(await asked(api, name, **given)) for name, given in steps.items()]}

        changed, deleted = await meeting.of(change, await there.deletion(api))
        seen.add((*changed["steps"], code(deleted)))
        if token := [error["preview"]["token"] for error in deleted["userErrors"] if error.get("preview")]:
            assert code(await asked(api, "clientDelete", id=there.shown("client"), previewToken=token[0])) == DONE
    assert {(GONE, GONE, GONE, DONE), (DONE, DONE, DONE, "PREVIEW_OUTDATED")} <= seen
    assert seen <= {(GONE, GONE, GONE, DONE), *((DONE, DONE, DONE, lost) for lost in ("NOT_ARCHIVED", "PREVIEW_OUTDATED"))}


def of_archived(there: Worked) -> dict[str, tuple[dict[str, object], str, str]]:
    """What can be asked of an archived client, what comes of it while it is there, and what when it is gone."""
    client, other, label, contact = (there.shown(name) for name in ("client", "other", "label", "contact"))
    of_project, of_row = ({"id": there.shown(name), "expectedVersion": version} for name, version in (("project", 2), ("registration", 1)))
    link: dict[str, object] = {"clientId": client, "contactId": global_id("Contact", there.org.contacts[0])}
    return {
        "clientUpdate": ({"id": client, "expectedVersion": 2, "name": "Nieuw"}, FROZEN, GONE),
        "clientArchive": ({"id": client}, FROZEN, GONE),
        "clientContactLink": (link, FROZEN, GONE),
        "clientContactUpdate": ({**link, "link": {"position": 5}}, FROZEN, GONE),
        "clientContactUnlink": (link, FROZEN, GONE),
        "clientLabelsAdd": ({"clientIds": [client], "labelIds": [global_id("Label", there.org.labels[0])]}, FROZEN, GONE),
        "clientLabelsRemove": ({"clientIds": [client], "labelIds": [global_id("Label", there.org.labels[0])]}, FROZEN, GONE),
        "contactUpdate": ({"id": contact, "expectedVersion": 1, "lastName": "Nieuw"}, DONE, GONE),
        "labelDelete": ({"id": label, "expectedVersion": 1}, "IN_USE", DONE),
        "projectCreate": ({"clientId": client, "name": "Nieuw"}, FROZEN, GONE),
        "projectUpdate": ({**of_project, "name": "Nieuw"}, FROZEN, GONE),
        "projectUnarchive": (of_project, FROZEN, GONE),
        "projectDelete": (of_project, FROZEN, GONE),
        "registrationCreate": ({"clientId": client, "registeredOn": DAY, "work": HOUR}, FROZEN, GONE),
        "registrationUpdate": ({**of_row, "clientId": other}, FROZEN, GONE),
        "registrationStatusUpdate": ({**of_row, "status": "PENDING"}, FROZEN, GONE),
        "registrationDelete": (of_row, FROZEN, GONE),
    }


async def test_a_deletion_against_all_that_is_asked_of_an_archived_client(usual: Usual, org: Tenant) -> None:
    """At once in any order, and one by one: refused while it is archived, not found when it is gone; the deletion is done."""
    api, seen = usual(org), set[tuple[str, str]]()
    await org.add_label("Elders", await org.add_client("Elders"))
    await org.add_contact("Elders", org.clients[0])
    for seed in range(12):
        there = await worked(org, is_archived=True)
        asks: dict[str, Ask] = {name: partial(asked, api, name, **given) for name, (given, *_) in of_archived(there).items()}
        asks["clientDelete"] = await there.deletion(api, deleteOrphanContacts=True)
        order = random.Random(seed).sample([*asks], len(asks))  # noqa: S311 no secret
        if seed < 10:
            payloads = [*await asyncio.gather(*(asks[name]() for name in order))]
        else:  # first of all, and last of all
            order.remove("clientDelete")
            order.insert(0 if seed == 10 else len(order), "clientDelete")
            payloads = [await asks[name]() for name in order]
        found = dict(zip(order, payloads, strict=True))
        assert code(found.pop("clientDelete")) == DONE
        seen |= {(name, code(payload)) for name, payload in found.items()}
        assert await there.count("registration", "client_id", there.client) == 0
        assert await there.count("client_contact", "client_id", there.client) == 0
    assert seen == {(name, each) for name, (_, *codes) in of_archived(there).items() for each in codes}


async def test_a_project_that_is_archived_against_work_on_it(usual: Usual, org: Tenant) -> None:
    """The work came before, or is refused with the project; taken back, it came after, or is refused."""
    api = usual(org)
    seen = {"projectArchive": set[tuple[str, str]](), "projectUnarchive": set[tuple[str, str]]()}
    for meeting in MEETINGS:
        there = await worked(org)
        create = partial(asked, api, "registrationCreate", projectId=there.shown("project"), registeredOn=DAY, work=HOUR)
        for place, mutation in enumerate(seen):
            change = partial(asked, api, mutation, id=there.shown("project"), expectedVersion=1 + place)
            before = await there.count("registration", "project_id", there.project)
            changed, created = await meeting.of(change, create)
            seen[mutation].add((code(changed), code(created)))
            assert await there.count("registration", "project_id", there.project) == before + (code(created) == DONE)
    assert list(seen.values()) == [{(DONE, DONE), (DONE, FROZEN)}] * 2


async def test_a_project_that_is_deleted_against_work_on_it(usual: Usual, org: Tenant) -> None:
    """One is done: the work finds no project, or the project has work on it and stays."""
    api, seen = usual(org), set[tuple[str, str]]()
    client = await org.add_client("Werk")
    for meeting in MEETINGS:
        project = await org.add_project(client)
        delete = partial(asked, api, "projectDelete", id=global_id("Project", project), expectedVersion=1)
        create = partial(asked, api, "registrationCreate", projectId=global_id("Project", project), registeredOn=DAY, work=HOUR)
        deleted, created = await meeting.of(delete, create)
        seen.add((code(deleted), code(created)))
        count = "SELECT count(*) FROM relaties.registration WHERE project_id = $1"
        assert await org.owner.fetchval(count, project) == (code(created) == DONE)
    assert seen == {(DONE, GONE), ("IN_USE", DONE)}


async def test_archiving_against_a_new_project(usual: Usual, org: Tenant) -> None:
    """It came before and is archived along, or it is refused."""
    api, seen = usual(org), set[tuple[str, str]]()
    for meeting in MEETINGS:
        client = await org.add_client("Werk")
        archive = partial(asked, api, "clientArchive", id=global_id("Client", client))
        create = partial(asked, api, "projectCreate", clientId=global_id("Client", client), name="Nieuw")
        archived, created = await meeting.of(archive, create)
        seen.add((code(archived), code(created)))
        count = "SELECT count(archived_at), count(*) FROM relaties.project WHERE client_id = $1"
        assert tuple(await org.owner.fetchrow(count, client) or ()) == (code(created) == DONE,) * 2
    assert seen == {(DONE, DONE), (DONE, FROZEN)}


async def test_a_label_that_is_deleted_against_work_that_wears_it(usual: Usual, org: Tenant) -> None:
    """Put on first, it is taken off again, and the work stays; deleted first, there is no such label, and no work is registered."""
    api, seen = usual(org), set[tuple[str, str]]()
    for meeting in MEETINGS:
        there = await worked(org)
        delete = partial(asked, api, "labelDelete", id=there.shown("label"), expectedVersion=1)
        more = {"labelIds": [there.shown("label")], "registeredOn": DAY, "work": HOUR}
        deleted, created = await meeting.of(delete, partial(asked, api, "registrationCreate", clientId=there.shown("client"), **more))
        seen.add((code(deleted), code(created)))
        assert await there.count("registration_label", "label_id", there.label) == 0
        assert await there.count("registration", "client_id", there.client) == 1 + (code(created) == DONE)
    assert seen == {(DONE, DONE), (DONE, GONE)}


async def test_work_that_goes_both_ways_crosses(usual: Usual, org: Tenant) -> None:
    """Between two clients, at once: both moves are done."""
    api = usual(org)
    for meeting in MEETINGS:
        clients = [await org.add_client(name) for name in "AB"]
        rows = [await org.add_registration(client) for client in clients]
        moves = [
            partial(
                asked, api, "registrationUpdate", id=global_id("Registration", row), expectedVersion=1, clientId=global_id("Client", client)
            )
            for row, client in zip(rows, reversed(clients), strict=True)
        ]
        assert [code(each) for each in await meeting.of(*moves)] == [DONE, DONE]
        found = await org.owner.fetch("SELECT client_id FROM relaties.registration WHERE id = ANY($1) ORDER BY id", rows)
        assert [row["client_id"] for row in found] == clients[::-1]
