"""Test adding, changing and removing the labels and contacts of clients."""

from collections.abc import Callable
from datetime import timedelta

import asyncpg

from db.tables import Role
from db.tables.keys import new_id
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.client_forms import CLIENT_RESULT, CREATE, ERRORS, UPDATE, count_rows, fetch_errors, save_client
from tests.support.ids import decode_key, global_id
from tests.support.mutation_inputs import create_world, mutation_document
from tests.support.owner import sign_preview_token


async def test_s14_s15_labels_are_added_and_removed_for_many_clients(api_for: Callable[..., Api], org: Tenant) -> None:
    """A label that a client already has is kept without an error, filters by label follow, and the clients keep their versions."""
    clients = [global_id("Client", await org.add_client(name)) for name in "ABC"]
    red, blue = [global_id("Label", await org.add_label(name)) for name in ("Rood", "Blauw")]
    api, rest = api_for(org), f"clients {{ name version labels {{ name }} }} {ERRORS} }} }}"
    add, remove = (
        f"mutation ($input: ClientLabelsInput!) {{ done: clientLabels{how}(input: $input) {{ {rest}" for how in ("Add", "Remove")
    )

    payload = (await api.data(add, input={"clientIds": clients[:2], "labelIds": [red]}))["done"]
    assert payload == {"clients": [{"name": name, "version": 1, "labels": [{"name": "Rood"}]} for name in "AB"], "userErrors": []}
    payload = (await api.data(add, input={"clientIds": clients, "labelIds": [red, blue]}))["done"]
    assert [(client["version"], len(client["labels"])) for client in payload["clients"]] == [(1, 2)] * 3
    payload = (await api.data(remove, input={"clientIds": clients[1:], "labelIds": [red]}))["done"]
    assert [[label["name"] for label in client["labels"]] for client in payload["clients"]] == [["Blauw"], ["Blauw"]]
    clients_query = "query ($any: [ID!]) { clients(filter: {labels: {any: $any}}) { nodes { name } } }"
    assert (await api.data(clients_query, any=[red]))["clients"]["nodes"] == [{"name": "A"}]

    before = await count_rows(org)
    unknown = {"clientIds": [clients[0], global_id("Client", new_id())], "labelIds": [global_id("Label", new_id())]}
    assert await fetch_errors(api, add, **unknown) == [("NOT_FOUND", ["clientIds", "1"]), ("NOT_FOUND", ["labelIds", "0"])]
    body = await api.execute(add, input={"clientIds": clients[:1] * 101, "labelIds": [red]})
    assert [(error["message"][:34], error["extensions"]) for error in body["errors"]] == [
        ("`$input.clientIds` has 101 entries", {"code": "BAD_USER_INPUT", "path": ["input", "clientIds"]})
    ]
    assert await count_rows(org) == before


LABEL = f"{{ label {{ id name color isActive version }} {ERRORS} }} }}"


async def test_s16_label_name_is_unique_ignoring_case(api_for: Callable[..., Api], org: Tenant) -> None:
    """Accents are ignored as well. Deleting a label removes its links and leaves the clients."""
    api, client = api_for(org), await org.add_client("A")
    create = f"mutation ($input: LabelCreateInput!) {{ done: labelCreate(input: $input) {LABEL}"
    update = f"mutation ($input: LabelUpdateInput!) {{ done: labelUpdate(input: $input) {LABEL}"
    label = (await api.data(create, input={"name": "Uurtje-factuurtje", "color": "#abcdef"}))["done"]["label"]
    assert (label["name"], label["color"], label["isActive"], label["version"]) == ("Uurtje-factuurtje", "#ABCDEF", True, 1)
    payload = (await api.data(create, input={"name": "UURTJE-FACTÚÚRTJE"}))["done"]
    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [("NAME_TAKEN", ["name"])]
    renamed = (await api.data(update, input={"id": label["id"], "expectedVersion": 1, "name": "uurtje-factuurtje"}))["done"]["label"]
    assert (renamed["name"], renamed["version"]) == ("uurtje-factuurtje", 2)

    await api.data(
        "mutation ($input: ClientLabelsInput!) { clientLabelsAdd(input: $input) { userErrors { code } } }",
        input={"clientIds": [global_id("Client", client)], "labelIds": [label["id"]]},
    )
    delete = f"mutation ($input: LabelDeleteInput!) {{ done: labelDelete(input: $input) {{ deletedId {ERRORS} }} }}"
    late = (await api.data(delete, input={"id": label["id"], "expectedVersion": 1}))["done"]
    assert ([error["code"] for error in late["userErrors"]], late["deletedId"]) == (["VERSION_CONFLICT"], None)
    assert (await api.data(delete, input={"id": label["id"], "expectedVersion": 2}))["done"] == {"deletedId": label["id"], "userErrors": []}
    row_counts = await count_rows(org)
    assert (row_counts["label"], row_counts["client_label"], row_counts["client"]) == (0, 0, 1)


async def test_s17_client_needs_no_contacts(api_for: Callable[..., Api], org: Tenant) -> None:
    """The last contact can be removed from the form."""
    client = await save_client(api_for(org), CREATE, name="A", contacts=[{"contact": {"new": {"lastName": "Jansen"}}}])
    (edge,) = client["contacts"]["edges"]
    client = await save_client(api_for(org), UPDATE, id=client["id"], expectedVersion=1, contactsRemove=[edge["node"]["id"]])
    assert (client["contacts"]["edges"], client["version"]) == ([], 1)
    assert (await count_rows(org))["contact"] == 1


PERSON = f"{{ contact {{ id fullName email phone notes version clients {{ nodes {{ name }} }} }} {ERRORS} }} }}"
NEW_CONTACT = f"mutation ($input: ContactCreateInput!) {{ done: contactCreate(input: $input) {PERSON}"
LINK = f"mutation ($input: ClientContactLinkInput!) {{ done: clientContactLink(input: $input) {CLIENT_RESULT}"
CHANGE_LINK = f"mutation ($input: ClientContactUpdateInput!) {{ done: clientContactUpdate(input: $input) {CLIENT_RESULT}"
UNLINK = f"mutation ($input: ClientContactUnlinkInput!) {{ done: clientContactUnlink(input: $input) {CLIENT_RESULT}"


async def test_s18_contact_is_created_without_a_client_and_linked_later(api_for: Callable[..., Api], org: Tenant) -> None:
    api, client = api_for(org, Role.MEMBER), global_id("Client", await org.add_client("A"))
    contact = (await api.data(NEW_CONTACT, input={"firstName": "Ilse", "phone": "06 12345678", "notes": "Belt terug."}))["done"]["contact"]
    assert contact == {
        "id": contact["id"], "fullName": "Ilse", "email": None, "phone": "+31 6 12345678", "notes": "Belt terug.", "version": 1,
        "clients": {"nodes": []},
    }  # fmt: skip
    linked_client = await save_client(api, LINK, clientId=client, contactId=contact["id"])
    assert [(edge["position"], edge["node"]["firstName"]) for edge in linked_client["contacts"]["edges"]] == [(0, "Ilse")]
    assert await fetch_errors(api, LINK, clientId=client, contactId=contact["id"]) == [("NAME_TAKEN", ["contactId"])]


async def test_s19_invoice_contact_is_set_on_the_link(api_for: Callable[..., Api], org: Tenant) -> None:
    """The contact's link to another client does not change, and the filter by invoice contact follows."""
    api = api_for(org)
    a, b = await org.add_client("A"), await org.add_client("B")
    person = global_id("Contact", await org.add_contact("Jansen", a, b))
    link = {"isInvoiceContact": True, "roles": ["INVOICE"]}
    client = await save_client(api, CHANGE_LINK, clientId=global_id("Client", a), contactId=person, expectedVersion=1, link=link)
    assert [(edge["isInvoiceContact"], edge["roles"]) for edge in client["contacts"]["edges"]] == [(True, ["INVOICE"])]
    data = await api.data("{ clients(filter: {hasInvoiceContact: true}) { nodes { name } } }")
    assert data["clients"]["nodes"] == [{"name": "A"}]


async def test_s20_a_contact_of_several_clients_is_one_person(api_for: Callable[..., Api], org: Tenant) -> None:
    """A change shows at both clients. Unlinking from one keeps the other link, and only an unlinked contact can be deleted."""
    api = api_for(org)
    a, b = await org.add_client("A"), await org.add_client("B")
    person = global_id("Contact", await org.add_contact("Jansen", a, b))
    update = f"mutation ($input: ContactUpdateInput!) {{ done: contactUpdate(input: $input) {PERSON}"
    changed = (await api.data(update, input={"id": person, "expectedVersion": 1, "email": "an@jansen.example"}))["done"]["contact"]
    assert (changed["email"], changed["version"]) == ("an@jansen.example", 2)
    data = await api.data("{ clients { nodes { contacts { nodes { email } } } } }")
    assert data["clients"]["nodes"] == [{"contacts": {"nodes": [{"email": "an@jansen.example"}]}}] * 2

    delete = f"mutation ($input: ContactDeleteInput!) {{ done: contactDelete(input: $input) {{ deletedId {ERRORS} }} }}"
    delete_input = {"id": person, "expectedVersion": 2}
    assert [error["code"] for error in (await api.data(delete, input=delete_input))["done"]["userErrors"]] == ["IN_USE"]
    for client, remaining in ((a, [{"name": "B"}]), (b, [])):
        await save_client(api, UNLINK, clientId=global_id("Client", client), contactId=person, expectedVersion=1)
        assert (await api.data("query ($id: ID!) { contact(id: $id) { clients { nodes { name } } } }", id=person))["contact"]["clients"][
            "nodes"
        ] == remaining
    again = {"clientId": global_id("Client", a), "contactId": person, "expectedVersion": 1}
    assert await fetch_errors(api, UNLINK, **again) == [("NOT_FOUND", ["contactId"])]
    assert (await api.data(delete, input=delete_input))["done"] == {"deletedId": person, "userErrors": []}
    assert (await count_rows(org))["contact"] == 0


async def test_client_has_one_primary_contact(api_for: Callable[..., Api], org: Tenant) -> None:
    """Making another contact primary ends the role of the previous one."""
    api, client = api_for(org), await org.add_client("A")
    first, second = [global_id("Contact", await org.add_contact(name, client, position=index)) for index, name in enumerate("XY")]
    for person, expected in ((first, [True, False]), (second, [False, True])):
        pair = {"clientId": global_id("Client", client), "contactId": person, "expectedVersion": 1}
        client_data = await save_client(api, CHANGE_LINK, **pair, link={"isPrimary": True})
        assert [edge["isPrimary"] for edge in client_data["contacts"]["edges"]] == expected


async def test_contact_can_be_added_after_the_highest_position(owner: asyncpg.Connection, api_for: Callable[..., Api]) -> None:
    """The next position would exceed a 32-bit integer, so the new contact shares the highest one."""
    own_world = await create_world(owner)
    last = {
        "clientId": own_world.ids["Client"],
        "contactId": own_world.ids["ContactOfClient"],
        "expectedVersion": 1,
        "link": {"position": 2**31 - 1},
    }
    await api_for(own_world.tenant).data(mutation_document("clientContactUpdate"), input=last)
    more = {"clientId": own_world.ids["Client"], "contactId": own_world.ids["Contact"]}
    assert (await api_for(own_world.tenant).data(mutation_document("clientContactLink"), input=more))["clientContactLink"][
        "userErrors"
    ] == []
    key = decode_key(own_world.ids["Contact"])
    assert await owner.fetchval("SELECT position FROM relaties.client_contact WHERE contact_id = $1", key) == 2**31 - 1


async def test_repeated_addition_leaves_out_a_client_that_was_deleted_since(api_for: Callable[..., Api], org: Tenant) -> None:
    """The list has no null in the place of the client."""
    api, label = api_for(org), global_id("Label", await org.add_label("Vast"))
    first, deleted, last = [await org.add_client(name) for name in ("A", "B", "C")]
    add = {"clientIds": [global_id("Client", key) for key in (first, deleted, last)], "labelIds": [label]}
    document = mutation_document("clientLabelsAdd", '@idempotent(key: "k")')
    assert len((await api.data(document, input=add))["clientLabelsAdd"]["clients"]) == 3
    key = global_id("Client", deleted)
    await api.data(mutation_document("clientArchive"), input={"id": key, "expectedVersion": 1})
    delete = {"id": key, "previewToken": await sign_preview_token(org, deleted, timedelta(minutes=5))}
    assert (await api.data(mutation_document("clientDelete"), input=delete))["clientDelete"]["deletedId"] == key
    clients = (await api.data(document, input=add))["clientLabelsAdd"]["clients"]
    assert clients == [{"__typename": "Client", "id": global_id("Client", each)} for each in (first, last)]
