"""Test what a form adds to the labels and contacts of a client and removes from them: exactly that, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.support.api import Api
from tests.support.builders import Tenant, create_tenant
from tests.support.client_forms import UPDATE, fetch_errors, save_client
from tests.support.ids import global_id
from tests.support.mutations import fetch_error
from tests.support.mutations import fetch_errors as fetch_full_errors
from tests.support.snapshots import assert_unchanged

Input = dict[str, Any]
UNKNOWN = UUID(int=1)


@dataclass(frozen=True)
class Form:
    """The form of a client with two labels and two contacts, and the ids of those and of others that it does not have."""

    api: Api
    org: Tenant
    client: str
    labels: dict[str, str]
    contacts: dict[str, str]

    async def identification(self) -> dict[str, Any]:
        data = await self.api.data("query ($id: ID!) { client(by: {id: $id}) { version } }", id=self.client)
        return {"id": self.client, "expectedVersion": data["client"]["version"]}

    async def save(self, **changes: object) -> dict[str, Any]:
        return await save_client(self.api, UPDATE, **await self.identification(), **changes)

    async def errors(self, **changes: object) -> list[tuple[str, list[str]]]:
        """Return the errors of a form that must be rejected as a whole."""
        async with assert_unchanged(self.org.owner, self.org.id):
            return await fetch_errors(self.api, UPDATE, **await self.identification(), **changes)


def label_names(client: dict[str, Any]) -> list[str]:
    return [label["name"] for label in client["labels"]]


def contact_names(client: dict[str, Any]) -> list[tuple[str, int]]:
    return [(edge["node"]["lastName"], edge["position"]) for edge in client["contacts"]["edges"]]


@pytest.fixture
async def form(api_for: Callable[..., Api], org: Tenant) -> Form:
    client = await org.add_client("Koffiehuis")
    labels = {name: await org.add_label(name, client) for name in ("Blauw", "Rood")}
    contacts = {name: await org.add_contact(name, client, position=index) for index, name in enumerate(("Eerste", "Tweede"))}
    labels["Groen"], contacts["Los"] = await org.add_label("Groen"), await org.add_contact("Los", await org.add_client("Ander"))
    return Form(
        api_for(org),
        org,
        global_id("Client", client),
        {name: global_id("Label", key) for name, key in labels.items()},
        {name: global_id("Contact", key) for name, key in contacts.items()},
    )


async def test_form_adds_and_removes_exactly_what_it_names(form: Form) -> None:
    """The other labels and contacts stay. New contacts come after the others in their order."""
    client = await form.save(
        labelsAdd=[{"id": form.labels["Groen"]}, {"new": {"name": "Nieuw", "color": "#aa00ff"}}],
        labelsRemove=[form.labels["Rood"]],
        contactsAdd=[
            {"contact": {"id": form.contacts["Los"]}, "link": {"department": "Inkoop", "roles": ["QUOTE", "INVOICE"]}},
            {"contact": {"new": {"lastName": "Nieuw"}}},
        ],
        contactsRemove=[form.contacts["Eerste"]],
    )
    assert label_names(client) == ["Blauw", "Groen", "Nieuw"]
    assert contact_names(client) == [("Tweede", 1), ("Los", 2), ("Nieuw", 3)]
    first, second, _ = client["contacts"]["edges"]
    assert (first["department"], first["roles"]) == (None, [])
    assert (second["department"], second["roles"], second["isActive"]) == ("Inkoop", ["INVOICE", "QUOTE"], True)
    contact = await form.api.data("query ($id: ID!) { contact(id: $id) { clients { nodes { name } } } }", id=form.contacts["Los"])
    assert contact["contact"]["clients"]["nodes"] == [{"name": "Ander"}, {"name": "Koffiehuis"}]
    removed = await form.api.data("query ($id: ID!) { contact(id: $id) { lastName clients { totalCount } } }", id=form.contacts["Eerste"])
    assert removed["contact"] == {"lastName": "Eerste", "clients": {"totalCount": 0}}


async def test_added_contact_keeps_its_own_position(form: Form) -> None:
    client = await form.save(contactsAdd=[{"contact": {"id": form.contacts["Los"]}, "link": {"position": 0}}])
    assert contact_names(client) == [("Eerste", 0), ("Los", 0), ("Tweede", 1)]


async def test_change_that_is_there_already_changes_nothing(form: Form) -> None:
    """It adds a label that the client has, and removes a label and a contact that it does not have. Repeated ids count once."""
    async with assert_unchanged(form.org.owner, form.org.id):
        client = await form.save(
            labelsAdd=[{"id": form.labels["Rood"]}] * 2,
            labelsRemove=[form.labels["Groen"]] * 2,
            contactsRemove=[form.contacts["Los"]] * 2,
        )
    assert (label_names(client), contact_names(client)) == (["Blauw", "Rood"], [("Eerste", 0), ("Tweede", 1)])
    no_changes: list[Input] = [{}, {"labelsAdd": [], "labelsRemove": [], "contactsAdd": [], "contactsRemove": []}]
    for empty in no_changes:
        async with assert_unchanged(form.org.owner, form.org.id):
            assert await form.save(**empty) == client


async def test_second_primary_contact_replaces_the_first(form: Form) -> None:
    primary = {"isPrimary": True}
    await form.save(contactsAdd=[{"contact": {"new": {"lastName": "Oud"}}, "link": primary}])
    client = await form.save(contactsAdd=[{"contact": {"id": form.contacts["Los"]}, "link": primary}])
    assert [edge["node"]["lastName"] for edge in client["contacts"]["edges"] if edge["isPrimary"]] == ["Los"]
    replaced = {"contactsRemove": [form.contacts["Los"]], "contactsAdd": [{"contact": {"new": {"lastName": "Nieuw"}}, "link": primary}]}
    client = await form.save(**replaced)
    assert [edge["node"]["lastName"] for edge in client["contacts"]["edges"] if edge["isPrimary"]] == ["Nieuw"]


def new_contact(name: str, **link: object) -> Input:
    return {"contact": {"new": {"lastName": name}}, "link": link}


REFUSALS: dict[str, tuple[Callable[[Form], Input], list[tuple[str, list[str]]]]] = {
    "unknown label to add": (
        lambda form: {"labelsAdd": [{"id": form.labels["Groen"]}, {"id": global_id("Label", UNKNOWN)}]},
        [("NOT_FOUND", ["labelsAdd", "1", "id"])],
    ),
    "unknown label to remove": (
        lambda form: {"labelsRemove": [form.labels["Rood"], global_id("Label", UNKNOWN)]},
        [("NOT_FOUND", ["labelsRemove", "1"])],
    ),
    "id of another type to remove": (
        lambda form: {"labelsRemove": [form.contacts["Eerste"]], "contactsRemove": [form.labels["Rood"]]},
        [("NOT_FOUND", ["labelsRemove", "0"]), ("NOT_FOUND", ["contactsRemove", "0"])],
    ),
    "label in both lists": (
        lambda form: {"labelsAdd": [{"id": form.labels["Rood"]}], "labelsRemove": [form.labels["Blauw"], form.labels["Rood"]]},
        [("INVALID", ["labelsRemove", "1"])],
    ),
    "name of another label": (
        lambda _: {"labelsAdd": [{"new": {"name": "groen"}}]},
        [("NAME_TAKEN", ["labelsAdd", "0", "new", "name"])],
    ),
    "name of a label to remove": (
        lambda form: {"labelsAdd": [{"new": {"name": "Rood"}}], "labelsRemove": [form.labels["Rood"]]},
        [("NAME_TAKEN", ["labelsAdd", "0", "new", "name"])],
    ),
    "contact that is linked": (
        lambda form: {"contactsAdd": [new_contact("Nieuw"), {"contact": {"id": form.contacts["Tweede"]}}]},
        [("NAME_TAKEN", ["contactsAdd", "1", "contact", "id"])],
    ),
    "contact in both lists": (
        lambda form: {"contactsAdd": [{"contact": {"id": form.contacts["Eerste"]}}], "contactsRemove": [form.contacts["Eerste"]]},
        [("INVALID", ["contactsRemove", "0"])],
    ),
    "contact twice": (
        lambda form: {"contactsAdd": [{"contact": {"id": form.contacts["Los"]}}] * 2},
        [("INVALID", ["contactsAdd", "1", "contact", "id"])],
    ),
    "unknown contacts": (
        lambda _: {
            "contactsAdd": [{"contact": {"id": global_id("Contact", UNKNOWN)}}],
            "contactsRemove": [global_id("Contact", UUID(int=2))],
        },
        [("NOT_FOUND", ["contactsAdd", "0", "contact", "id"]), ("NOT_FOUND", ["contactsRemove", "0"])],
    ),
    "two primary contacts": (
        lambda _: {"contactsAdd": [new_contact("A", isPrimary=True), new_contact("B", isPrimary=True)]},
        [("INVALID", ["contactsAdd", "1", "link", "isPrimary"])],
    ),
    "several at once": (
        lambda form: {
            "contactsRemove": [global_id("Contact", UNKNOWN)], "contactsAdd": [{"contact": {"new": {"lastName": "Nieuw", "email": "?"}}}],
            "labelsRemove": [global_id("Label", UNKNOWN)], "labelsAdd": [{"id": form.labels["Groen"]}, {"new": {"name": ""}}],
            "addresses": [{"type": "PRIMARY", "country": "?"}], "financial": {"iban": "?"}, "email": "?",
        },
        [
            ("INVALID", ["email"]), ("INVALID", ["addresses", "0", "country"]), ("INVALID", ["labelsAdd", "1", "new", "name"]),
            ("NOT_FOUND", ["labelsRemove", "0"]), ("INVALID", ["contactsAdd", "0", "contact", "new", "email"]),
            ("NOT_FOUND", ["contactsRemove", "0"]), ("INVALID", ["financial", "iban"]),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSALS)
async def test_refused_list_changes_nothing(form: Form, reason: str) -> None:
    changes, expected = REFUSALS[reason]
    assert await form.errors(name="Anders", **changes(form)) == expected


async def test_labels_and_contacts_of_another_organization_are_not_found(form: Form, owner: asyncpg.Connection) -> None:
    """They can be neither added nor removed, and theirs do not change."""
    other = await create_tenant(owner, "Other")
    client = await other.add_client("Van hen")
    label, contact = global_id("Label", await other.add_label("Rood", client)), global_id("Contact", await other.add_contact("Zij", client))
    async with assert_unchanged(owner, other.id):
        changes: Input = {"labelsRemove": [label], "contactsRemove": [contact]}
        assert await form.errors(**changes) == [("NOT_FOUND", ["labelsRemove", "0"]), ("NOT_FOUND", ["contactsRemove", "0"])]
        changes = {"labelsAdd": [{"id": label}], "contactsAdd": [{"contact": {"id": contact}}]}
        expected = [("NOT_FOUND", ["labelsAdd", "0", "id"]), ("NOT_FOUND", ["contactsAdd", "0", "contact", "id"])]
        assert await form.errors(**changes) == expected


async def test_labels_are_counted_after_the_change(form: Form) -> None:
    """A client has at most 50. One more fits if the form removes another."""
    client = await form.save(labelsAdd=[{"new": {"name": f"Label {index}"}} for index in range(48)])
    assert len(client["labels"]) == 50
    one_more: Input = {"labelsAdd": [{"id": form.labels["Groen"]}]}
    assert await form.errors(**one_more) == [("TOO_MANY", ["labelsAdd"])]
    assert await form.errors(labelsAdd=[{"id": form.labels["Rood"]}] * 51) == [("TOO_MANY", ["labelsAdd"])]
    assert await form.errors(labelsRemove=[form.labels["Rood"]] * 51) == [("TOO_MANY", ["labelsRemove"])]
    client = await form.save(**one_more, labelsRemove=[form.labels["Rood"]])
    assert (len(client["labels"]), "Groen" in label_names(client), "Rood" in label_names(client)) == (50, True, False)


async def test_contacts_are_counted_after_the_change(form: Form) -> None:
    """A client has at most 100, also if they are linked one by one."""
    await form.save(contactsAdd=[new_contact(f"Contact {index}") for index in range(98)])
    one_more: Input = {"contactsAdd": [{"contact": {"id": form.contacts["Los"]}}]}
    assert await form.errors(**one_more) == [("TOO_MANY", ["contactsAdd"])]
    async with assert_unchanged(form.org.owner, form.org.id):
        error = await fetch_error(form.api, "clientContactLink", clientId=form.client, contactId=form.contacts["Los"])
    assert (error["code"], error["path"]) == ("TOO_MANY", ["contactId"])
    assert error["message"] == "The client would have more than 100 contacts. Unlink some first."
    await form.save(**one_more, contactsRemove=[form.contacts["Eerste"]])
    count = await form.api.data("query ($id: ID!) { client(by: {id: $id}) { contacts { totalCount } } }", id=form.client)
    assert count["client"]["contacts"]["totalCount"] == 100


async def test_messages_tell_what_to_do(form: Form) -> None:
    errors = await fetch_full_errors(
        form.api,
        "clientUpdate",
        **await form.identification(),
        labelsAdd=[{"id": form.labels["Rood"]}],
        labelsRemove=[form.labels["Rood"]],
        contactsAdd=[{"contact": {"id": form.contacts["Eerste"]}}],
    )
    assert [error["message"] for error in errors] == [
        "This label is also in `labelsAdd`. Leave it out of one of the two lists.",
        "This contact is already linked to the client. Change the link with `clientContactUpdate`.",
    ]
