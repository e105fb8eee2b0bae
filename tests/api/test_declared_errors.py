"""Test that each mutation returns the types of errors that the interface of its errors has, each of them and no other.

The pairs of a mutation and a type are generated from the schema. A new pair fails here until `build_input` knows how to provoke it.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, cast

import asyncpg
import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from db.tables.keys import new_id, number_key
from schema.core.errors import UndeclaredErrorWarning
from tests.support.api import Api
from tests.support.blocking import hold_until_blocked
from tests.support.builders import CREATED_AT, Tenant, insert_rows, version_columns
from tests.support.ids import global_id, type_of
from tests.support.mutation_inputs import MUTATIONS, SCHEMA, Value, World, create_world, mutation_document, valid_input
from tests.support.owner import sign_preview_token
from tests.support.snapshots import assert_unchanged

USER_ERROR = cast("GraphQLInterfaceType", SCHEMA.type_map["UserError"])
WRONG_VERSION = 99
NUMBER = "K-1"
BULK_RACE = ("clientBulkUpsert", "NumberTakenError")  # only another request at the same time provokes it: it has a test of its own


def error_interface(kind: GraphQLObjectType) -> GraphQLInterfaceType:
    return cast("GraphQLInterfaceType", get_named_type(kind.fields["userErrors"].type))


def payload_type(mutation: str) -> GraphQLObjectType:
    return cast("GraphQLObjectType", get_named_type(MUTATIONS[mutation].type))


def declared_types(mutation: str) -> list[str]:
    return [kind.name for kind in SCHEMA.get_possible_types(error_interface(payload_type(mutation)))]


PAIRS = [(mutation, kind) for mutation in MUTATIONS for kind in declared_types(mutation)]


@pytest.fixture(scope="module")
async def declared_world(owner: asyncpg.Connection) -> World:
    """Create objects that mutations reject for each reason. No test changes them."""
    world = await create_world(owner)
    org, ids = world.tenant, world.ids
    used_layout, archived, invoiced = new_id(), await org.add_client("Archived later"), await org.add_client("Invoiced")
    await insert_rows(
        owner,
        "invoice_layout",
        [
            {"tenant_id": org.id, "id": used_layout, "name": "Used", "language": "nl", "template": "standard"}
            | {"is_default": False, "is_active": True, **version_columns()}
        ],
    )
    active = await org.add_client("Active", NUMBER, invoice_layout_id=used_layout)
    used_label = await org.add_label("Used", archived)
    of_archived = await org.add_project(archived)
    project, alone = await org.add_project(active), await org.add_project(active, "Archived alone")
    rejected = {
        "RegistrationOfArchivedClient": await org.add_registration(archived),
        "RegistrationOfArchivedProject": await org.add_registration(active, alone),
        "LockedRegistration": await org.add_registration(active, project, status="WRITTEN_OFF"),
    }
    await org.add_invoice(invoiced, date(2026, 1, 10), "100.00")
    await owner.execute("UPDATE relaties.client SET archived_at = $1 WHERE id = ANY($2)", CREATED_AT, [archived, invoiced])
    await owner.execute("UPDATE relaties.project SET archived_at = $1 WHERE id = $2", CREATED_AT, alone)
    keys = {"ArchivedClient": ("Client", archived), "InvoicedClient": ("Client", invoiced), "UsedLayout": ("InvoiceLayout", used_layout)}
    keys |= {"UsedLabel": ("Label", used_label), "UsedProject": ("Project", project), "ProjectOfArchivedClient": ("Project", of_archived)}
    keys |= {name: ("Registration", key) for name, key in rejected.items()}
    token = await sign_preview_token(org, invoiced, timedelta(minutes=5))
    return World(org, ids | {name: global_id(*key) for name, key in keys.items()} | {"InvoicedToken": token})


OF_ARCHIVED_CLIENT = {"Client": "ArchivedClient", "Project": "ProjectOfArchivedClient", "Registration": "RegistrationOfArchivedClient"}
OF_ARCHIVED_PROJECT = {"Project": "ArchivedProject", "Registration": "RegistrationOfArchivedProject"}
IN_USE = {
    "contactDelete": "ContactOfClient",
    "labelDelete": "UsedLabel",
    "projectDelete": "UsedProject",
    "invoiceLayoutDelete": "UsedLayout",
}


def already_archived_input(world: World, mutation: str) -> dict[str, Value]:
    """Replace the client, or the object by one of an archived client."""
    values = valid_input(world, mutation)
    if mutation == "clientBulkUpsert":
        return {"clients": [{"name": "Archived"}]}
    if "id" in values:
        return values | {"id": world.ids[OF_ARCHIVED_CLIENT[type_of(values["id"])]]}
    key = world.ids["ArchivedClient"]
    target = {"clientIds": [key]} if "clientIds" in values else {"clientId": key}
    return values | target | ({"projectId": None} if "projectId" in values else {})


def project_archived_input(world: World, mutation: str) -> dict[str, Value]:
    values = valid_input(world, mutation)
    if "id" in values:
        return values | {"id": world.ids[OF_ARCHIVED_PROJECT[type_of(values["id"])]]}
    return values | {"projectId": world.ids["ArchivedProject"]}


CASES: dict[str, Callable[[World, str], dict[str, Value]]] = {
    "ClientAlreadyArchivedError": already_archived_input,
    "ProjectAlreadyArchivedError": project_archived_input,
    "NumberTakenError": lambda world, name: valid_input(world, name) | {"number": NUMBER},
    "InUseError": lambda world, name: valid_input(world, name) | {"id": world.ids[IN_USE[name]]},
    "PreviewOutdatedError": lambda world, name: valid_input(world, name) | {"previewToken": "x"},
    "FiscalRetentionError": lambda world, name: (
        valid_input(world, name) | {"id": world.ids["InvoicedClient"], "previewToken": world.ids["InvoicedToken"]}
    ),
    "RegistrationLockedError": lambda world, name: (
        valid_input(world, name)
        | {"id": world.ids["LockedRegistration"]}
        | ({"status": "PENDING"} if name == "registrationStatusUpdate" else {})
    ),
}


def build_input(world: World, mutation: str, kind: str) -> dict[str, Value]:
    """Return an input that the mutation rejects with an error of this type."""
    if kind == "InputError":  # the idempotency key is invalid
        return valid_input(world, mutation)
    if kind.endswith("VersionConflictError"):
        return valid_input(world, mutation) | {"expectedVersion": WRONG_VERSION}
    return CASES[kind](world, mutation)


@pytest.mark.parametrize(("mutation", "kind"), [pair for pair in PAIRS if pair != BULK_RACE])
async def test_mutation_returns_each_type_that_it_declares(
    owner: asyncpg.Connection, api_for: Callable[..., Api], declared_world: World, mutation: str, kind: str
) -> None:
    """Nothing changes. A type that is not declared would fail the field."""
    document = mutation_document(mutation, '@idempotent(key: "")' if kind == "InputError" else "")
    async with assert_unchanged(owner, declared_world.id):
        data = await api_for(declared_world.tenant).data(document, input=build_input(declared_world, mutation, kind))
    assert {error["__typename"] for error in data[mutation]["userErrors"]} == {kind}


async def test_bulk_upsert_reports_a_number_that_was_taken_meanwhile(
    rival_connection: asyncpg.Connection, api_for: Callable[..., Api], org: Tenant
) -> None:
    """Another request takes the number after the bulk upsert found no client with it, and before it checks the number."""
    rate, rival_client = new_id(), await org.add_client("Rival")
    values = {"name": "High", "country": "NL", "percentage": 21, "category": "S", "is_active": True}
    await insert_rows(org.owner, "vat_rate", [{"tenant_id": org.id, "id": rate, **values, **version_columns()}])
    client = {"name": "A", "number": NUMBER, "financial": {"vatRateId": global_id("VatRate", rate)}}
    errors = "userErrors { __typename ... on NumberTakenError { existingClient { name } } }"
    document = (
        f"mutation ($input: ClientBulkUpsertInput!) {{ done: clientBulkUpsert(input: $input) {{ {errors} results {{ {errors} }} }} }}"
    )
    take_number = f"UPDATE relaties.client SET number = '{NUMBER}', number_key = '{number_key(NUMBER)}' WHERE id = '{rival_client}'"
    locks = f"SELECT FROM relaties.vat_rate WHERE id = '{rate}' FOR UPDATE; {take_number}"
    async with hold_until_blocked(rival_connection, org.owner, locks):
        waiting = asyncio.create_task(api_for(org).data(document, input={"clients": [client]}))
    expected = [{"__typename": "NumberTakenError", "existingClient": {"name": "Rival"}}]
    assert (await waiting)["done"] == {"userErrors": expected, "results": [{"userErrors": expected}]}


def test_every_type_of_error_is_declared_by_a_mutation() -> None:
    assert {kind for _, kind in PAIRS} == {kind.name for kind in SCHEMA.get_possible_types(USER_ERROR)}
    assert len(PAIRS) > 80


def test_every_payload_has_the_interface_of_its_mutation() -> None:
    """The results of a bulk upsert have the same interface as its payload."""
    names = {mutation: error_interface(payload_type(mutation)).name for mutation in MUTATIONS}
    assert names == {mutation: f"{mutation[0].upper()}{mutation[1:]}Error" for mutation in MUTATIONS}
    assert error_interface(cast("GraphQLObjectType", SCHEMA.type_map["ClientUpsertResult"])).name == "ClientBulkUpsertError"


async def store_undeclared_error(api: Api, org: Tenant) -> str:
    """Store the outcome of a `labelCreate` with an error that only `clientDelete` declares, and return the document that repeats it."""
    document = 'mutation { labelCreate(input: {name: "Vast"}) @idempotent(key: "k") { userErrors { __typename code message path } } }'
    assert (await api.data(document))["labelCreate"]["userErrors"] == []
    error: dict[str, Any] = {"code": "FISCAL_RETENTION", "path": ["x"], "message": "Issued invoices.", "issued_invoice_count": 3}
    outcome = json.dumps({"value": None, "refusals": [error]})
    await org.owner.execute("UPDATE relaties.idempotency_key SET outcome = $1 WHERE tenant_id = $2", outcome, org.id)
    return document


async def test_undeclared_error_fails_in_tests(api_for: Callable[..., Api], org: Tenant) -> None:
    """The tests turn the warning into an error, so an undeclared type fails any test that provokes it."""
    body = await api_for(org).execute(await store_undeclared_error(api_for(org), org))
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL_SERVER_ERROR"]


async def test_undeclared_error_reaches_the_caller_in_production(api_for: Callable[..., Api], org: Tenant) -> None:
    """The error loses only the fields of its own type. The warning is logged."""
    document = await store_undeclared_error(api_for(org), org)
    with pytest.warns(UndeclaredErrorWarning, match=r"^labelCreate does not declare FiscalRetention$"):
        body = await api_for(org).execute(document)
    error = {"__typename": "InputError", "code": "FISCAL_RETENTION", "message": "Issued invoices.", "path": ["x"]}
    assert body == {"data": {"labelCreate": {"userErrors": [error]}}}
