"""Test the life of a client through the API, with every figure computed by hand.

| registered                       | rate                                | amount   |
|----------------------------------|-------------------------------------|----------|
| 90 minutes on the project        | 110.00 an hour, the project's own   | 165.00   |
| 45 minutes on the client         | 90.00 an hour, the client's default | 67.50    |
| 3 tickets                        | 12.345 each                         | 37.04    | 37.035, rounded half up
| 42.5 km                          | 0.30 a kilometre, the client's      | 12.75    |
| total, unbilled                  |                                     | 282.29   |
| total after writing off tickets  |                                     | 245.25   |
"""

from collections.abc import Callable
from typing import Any

from tests.support.api import Api
from tests.support.builders import Tenant

ERRORS = "userErrors { __typename code path message }"
REGISTRATION_FIELDS = "registration { id version kind status financial { rate { amount } rateSource amount { amount currency } } }"
AMOUNTS = "amounts { currency invoiced { amount } outstanding { amount } unbilled { amount } }"
WORK = {
    "time": {"time": {"minutes": 45}},
    "expense": {"expense": {"quantity": "3", "unitPrice": "12.345"}},
    "mileage": {"mileage": {"distanceKm": "42.5", "departure": "Zwolle", "destination": "Meppel", "tripType": "BUSINESS"}},
}


class StoryApi:
    """API client for one change after the other."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def change(self, mutation: str, selection: str, **input: object) -> Any:  # noqa: ANN401 JSON
        """Run the mutation, assert that it succeeds, and return its result."""
        payload = await self._run(mutation, selection, input)
        assert payload["userErrors"] == [], payload
        return next(value for name, value in payload.items() if name != "userErrors")

    async def fetch_error(self, mutation: str, **input: object) -> tuple[str, str, list[str]]:
        """Return the type, the code and the path of the only error."""
        (error,) = (await self._run(mutation, "__typename", input))["userErrors"]
        assert error["message"].endswith(".")
        return error["__typename"], error["code"], error["path"]

    async def _run(self, mutation: str, selection: str, input: dict[str, object]) -> dict[str, Any]:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        document = f"mutation ($input: {kind}!) {{ done: {mutation}(input: $input) {{ {selection} {ERRORS} }} }}"
        payload: dict[str, Any] = (await self.api.data(document, input=input))["done"]
        return payload

    async def fetch_client(self, key: str, selection: str) -> Any:  # noqa: ANN401 JSON
        return (await self.api.data(f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ {selection} }} }}", id=key))["client"]


def registration_money(registration: dict[str, Any]) -> tuple[str, str, str]:
    """Return the rate, its source and the amount of a registration."""
    figures = registration["financial"]
    assert figures["amount"]["currency"] == "EUR"
    return figures["rate"]["amount"], figures["rateSource"], figures["amount"]["amount"]


def unbilled_amounts(unbilled: str) -> list[dict[str, Any]]:
    return [{"currency": "EUR", "invoiced": {"amount": "0.00"}, "outstanding": {"amount": "0.00"}, "unbilled": {"amount": unbilled}}]


async def create_clients(story: StoryApi) -> tuple[str, str, str]:
    """Create a mill, and a bakery that shares a contact with it; return the bakery, its project and the shared contact."""
    mill = await story.change(
        "clientCreate",
        "client { contacts { nodes { id } } }",
        name="Molen De Hoop",
        contacts=[{"contact": {"new": {"firstName": "Wil", "lastName": "Molenaar"}}}],
    )
    shared_contact = mill["contacts"]["nodes"][0]["id"]
    bakery = await story.change(
        "clientCreate",
        "client { id number contacts { totalCount } }",
        name="Bakkerij Zonneveld",
        number="B-17",
        contacts=[{"contact": {"id": shared_contact}}, {"contact": {"new": {"lastName": "Zonneveld"}}}],
        financial={"defaultHourlyRate": "90", "defaultMileageRate": "0.30"},
    )
    assert (bakery["number"], bakery["contacts"]["totalCount"]) == ("B-17", 2)
    price = {"hourlyRate": "110"}
    project = await story.change(
        "projectCreate", "project { id }", clientId=bakery["id"], name="Oven", invoiceMethod="PROJECT_HOURLY", financial=price
    )
    return bakery["id"], project["id"], shared_contact


async def register_work(story: StoryApi, client: str, project: str) -> dict[str, Any]:
    """Register work of four kinds, and return the registration of the tickets."""
    on_project = await story.change(
        "registrationCreate", REGISTRATION_FIELDS, projectId=project, registeredOn="2026-03-02", work={"time": {"minutes": 90}}
    )
    assert registration_money(on_project) == ("110.0000", "PROJECT", "165.00")
    day = {"clientId": client, "registeredOn": "2026-03-03"}
    registrations = {kind: await story.change("registrationCreate", REGISTRATION_FIELDS, **day, work=work) for kind, work in WORK.items()}
    assert {kind: registration_money(each) for kind, each in registrations.items()} == {
        "time": ("90.0000", "CLIENT", "67.50"),
        "expense": ("12.3450", "EXPLICIT", "37.04"),
        "mileage": ("0.3000", "CLIENT", "12.75"),
    }
    expense: dict[str, Any] = registrations["expense"]
    return expense


async def check_archived_client_is_frozen(story: StoryApi, client: str, project: str, tickets: dict[str, Any]) -> None:
    """Check that registrations of an archived client can be neither created nor changed nor deleted."""
    for work in WORK.values():
        for target in ({"clientId": client}, {"projectId": project}):
            error = await story.fetch_error("registrationCreate", **target, registeredOn="2020-01-01", work=work)
            assert error[:2] == ("ClientAlreadyArchivedError", "ALREADY_ARCHIVED")
    changed = {"id": tickets["id"], "expectedVersion": tickets["version"]}
    assert await story.fetch_error("registrationUpdate", **changed, note="Laat") == (
        "ClientAlreadyArchivedError",
        "ALREADY_ARCHIVED",
        ["id"],
    )
    assert await story.fetch_error("registrationDelete", **changed) == ("ClientAlreadyArchivedError", "ALREADY_ARCHIVED", ["id"])


async def delete_archived_client(story: StoryApi, client: str) -> None:
    """Check the deletion preview, and delete exactly what it counts."""
    selection = (
        """deletionPreview { projectCount registrationCount timeRegistrationCount expenseRegistrationCount mileageRegistrationCount
      unbilledRegistrationCount invoiceCount quoteCount portalCount contactsLeftAlone { lastName } token """
        + AMOUNTS
        + " }"
    )
    preview = (await story.fetch_client(client, selection))["deletionPreview"]
    token = preview.pop("token")
    assert preview == {
        "projectCount": 1, "registrationCount": 4, "timeRegistrationCount": 2, "expenseRegistrationCount": 1, "mileageRegistrationCount": 1,
        "unbilledRegistrationCount": 3, "invoiceCount": 0, "quoteCount": 0, "portalCount": 0,
        "contactsLeftAlone": [{"lastName": "Zonneveld"}], "amounts": unbilled_amounts("245.25"),
    }  # fmt: skip
    deleted_counts = "deleted { projectCount registrationCount invoiceCount quoteCount portalCount contactCount }"
    assert await story.change("clientDelete", deleted_counts, id=client, previewToken=token, deleteOrphanContacts=True) == {
        "projectCount": 1, "registrationCount": 4, "invoiceCount": 0, "quoteCount": 0, "portalCount": 0, "contactCount": 1,
    }  # fmt: skip


async def check_nothing_remains(story: StoryApi, deleted_ids: list[str], shared_contact: str) -> None:
    """Check that the deleted objects are gone, and the shared contact stays with the other client."""
    remaining_data = await story.api.data(
        "query ($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { id } clients { nodes { name } } registrations { totalCount }"
        " contact(id: $id) { lastName clients { nodes { name } } } }",
        ids=deleted_ids,
        id=shared_contact,
    )
    assert remaining_data == {
        "nodes": [None, None, None],
        "clients": {"nodes": [{"name": "Molen De Hoop"}]},
        "registrations": {"totalCount": 0},
        "contact": {"lastName": "Molenaar", "clients": {"nodes": [{"name": "Molen De Hoop"}]}},
    }


async def test_s41_to_s53_life_of_a_client(api_for: Callable[..., Api], org: Tenant) -> None:
    """The client is created, worked for, archived, unarchived, archived again and deleted. Then its number is reused."""
    story = StoryApi(api_for(org))
    client, project, shared_contact = await create_clients(story)
    tickets = await register_work(story, client, project)

    preview = await story.fetch_client(
        client,
        f"archivePreview {{ projectCount registrationCount unbilledRegistrationCount portalCount {AMOUNTS} }} deletionPreview {{ token }}",
    )
    counts = {"projectCount": 1, "registrationCount": 4, "unbilledRegistrationCount": 4, "portalCount": 0}
    assert preview == {"archivePreview": {**counts, "amounts": unbilled_amounts("282.29")}, "deletionPreview": None}

    projects = "projects { nodes { isArchived isArchivedWithClient } }"
    assert await story.change("clientArchive", f"client {{ isArchived {projects} }}", id=client, expectedVersion=1) == {
        "isArchived": True,
        "projects": {"nodes": [{"isArchived": True, "isArchivedWithClient": True}]},
    }
    await check_archived_client_is_frozen(story, client, project, tickets)

    assert await story.change("clientUnarchive", f"client {{ isArchived {projects} }}", id=client, expectedVersion=2) == {
        "isArchived": False,
        "projects": {"nodes": [{"isArchived": False, "isArchivedWithClient": False}]},
    }
    changed = {"id": tickets["id"], "expectedVersion": tickets["version"]}
    written_off = await story.change("registrationStatusUpdate", REGISTRATION_FIELDS, **changed, status="WRITTEN_OFF")
    assert (written_off["status"], registration_money(written_off)) == ("WRITTEN_OFF", ("12.3450", "EXPLICIT", "37.04"))
    assert (await story.fetch_client(client, f"archivePreview {{ {AMOUNTS} }}"))["archivePreview"]["amounts"] == unbilled_amounts("245.25")
    assert await story.fetch_error("clientDelete", id=client, previewToken="x") == ("InputError", "NOT_ARCHIVED", ["id"])

    await story.change("clientArchive", "client { id }", id=client, expectedVersion=3)
    await delete_archived_client(story, client)
    await check_nothing_remains(story, [client, project, tickets["id"]], shared_contact)
    assert await story.change("clientCreate", "client { number }", name="Bakkerij Zonneveld", number="B-17") == {"number": "B-17"}
