"""Test forms of one client that are open at the same time as others change its labels and contacts.

Nothing that anybody added is lost, and nobody gets a conflict unless the same thing has changed.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id
from tests.support.races import INTERLEAVINGS, Interleaving, Request, outcome_code, run_mutation

ApiOfTenant = Callable[[Tenant], Api]
CLIENT = """query ($id: ID!) { client(by: {id: $id}) { name phone version labels { name }
  contacts { edges { version department node { lastName } } } } }"""


class OpenForm:
    """A client as it was when the form was opened. The form sends that version, and what its user added and removed."""

    def __init__(self, api: Api, client: dict[str, Any], key: str) -> None:
        self.api, self.client, self.key = api, client, key

    async def save(self, **changes: object) -> dict[str, Any]:
        return await run_mutation(self.api, "clientUpdate", id=self.key, expectedVersion=self.client["version"], **changes)


async def open_form(api: Api, key: str) -> OpenForm:
    return OpenForm(api, (await api.data(CLIENT, id=key))["client"], key)


async def names(org: Tenant, client: UUID) -> tuple[list[str], list[str]]:
    """Return the names of the client's labels and contacts."""
    labels = "SELECT name FROM relaties.label JOIN relaties.client_label ON label_id = id WHERE client_id = $1 ORDER BY name"
    contacts = (
        "SELECT last_name FROM relaties.contact JOIN relaties.client_contact ON contact_id = id WHERE client_id = $1 ORDER BY last_name"
    )
    first, second = [await org.owner.fetch(query, client) for query in (labels, contacts)]
    return [row["name"] for row in first], [row["last_name"] for row in second]


async def test_two_forms_and_one_bulk_labelling_lose_nothing(api_for: Callable[..., Api], org: Tenant) -> None:
    """While both forms are open, somebody labels many clients and links a contact. The first form is then saved without a conflict.

    The second one changes the same client, so it conflicts. Saved again with the current version, it keeps everything too.
    """
    api, client = api_for(org), await org.add_client("Koffiehuis")
    key, others = global_id("Client", client), [global_id("Client", await org.add_client(f"Client {index}")) for index in range(3)]
    red, blue, bulk = [
        global_id("Label", await org.add_label(name, *of)) for name, of in (("Rood", [client]), ("Blauw", []), ("Actie", []))
    ]
    first_contact, second_contact = [
        global_id("Contact", await org.add_contact(name, *of)) for name, of in (("Eerste", [client]), ("Tweede", []))
    ]
    one, two = await open_form(api, key), await open_form(api, key)

    assert outcome_code(await run_mutation(api, "clientLabelsAdd", clientIds=[key, *others], labelIds=[bulk])) == "DONE"
    assert outcome_code(await run_mutation(api, "clientContactLink", clientId=key, contactId=second_contact)) == "DONE"

    labels = {"labelsAdd": [{"id": blue}], "labelsRemove": [red]}
    assert (
        outcome_code(await one.save(name="Koffiehuis De Ree", **labels, contactsAdd=[{"contact": {"new": {"lastName": "Derde"}}}]))
        == "DONE"
    )
    assert await names(org, client) == (["Actie", "Blauw"], ["Derde", "Eerste", "Tweede"])

    changes = {"phone": "020 624 0000", "labelsAdd": [{"new": {"name": "Groen"}}], "contactsRemove": [first_contact]}
    assert outcome_code(await two.save(**changes)) == "VERSION_CONFLICT"
    assert await names(org, client) == (["Actie", "Blauw"], ["Derde", "Eerste", "Tweede"])
    again = await open_form(api, key)
    assert outcome_code(await again.save(**changes)) == "DONE"
    assert await names(org, client) == (["Actie", "Blauw", "Groen"], ["Derde", "Tweede"])
    state = (await open_form(api, key)).client
    assert (state["name"], state["phone"], state["version"]) == ("Koffiehuis De Ree", "+31 20 624 0000", 3)


async def test_two_forms_that_change_only_labels_and_contacts_do_not_conflict(api_for: Callable[..., Api], org: Tenant) -> None:
    """A form that changes the client's fields is saved after them without a conflict."""
    api, client = api_for(org), await org.add_client("Koffiehuis")
    key = global_id("Client", client)
    red = global_id("Label", await org.add_label("Rood", client))
    contact = global_id("Contact", await org.add_contact("Eerste", client))
    forms = [await open_form(api, key) for _ in range(4)]
    saves: list[dict[str, object]] = [
        {"labelsAdd": [{"new": {"name": "Blauw"}}], "labelsRemove": [red]},
        {"labelsAdd": [{"new": {"name": "Groen"}}], "labelsRemove": [red], "contactsRemove": [contact]},
        {"contactsAdd": [{"contact": {"new": {"lastName": "Tweede"}}}], "contactsRemove": [contact]},
        {"name": "De Ree"},
    ]
    payloads = [await form.save(**changes) for form, changes in zip(forms, saves, strict=True)]
    assert [outcome_code(payload) for payload in payloads] == ["DONE"] * 4
    assert await names(org, client) == (["Blauw", "Groen"], ["Tweede"])
    state = (await open_form(api, key)).client
    assert (state["name"], state["version"]) == ("De Ree", 2)


async def test_form_of_a_link_conflicts_only_with_changes_of_that_link(api_for: Callable[..., Api], org: Tenant) -> None:
    """While it is open, the client is renamed and labelled, and another link changes."""
    api, client = api_for(org), await org.add_client("Koffiehuis")
    key, label = global_id("Client", client), global_id("Label", await org.add_label("Rood"))
    one, two = [global_id("Contact", await org.add_contact(name, client)) for name in ("Eerste", "Tweede")]
    change = partial(run_mutation, api, "clientContactUpdate", clientId=key)
    meanwhile = [
        await run_mutation(api, "clientUpdate", id=key, expectedVersion=1, name="De Ree"),
        await run_mutation(api, "clientLabelsAdd", clientIds=[key], labelIds=[label]),
        await change(contactId=two, expectedVersion=1, link={"department": "Verkoop"}),
        await run_mutation(api, "contactUpdate", id=one, expectedVersion=1, jobTitle="Inkoper"),
        await change(contactId=one, expectedVersion=1, link={"department": "Inkoop"}),
    ]
    assert [outcome_code(payload) for payload in meanwhile] == ["DONE"] * 5
    assert outcome_code(await change(contactId=one, expectedVersion=1, link={"department": "Post"})) == "VERSION_CONFLICT"
    edges = (await open_form(api, key)).client["contacts"]["edges"]
    assert sorted((edge["node"]["lastName"], edge["department"], edge["version"]) for edge in edges) == [
        ("Eerste", "Inkoop", 2),
        ("Tweede", "Verkoop", 2),
    ]


async def test_saving_concurrent_with_bulk_labelling_and_linking_loses_nothing(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """All three succeed in every interleaving."""
    api = default_limits_api(org)
    labels = {name: global_id("Label", await org.add_label(name)) for name in ("Actie", "Blauw")}
    contact = global_id("Contact", await org.add_contact("Los"))
    for interleaving in INTERLEAVINGS:
        clients = [await org.add_client(name) for name in ("A", "B")]
        old = global_id("Label", await org.add_label(f"Oud {clients[0]}", *clients))
        keys = [global_id("Client", client) for client in clients]
        form = await open_form(api, keys[0])
        save = partial(form.save, name="Nieuw", labelsAdd=[{"id": labels["Blauw"]}], labelsRemove=[old])
        add = partial(run_mutation, api, "clientLabelsAdd", clientIds=keys, labelIds=[labels["Actie"]])
        link = partial(run_mutation, api, "clientContactLink", clientId=keys[0], contactId=contact)
        linking = asyncio.ensure_future(link())
        payloads = [*await interleaving.run(save, add), await linking]
        assert [outcome_code(payload) for payload in payloads] == ["DONE"] * 3
        assert await names(org, clients[0]) == (["Actie", "Blauw"], ["Los"])
        state = await org.owner.fetchrow("SELECT name, version FROM relaties.client WHERE id = $1", clients[0])
        assert tuple(state or ()) == ("Nieuw", 2)


async def collect_outcomes(interleaving: Interleaving, one: Request, other: Request) -> tuple[str, str]:
    first, second = await interleaving.run(one, other)
    return outcome_code(first), outcome_code(second)


async def test_concurrent_forms_respect_the_limit_of_labels(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """There is room for one more label, and two forms add one each."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    labels = [await org.add_label(f"Label {index}") for index in range(51)]
    for interleaving in INTERLEAVINGS:
        client = await org.add_client("A")
        rows = [(org.id, client, label) for label in labels[:49]]
        await org.owner.executemany("INSERT INTO relaties.client_label (tenant_id, client_id, label_id) VALUES ($1, $2, $3)", rows)
        form = OpenForm(api, {"version": 1}, global_id("Client", client))
        saves = [partial(form.save, labelsAdd=[{"id": global_id("Label", label)}]) for label in labels[49:]]
        outcomes.add(await collect_outcomes(interleaving, *saves))
        assert await org.owner.fetchval("SELECT count(*) FROM relaties.client_label WHERE client_id = $1", client) == 50
    assert outcomes == {("DONE", "TOO_MANY"), ("TOO_MANY", "DONE")}


async def test_concurrent_forms_that_add_the_same(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """Both may add one label. Only one can link a contact, since the other's link would be lost."""
    api, labels, contacts = default_limits_api(org), set[tuple[str, str]](), set[tuple[str, str]]()
    label = global_id("Label", await org.add_label("Rood"))
    contact = global_id("Contact", await org.add_contact("Los"))
    for interleaving in INTERLEAVINGS:
        client = await org.add_client("A")
        form = OpenForm(api, {"version": 1}, global_id("Client", client))
        labels.add(await collect_outcomes(interleaving, *[partial(form.save, labelsAdd=[{"id": label}])] * 2))
        contacts.add(await collect_outcomes(interleaving, *[partial(form.save, contactsAdd=[{"contact": {"id": contact}}])] * 2))
        assert await names(org, client) == (["Rood"], ["Los"])
    assert labels == {("DONE", "DONE")}
    assert contacts == {("DONE", "NAME_TAKEN"), ("NAME_TAKEN", "DONE")}


async def test_one_of_two_concurrent_changes_of_a_link_succeeds(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    client = await org.add_client("A")
    query = "SELECT department, version FROM relaties.client_contact WHERE tenant_id = $1 AND contact_id = $2"
    for interleaving in INTERLEAVINGS:
        contact = await org.add_contact("X", client)
        pair = {"clientId": global_id("Client", client), "contactId": global_id("Contact", contact)}
        change = partial(run_mutation, api, "clientContactUpdate", **pair, expectedVersion=1)
        codes = await collect_outcomes(interleaving, *(partial(change, link={"department": name}) for name in ("Een", "Twee")))
        outcomes.add(codes)
        assert tuple(await org.owner.fetchrow(query, org.id, contact) or ()) == ("Een" if codes[0] == "DONE" else "Twee", 2)
    assert outcomes == {("DONE", "VERSION_CONFLICT"), ("VERSION_CONFLICT", "DONE")}


async def test_label_deletions_concurrent_with_each_other_and_with_forms(default_limits_api: ApiOfTenant, org: Tenant) -> None:
    """Two labels of the same clients are deleted, and forms add one of them. Nobody waits for the other for ever."""
    api, outcomes = default_limits_api(org), set[tuple[str, str]]()
    clients = [await org.add_client(name) for name in "AB"]
    for index, interleaving in enumerate(INTERLEAVINGS):
        one, two = [global_id("Label", await org.add_label(f"{name} {index}", *clients)) for name in ("Een", "Twee")]
        three = global_id("Label", await org.add_label(f"Drie {index}", clients[0]))
        delete = [partial(run_mutation, api, "labelDelete", id=label, expectedVersion=1) for label in (one, two, three)]
        assert await collect_outcomes(interleaving, *delete[:2]) == ("DONE", "DONE")
        form = OpenForm(api, {"version": 1}, global_id("Client", clients[1]))
        outcomes.add(await collect_outcomes(interleaving, delete[2], partial(form.save, labelsAdd=[{"id": three}])))
        assert await org.owner.fetchval("SELECT count(*) FROM relaties.client_label WHERE tenant_id = $1", org.id) == 0
    assert outcomes == {("DONE", "DONE"), ("DONE", "NOT_FOUND")}
