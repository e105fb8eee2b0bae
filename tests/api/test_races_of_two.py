"""Test two concurrent changes of a client, its projects, labels or contacts in many interleavings: both have an allowed outcome."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id
from tests.support.races import INTERLEAVINGS, ClientWithWork, Payload, Request, create_client_with_work, outcome_code, run_mutation

ApiOfTenant = Callable[[Tenant], Api]
DAY = "2026-01-15"
HOUR: dict[str, Any] = {"time": {"minutes": 60}}
OK, NOT_FOUND, ALREADY_ARCHIVED = "DONE", "NOT_FOUND", "ALREADY_ARCHIVED"


async def test_one_of_two_deletions_with_one_token_succeeds(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """The other one does not find the client, and one deletion is recorded."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    for interleaving in INTERLEAVINGS:
        scene = await create_client_with_work(org, is_archived=True)
        delete = await scene.deletion_request(api)
        one, other = await interleaving.run(delete, delete)
        assert await scene.count_rows("deletion_record", "id", scene.client) == 1
        assert await scene.count_rows("client", "id", scene.client) == 0
        outcomes.add((outcome_code(one), outcome_code(other)))
    assert outcomes == {(OK, NOT_FOUND), (NOT_FOUND, OK)}


@pytest.mark.parametrize("takes_orphans", [True, False])
async def test_deletion_concurrent_with_linking_its_contact(default_limits_api: ApiOfTenant, org: Tenant, *, takes_orphans: bool) -> None:
    """If the link is first, the preview is outdated and a fresh one succeeds. No link to a deleted client or contact remains."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    for interleaving in INTERLEAVINGS:
        scene = await create_client_with_work(org, is_archived=True)
        delete = await scene.deletion_request(api, deleteOrphanContacts=takes_orphans)
        link = partial(run_mutation, api, "clientContactLink", clientId=scene.global_id("other"), contactId=scene.global_id("contact"))
        deleted, linked = await interleaving.run(delete, link)
        outcomes.add((outcome_code(deleted), outcome_code(linked)))
        if outcome_code(deleted) == "PREVIEW_OUTDATED":
            token = deleted["userErrors"][0]["preview"]["token"]
            again = partial(run_mutation, api, "clientDelete", id=scene.global_id("client"), deleteOrphanContacts=takes_orphans)
            assert outcome_code(await again(previewToken=token)) == OK
        is_linked = outcome_code(linked) == OK
        assert await scene.count_rows("client", "id", scene.client) == 0
        assert await scene.count_rows("contact", "id", scene.contact) == is_linked
        assert await scene.count_rows("client_contact", "contact_id", scene.contact) == is_linked
    assert outcomes == {("PREVIEW_OUTDATED", OK), (OK, NOT_FOUND if takes_orphans else OK)}


async def test_deletion_concurrent_with_unarchiving(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """One succeeds. After unarchiving, client and project are unchanged, and the deletion fails because the client is active."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    for interleaving in INTERLEAVINGS:
        scene = await create_client_with_work(org, is_archived=True)
        unarchive = partial(run_mutation, api, "clientUnarchive", id=scene.global_id("client"), expectedVersion=2)
        unarchive_payload, deleted = await interleaving.run(unarchive, await scene.deletion_request(api))
        outcomes.add((outcome_code(unarchive_payload), outcome_code(deleted)))
        is_taken = outcome_code(unarchive_payload) == OK
        assert await scene.is_active() == is_taken
        assert await scene.count_rows("registration", "id", scene.registration) == is_taken
    assert outcomes == {(OK, "NOT_ARCHIVED"), (NOT_FOUND, OK)}


async def test_deletion_concurrent_with_unarchiving_and_archiving_again(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """The deletion matches its preview, gets a fresh preview, or fails because the client is active at that moment."""
    api, outcomes = default_limits_api(org), set[tuple[str, ...]]()
    for interleaving in INTERLEAVINGS:
        scene = await create_client_with_work(org, is_archived=True)

        async def change(scene: ClientWithWork = scene) -> Payload:
            one: dict[str, object] = {"id": scene.global_id("client")}
            steps: dict[str, dict[str, object]] = {"clientUnarchive": one, "clientUpdate": {**one, "name": "Nieuw"}, "clientArchive": one}
            calls = [(name, {**arguments, "expectedVersion": version}) for version, (name, arguments) in enumerate(steps.items(), start=2)]
            return {"steps": [outcome_code(await run_mutation(api, name, **arguments)) for name, arguments in calls]}

        changed, deleted = await interleaving.run(change, await scene.deletion_request(api))
        outcomes.add((*changed["steps"], outcome_code(deleted)))
        if token := [error["preview"]["token"] for error in deleted["userErrors"] if error.get("preview")]:
            assert outcome_code(await run_mutation(api, "clientDelete", id=scene.global_id("client"), previewToken=token[0])) == OK
    assert {(NOT_FOUND, NOT_FOUND, NOT_FOUND, OK), (OK, OK, OK, "PREVIEW_OUTDATED")} <= outcomes
    assert outcomes <= {
        (NOT_FOUND, NOT_FOUND, NOT_FOUND, OK),
        *((OK, OK, OK, delete_code) for delete_code in ("NOT_ARCHIVED", "PREVIEW_OUTDATED")),
    }


def archived_client_requests(scene: ClientWithWork) -> dict[str, tuple[dict[str, object], str, str]]:
    """Return requests for an archived client, with their outcome while it exists and after its deletion."""
    client, other, label, contact = (scene.global_id(name) for name in ("client", "other", "label", "contact"))
    of_project, of_row = (
        {"id": scene.global_id(name), "expectedVersion": version} for name, version in (("project", 2), ("registration", 1))
    )
    link: dict[str, object] = {"clientId": client, "contactId": global_id("Contact", scene.org.contacts[0])}
    return {
        "clientUpdate": ({"id": client, "expectedVersion": 2, "name": "Nieuw"}, ALREADY_ARCHIVED, NOT_FOUND),
        "clientArchive": ({"id": client, "expectedVersion": 2}, ALREADY_ARCHIVED, NOT_FOUND),
        "clientContactLink": (link, ALREADY_ARCHIVED, NOT_FOUND),
        "clientContactUpdate": ({**link, "expectedVersion": 1, "link": {"position": 5}}, ALREADY_ARCHIVED, NOT_FOUND),
        "clientContactUnlink": ({**link, "expectedVersion": 1}, ALREADY_ARCHIVED, NOT_FOUND),
        "clientLabelsAdd": ({"clientIds": [client], "labelIds": [global_id("Label", scene.org.labels[0])]}, ALREADY_ARCHIVED, NOT_FOUND),
        "clientLabelsRemove": ({"clientIds": [client], "labelIds": [global_id("Label", scene.org.labels[0])]}, ALREADY_ARCHIVED, NOT_FOUND),
        "contactUpdate": ({"id": contact, "expectedVersion": 1, "lastName": "Nieuw"}, OK, NOT_FOUND),
        "labelDelete": ({"id": label, "expectedVersion": 1}, "IN_USE", OK),
        "projectCreate": ({"clientId": client, "name": "Nieuw"}, ALREADY_ARCHIVED, NOT_FOUND),
        "projectUpdate": ({**of_project, "name": "Nieuw"}, ALREADY_ARCHIVED, NOT_FOUND),
        "projectUnarchive": (of_project, ALREADY_ARCHIVED, NOT_FOUND),
        "projectDelete": (of_project, ALREADY_ARCHIVED, NOT_FOUND),
        "registrationCreate": ({"clientId": client, "registeredOn": DAY, "work": HOUR}, ALREADY_ARCHIVED, NOT_FOUND),
        "registrationUpdate": ({**of_row, "clientId": other}, ALREADY_ARCHIVED, NOT_FOUND),
        "registrationStatusUpdate": ({**of_row, "status": "PENDING"}, ALREADY_ARCHIVED, NOT_FOUND),
        "registrationDelete": (of_row, ALREADY_ARCHIVED, NOT_FOUND),
    }


async def test_deletion_concurrent_with_every_request_for_an_archived_client(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """Requests before the deletion find the client archived, and those after it find nothing. The deletion succeeds."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    await org.add_label("Elders", await org.add_client("Elders"))
    await org.add_contact("Elders", org.clients[0])
    for seed in range(12):
        scene = await create_client_with_work(org, is_archived=True)
        asks: dict[str, Request] = {
            name: partial(run_mutation, api, name, **arguments) for name, (arguments, *_) in archived_client_requests(scene).items()
        }
        asks["clientDelete"] = await scene.deletion_request(api, deleteOrphanContacts=True)
        order = random.Random(seed).sample([*asks], len(asks))  # noqa: S311 no secret
        if seed < 10:
            payloads = [*await asyncio.gather(*(asks[name]() for name in order))]
        else:  # one after the other, with the deletion first or last
            order.remove("clientDelete")
            order.insert(0 if seed == 10 else len(order), "clientDelete")
            payloads = [await asks[name]() for name in order]
        payloads_by_name = dict(zip(order, payloads, strict=True))
        assert outcome_code(payloads_by_name.pop("clientDelete")) == OK
        outcomes |= {(name, outcome_code(payload)) for name, payload in payloads_by_name.items()}
        assert await scene.count_rows("registration", "client_id", scene.client) == 0
        assert await scene.count_rows("client_contact", "client_id", scene.client) == 0
    assert outcomes == {(name, each) for name, (_, *codes) in archived_client_requests(scene).items() for each in codes}


async def test_project_archiving_concurrent_with_registration(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """The registration succeeds while the project is active, before archiving or after unarchiving, and is rejected otherwise."""
    api = default_limits_api(org)
    outcomes = {"projectArchive": set[tuple[str, str]](), "projectUnarchive": set[tuple[str, str]]()}
    for interleaving in INTERLEAVINGS:
        scene = await create_client_with_work(org)
        create = partial(run_mutation, api, "registrationCreate", projectId=scene.global_id("project"), registeredOn=DAY, work=HOUR)
        for index, mutation in enumerate(outcomes):
            change = partial(run_mutation, api, mutation, id=scene.global_id("project"), expectedVersion=1 + index)
            before = await scene.count_rows("registration", "project_id", scene.project)
            changed, created = await interleaving.run(change, create)
            outcomes[mutation].add((outcome_code(changed), outcome_code(created)))
            assert await scene.count_rows("registration", "project_id", scene.project) == before + (outcome_code(created) == OK)
    assert list(outcomes.values()) == [{(OK, OK), (OK, ALREADY_ARCHIVED)}] * 2


async def test_project_deletion_concurrent_with_registration(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """One succeeds: either the registration finds no project, or the project is in use and stays."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    client = await org.add_client("Werk")
    for interleaving in INTERLEAVINGS:
        project = await org.add_project(client)
        delete = partial(run_mutation, api, "projectDelete", id=global_id("Project", project), expectedVersion=1)
        create = partial(run_mutation, api, "registrationCreate", projectId=global_id("Project", project), registeredOn=DAY, work=HOUR)
        deleted, created = await interleaving.run(delete, create)
        outcomes.add((outcome_code(deleted), outcome_code(created)))
        count = "SELECT count(*) FROM relaties.registration WHERE project_id = $1"
        assert await org.owner.fetchval(count, project) == (outcome_code(created) == OK)
    assert outcomes == {(OK, NOT_FOUND), ("IN_USE", OK)}


async def test_archiving_concurrent_with_a_new_project(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """The project is created before and archived with the client, or it is rejected."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    for interleaving in INTERLEAVINGS:
        client = await org.add_client("Werk")
        archive = partial(run_mutation, api, "clientArchive", id=global_id("Client", client), expectedVersion=1)
        create = partial(run_mutation, api, "projectCreate", clientId=global_id("Client", client), name="Nieuw")
        archived, created = await interleaving.run(archive, create)
        outcomes.add((outcome_code(archived), outcome_code(created)))
        count = "SELECT count(archived_at), count(*) FROM relaties.project WHERE client_id = $1"
        assert tuple(await org.owner.fetchrow(count, client) or ()) == (outcome_code(created) == OK,) * 2
    assert outcomes == {(OK, OK), (OK, ALREADY_ARCHIVED)}


async def test_label_deletion_concurrent_with_labelled_registration(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """The label is removed from the earlier registration, or the later registration is rejected because the label is unknown."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    for interleaving in INTERLEAVINGS:
        scene = await create_client_with_work(org)
        delete = partial(run_mutation, api, "labelDelete", id=scene.global_id("label"), expectedVersion=1)
        more = {"labelIds": [scene.global_id("label")], "registeredOn": DAY, "work": HOUR}
        deleted, created = await interleaving.run(
            delete, partial(run_mutation, api, "registrationCreate", clientId=scene.global_id("client"), **more)
        )
        outcomes.add((outcome_code(deleted), outcome_code(created)))
        assert await scene.count_rows("registration_label", "label_id", scene.label) == 0
        assert await scene.count_rows("registration", "client_id", scene.client) == 1 + (outcome_code(created) == OK)
    assert outcomes == {(OK, OK), (OK, NOT_FOUND)}


async def test_moves_in_opposite_directions_both_succeed(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """The registrations are moved between the same two clients, so locks in opposite order would deadlock."""
    api = default_limits_api(org)
    for interleaving in INTERLEAVINGS:
        clients = [await org.add_client(name) for name in "AB"]
        rows = [await org.add_registration(client) for client in clients]
        moves = [
            partial(
                run_mutation,
                api,
                "registrationUpdate",
                id=global_id("Registration", row),
                expectedVersion=1,
                clientId=global_id("Client", client),
            )
            for row, client in zip(rows, reversed(clients), strict=True)
        ]
        assert [outcome_code(each) for each in await interleaving.run(*moves)] == [OK, OK]
        client_rows = await org.owner.fetch("SELECT client_id FROM relaties.registration WHERE id = ANY($1) ORDER BY id", rows)
        assert [row["client_id"] for row in client_rows] == clients[::-1]
