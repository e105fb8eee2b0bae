"""The labels and contacts of clients: put on and taken off, made, changed and deleted."""

from collections.abc import Callable

import asyncpg

from db.tables import Role
from db.tables.keys import new_id
from tests.ask import Api
from tests.builders import Tenant
from tests.forms import CREATE, ERRORS, LINKED, UPDATE, done, kept, refused
from tests.ids import global_id, key_of
from tests.inputs import document, world


async def test_s14_s15_labels_go_on_and_off_many_clients_at_once(as_: Callable[..., Api], org: Tenant) -> None:
    """Those that have one keep it, and the filter follows."""
    clients = [global_id("Client", await org.add_client(name)) for name in "ABC"]
    red, blue = [global_id("Label", await org.add_label(name)) for name in ("Rood", "Blauw")]
    api, rest = as_(org), f"clients {{ name version labels {{ name }} }} {ERRORS} }} }}"
    add, remove = (
        f"mutation ($input: ClientLabelsInput!) {{ done: clientLabels{how}(input: $input) {{ {rest}" for how in ("Add", "Remove")
    )

    found = (await api.data(add, input={"clientIds": clients[:2], "labelIds": [red]}))["done"]
    assert found == {"clients": [{"name": name, "version": 2, "labels": [{"name": "Rood"}]} for name in "AB"], "userErrors": []}
    found = (await api.data(add, input={"clientIds": clients, "labelIds": [red, blue]}))["done"]
    assert [(client["version"], len(client["labels"])) for client in found["clients"]] == [(3, 2), (3, 2), (2, 2)]
    found = (await api.data(remove, input={"clientIds": clients[1:], "labelIds": [red]}))["done"]
    assert [[label["name"] for label in client["labels"]] for client in found["clients"]] == [["Blauw"], ["Blauw"]]
    listed = "query ($any: [ID!]) { clients(filter: {labels: {any: $any}}) { nodes { name } } }"
    assert (await api.data(listed, any=[red]))["clients"]["nodes"] == [{"name": "A"}]

    before = await kept(org)
    unknown = {"clientIds": [clients[0], global_id("Client", new_id())], "labelIds": [global_id("Label", new_id())]}
    assert await refused(api, add, **unknown) == [("NOT_FOUND", ["clientIds", "1"]), ("NOT_FOUND", ["labelIds", "0"])]
    body = await api.ask(add, input={"clientIds": clients[:1] * 101, "labelIds": [red]})
    assert [(error["message"][:34], error["extensions"]) for error in body["errors"]] == [
        ("`$input.clientIds` has 101 entries", {"code": "BAD_USER_INPUT"})
    ]
    assert await kept(org) == before


LABEL = f"{{ label {{ id name color isActive version }} {ERRORS} }} }}"


async def test_s16_a_label_is_any_word(as_: Callable[..., Api], org: Tenant) -> None:
    """Made, renamed and deleted; its name is used once, without regard to capitals and accents; its links go with it."""
    api, client = as_(org), await org.add_client("A")
    create = f"mutation ($input: LabelCreateInput!) {{ done: labelCreate(input: $input) {LABEL}"
    update = f"mutation ($input: LabelUpdateInput!) {{ done: labelUpdate(input: $input) {LABEL}"
    made = (await api.data(create, input={"name": "Uurtje-factuurtje", "color": "#abcdef"}))["done"]["label"]
    assert (made["name"], made["color"], made["isActive"], made["version"]) == ("Uurtje-factuurtje", "#ABCDEF", True, 1)
    taken = (await api.data(create, input={"name": "UURTJE-FACTÚÚRTJE"}))["done"]
    assert [(error["code"], error["path"]) for error in taken["userErrors"]] == [("NAME_TAKEN", ["name"])]
    renamed = (await api.data(update, input={"id": made["id"], "expectedVersion": 1, "name": "uurtje-factuurtje"}))["done"]["label"]
    assert (renamed["name"], renamed["version"]) == ("uurtje-factuurtje", 2)

    await api.data(
        "mutation ($input: ClientLabelsInput!) { clientLabelsAdd(input: $input) { userErrors { code } } }",
        input={"clientIds": [global_id("Client", client)], "labelIds": [made["id"]]},
    )
    delete = f"mutation ($input: LabelDeleteInput!) {{ done: labelDelete(input: $input) {{ deletedId {ERRORS} }} }}"
    late = (await api.data(delete, input={"id": made["id"], "expectedVersion": 1}))["done"]
    assert ([error["code"] for error in late["userErrors"]], late["deletedId"]) == (["VERSION_CONFLICT"], None)
    assert (await api.data(delete, input={"id": made["id"], "expectedVersion": 2}))["done"] == {"deletedId": made["id"], "userErrors": []}
    found = await kept(org)
    assert (found["label"], found["client_label"], found["client"]) == (0, 0, 1)


async def test_s17_a_client_without_contacts_is_whole(as_: Callable[..., Api], org: Tenant) -> None:
    """Also after the last one is taken off."""
    client = await done(as_(org), CREATE, name="A", contacts=[{"contact": {"new": {"lastName": "Jansen"}}}])
    client = await done(as_(org), UPDATE, id=client["id"], expectedVersion=1, contacts=[])
    assert (client["contacts"]["edges"], client["version"]) == ([], 2)
    assert (await kept(org))["contact"] == 1


PERSON = f"{{ contact {{ id fullName email phone notes version clients {{ nodes {{ name }} }} }} {ERRORS} }} }}"
NEW_CONTACT = f"mutation ($input: ContactCreateInput!) {{ done: contactCreate(input: $input) {PERSON}"
LINK = f"mutation ($input: ClientContactLinkInput!) {{ done: clientContactLink(input: $input) {LINKED}"
CHANGE_LINK = f"mutation ($input: ClientContactUpdateInput!) {{ done: clientContactUpdate(input: $input) {LINKED}"
UNLINK = f"mutation ($input: ClientContactUnlinkInput!) {{ done: clientContactUnlink(input: $input) {LINKED}"


async def test_s18_a_contact_is_made_within_a_client_or_by_itself(as_: Callable[..., Api], org: Tenant) -> None:
    """And linked when one likes."""
    api, client = as_(org, Role.MEMBER), global_id("Client", await org.add_client("A"))
    made = (await api.data(NEW_CONTACT, input={"firstName": "Ilse", "phone": "06 12345678", "notes": "Belt terug."}))["done"]["contact"]
    assert made == {
        "id": made["id"], "fullName": "Ilse", "email": None, "phone": "+31 6 12345678", "notes": "Belt terug.", "version": 1,
        "clients": {"nodes": []},
    }  # fmt: skip
    linked = await done(api, LINK, clientId=client, contactId=made["id"])
    assert [(edge["position"], edge["node"]["firstName"]) for edge in linked["contacts"]["edges"]] == [(0, "Ilse")]
    assert await refused(api, LINK, clientId=client, contactId=made["id"]) == [("NAME_TAKEN", ["contactId"])]


async def test_s19_the_contact_for_invoices_is_said_of_the_link(as_: Callable[..., Api], org: Tenant) -> None:
    """Changed at one client it stays as it is at the other, and clients are found by it."""
    api = as_(org)
    a, b = await org.add_client("A"), await org.add_client("B")
    person = global_id("Contact", await org.add_contact("Jansen", a, b))
    client = await done(
        api, CHANGE_LINK, clientId=global_id("Client", a), contactId=person, link={"isInvoiceContact": True, "roles": ["INVOICE"]}
    )
    assert [(edge["isInvoiceContact"], edge["roles"]) for edge in client["contacts"]["edges"]] == [(True, ["INVOICE"])]
    found = await api.data("{ clients(filter: {hasInvoiceContact: true}) { nodes { name } } }")
    assert found["clients"]["nodes"] == [{"name": "A"}]


async def test_s20_a_contact_of_several_clients_is_one_person(as_: Callable[..., Api], org: Tenant) -> None:
    """Changed once it shows at both; taken off one it stays with the other; deleted only when nobody has it any more."""
    api = as_(org)
    a, b = await org.add_client("A"), await org.add_client("B")
    person = global_id("Contact", await org.add_contact("Jansen", a, b))
    update = f"mutation ($input: ContactUpdateInput!) {{ done: contactUpdate(input: $input) {PERSON}"
    changed = (await api.data(update, input={"id": person, "expectedVersion": 1, "email": "an@jansen.example"}))["done"]["contact"]
    assert (changed["email"], changed["version"]) == ("an@jansen.example", 2)
    shown = await api.data("{ clients { nodes { contacts { nodes { email } } } } }")
    assert shown["clients"]["nodes"] == [{"contacts": {"nodes": [{"email": "an@jansen.example"}]}}] * 2

    delete = f"mutation ($input: ContactDeleteInput!) {{ done: contactDelete(input: $input) {{ deletedId {ERRORS} }} }}"
    gone = {"id": person, "expectedVersion": 2}
    assert [error["code"] for error in (await api.data(delete, input=gone))["done"]["userErrors"]] == ["IN_USE"]
    for client, left in ((a, [{"name": "B"}]), (b, [])):
        await done(api, UNLINK, clientId=global_id("Client", client), contactId=person)
        assert (await api.data("query ($id: ID!) { contact(id: $id) { clients { nodes { name } } } }", id=person))["contact"]["clients"][
            "nodes"
        ] == left
    assert await refused(api, UNLINK, clientId=global_id("Client", a), contactId=person) == [("NOT_FOUND", ["contactId"])]
    assert (await api.data(delete, input=gone))["done"] == {"deletedId": person, "userErrors": []}
    assert (await kept(org))["contact"] == 0


async def test_one_contact_of_a_client_is_the_first_to_call(as_: Callable[..., Api], org: Tenant) -> None:
    """Whoever becomes it takes it from the other."""
    api, client = as_(org), await org.add_client("A")
    first, second = [global_id("Contact", await org.add_contact(name, client, position=place)) for place, name in enumerate("XY")]
    for person, wanted in ((first, [True, False]), (second, [False, True])):
        found = await done(api, CHANGE_LINK, clientId=global_id("Client", client), contactId=person, link={"isPrimary": True})
        assert [edge["isPrimary"] for edge in found["contacts"]["edges"]] == wanted


async def test_after_the_last_place_there_is_room(owner: asyncpg.Connection, as_: Callable[..., Api]) -> None:
    """A contact that comes after one with the largest number there is, shares its place."""
    made = await world(owner)
    last = {"clientId": made.ids["Client"], "contactId": made.ids["ContactOfClient"], "link": {"position": 2**31 - 1}}
    await as_(made.tenant).data(document("clientContactUpdate"), input=last)
    more = {"clientId": made.ids["Client"], "contactId": made.ids["Contact"]}
    assert (await as_(made.tenant).data(document("clientContactLink"), input=more))["clientContactLink"]["userErrors"] == []
    key = key_of(made.ids["Contact"])
    assert await owner.fetchval("SELECT position FROM relaties.client_contact WHERE contact_id = $1", key) == 2**31 - 1
