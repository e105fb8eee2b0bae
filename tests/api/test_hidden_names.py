"""Test that user errors contain no names for a caller who may change clients but not read them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
import httpx
import pytest
import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, get_nullable_type, is_leaf_type

from db.engine.database import Database
from db.tables import Role
from domain.core.errors import UserErrorCode
from domain.core.scope import Permission
from domain.organization.tokens import new_secret
from tests.support.api import UNLIMITED, Api, connect_client
from tests.support.builders import CREATED_AT, Tenant, add_token, create_tenant
from tests.support.ids import global_id
from tests.support.mutation_inputs import SCHEMA, input_type
from tests.support.owner import sign_preview_token
from tests.support.snapshots import assert_unchanged

SECRET = "Geheim"
"""This word is in every name, number and note of the organization."""
ERROR = cast("GraphQLInterfaceType", SCHEMA.type_map["UserError"])
ERRORS: list[GraphQLObjectType] = [*SCHEMA.get_possible_types(ERROR)]
MOST_LABELS = 50  # the limit of labels per client
DAY = "2026-01-31"
WORK = {"time": {"minutes": 5}}


def full_selection(kind: GraphQLObjectType | GraphQLInterfaceType, depth: int = 2) -> str:
    """Return all plain fields of a type without arguments, and those of its objects; of an interface, those of each of its types."""
    if isinstance(kind, GraphQLInterfaceType):
        return (
            "{ __typename " + " ".join(f"... on {each.name} {full_selection(each, 1)}" for each in SCHEMA.get_possible_types(kind)) + " }"
        )
    parts = ["__typename"]
    for name, field in kind.fields.items():
        field_type = get_named_type(field.type)
        if field.args:
            continue
        # GraphQL requires one type for equal names of a selection, also of different types, so each field gets its own alias.
        if is_leaf_type(field_type):
            parts.append(f"{kind.name}_{name}: {name}")
        elif depth and isinstance(field_type, GraphQLObjectType | GraphQLInterfaceType) and get_nullable_type(field.type) is field_type:
            parts.append(f"{kind.name}_{name}: {name} {full_selection(field_type, depth - 1)}")
    return "{ " + " ".join(parts) + " }"


EVERYTHING = "userErrors { code ... on UserError { " + " ".join(f"... on {each.name} {full_selection(each)}" for each in ERRORS) + " } }"


@dataclass(frozen=True)
class SecretOrganization:
    """Organization with secret names, the ids of its objects by their state, and a preview token."""

    org: Tenant
    ids: dict[str, str]
    preview: str


@pytest.fixture(scope="module")
async def secret_org(owner: asyncpg.Connection) -> SecretOrganization:
    org = await create_tenant(owner, SECRET)
    active, archived = await org.add_client(f"{SECRET} BV", f"{SECRET}1"), await org.add_client(f"{SECRET} NV", f"{SECRET}2")
    other = await org.add_client(f"{SECRET} VOF", f"{SECRET}3")
    for _ in range(2):
        await org.add_client(f"{SECRET} twice")
    contact, label = await org.add_contact(SECRET, active), await org.add_label(f"{SECRET} label", archived)
    labels = [await org.add_label(f"{SECRET} {index}", active) for index in range(MOST_LABELS)]
    project = await org.add_project(active, f"{SECRET} project")
    archived_project = await org.add_project(active, f"{SECRET} old", archived_at=CREATED_AT)
    approved = await org.add_registration(active, project, status="APPROVED", note=SECRET)
    await org.add_invoice(archived, date(2026, 1, 10), "100.00")
    await owner.execute("UPDATE relaties.client SET archived_at = $3 WHERE tenant_id = $1 AND id = $2", org.id, archived, CREATED_AT)
    member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", org.id)
    keys: dict[str, tuple[str, UUID]] = {
        "active": ("Client", active),
        "archived": ("Client", archived),
        "other": ("Client", other),
        "contact": ("Contact", contact),
        "label": ("Label", label),
        "first label": ("Label", labels[0]),
        "project": ("Project", project),
        "archived project": ("Project", archived_project),
        "registration": ("Registration", approved),
        "owner": ("Member", member),
        "unknown": ("Client", UUID(int=1)),
    }
    ids = {name: global_id(*key) for name, key in keys.items()}
    return SecretOrganization(org, ids, await sign_preview_token(org, archived, timedelta(minutes=5)))


Ids = dict[str, str]
TRIES: list[tuple[UserErrorCode, str, Callable[[Ids], dict[str, Any]]]] = [
    (UserErrorCode.INVALID, "clientCreate", lambda _: {"name": "X", "number": "X", "takesNextNumber": True}),
    (
        UserErrorCode.INVALID,
        "registrationCreate",
        lambda ids: {"registeredOn": DAY, "clientId": ids["other"], "projectId": ids["project"], "memberId": ids["owner"], "work": WORK},
    ),
    (UserErrorCode.NOT_FOUND, "clientUpdate", lambda ids: {"id": ids["unknown"], "expectedVersion": 1}),
    (UserErrorCode.NAME_TAKEN, "labelCreate", lambda _: {"name": f"{SECRET.lower()} label", "color": "#112233"}),
    (UserErrorCode.NAME_TAKEN, "clientContactLink", lambda ids: {"clientId": ids["active"], "contactId": ids["contact"]}),
    (UserErrorCode.NUMBER_TAKEN, "clientCreate", lambda _: {"name": "X", "number": f"{SECRET.lower()}1"}),
    (UserErrorCode.NUMBER_TAKEN, "clientUpdate", lambda ids: {"id": ids["active"], "expectedVersion": 1, "number": f"{SECRET.lower()}3"}),
    *(
        (UserErrorCode.VERSION_CONFLICT, f"{kind}Update", lambda ids, kind=kind: {"id": ids[kind], "expectedVersion": 9})
        for kind in ("contact", "label", "project", "registration")
    ),
    (UserErrorCode.VERSION_CONFLICT, "clientUpdate", lambda ids: {"id": ids["active"], "expectedVersion": 9}),
    (
        UserErrorCode.VERSION_CONFLICT,
        "clientContactUnlink",
        lambda ids: {"clientId": ids["active"], "contactId": ids["contact"], "expectedVersion": 9},
    ),
    (
        UserErrorCode.NAME_TAKEN,
        "clientUpdate",
        lambda ids: {"id": ids["active"], "expectedVersion": 1, "contactsAdd": [{"contact": {"id": ids["contact"]}}]},
    ),
    (
        UserErrorCode.TOO_MANY,
        "clientUpdate",
        lambda ids: {"id": ids["active"], "expectedVersion": 1, "labelsAdd": [{"id": ids["label"]}]},
    ),
    (UserErrorCode.IN_USE, "projectDelete", lambda ids: {"id": ids["project"], "expectedVersion": 1}),
    (UserErrorCode.IN_USE, "labelDelete", lambda ids: {"id": ids["label"], "expectedVersion": 1}),
    (UserErrorCode.IN_USE, "contactDelete", lambda ids: {"id": ids["contact"], "expectedVersion": 1}),
    (UserErrorCode.LAST_OWNER, "memberRemove", lambda ids: {"id": ids["owner"], "expectedVersion": 1}),
    (UserErrorCode.TOO_MANY, "clientLabelsAdd", lambda ids: {"clientIds": [ids["active"]], "labelIds": [ids["label"]]}),
    (UserErrorCode.ALREADY_ARCHIVED, "clientUpdate", lambda ids: {"id": ids["archived"], "expectedVersion": 1}),
    (UserErrorCode.ALREADY_ARCHIVED, "clientArchive", lambda ids: {"id": ids["archived"], "expectedVersion": 1}),
    (UserErrorCode.ALREADY_ARCHIVED, "projectUpdate", lambda ids: {"id": ids["archived project"], "expectedVersion": 1}),
    (UserErrorCode.ALREADY_ARCHIVED, "projectCreate", lambda ids: {"clientId": ids["archived"], "name": "X"}),
    (UserErrorCode.ALREADY_ARCHIVED, "clientLabelsAdd", lambda ids: {"clientIds": [ids["archived"]], "labelIds": [ids["first label"]]}),
    (UserErrorCode.ALREADY_ARCHIVED, "clientContactLink", lambda ids: {"clientId": ids["archived"], "contactId": ids["contact"]}),
    *(
        (
            UserErrorCode.ALREADY_ARCHIVED,
            "registrationCreate",
            lambda ids, field=field, key=key: {"registeredOn": DAY, field: ids[key], "memberId": ids["owner"], "work": WORK},
        )
        for field, key in (("clientId", "archived"), ("projectId", "archived project"))
    ),
    (UserErrorCode.ALREADY_ARCHIVED, "clientBulkUpsert", lambda _: {"clients": [{"name": "X", "number": f"{SECRET.lower()}2"}]}),
    (UserErrorCode.NOT_ARCHIVED, "projectUnarchive", lambda ids: {"id": ids["project"], "expectedVersion": 1}),
    (UserErrorCode.NOT_ARCHIVED, "clientUnarchive", lambda ids: {"id": ids["active"], "expectedVersion": 1}),
    (UserErrorCode.NOT_ARCHIVED, "clientDelete", lambda ids: {"id": ids["active"], "previewToken": "x"}),
    (UserErrorCode.PREVIEW_OUTDATED, "clientDelete", lambda ids: {"id": ids["archived"], "previewToken": "x"}),
    (UserErrorCode.FISCAL_RETENTION, "clientDelete", lambda ids: {"id": ids["archived"], "previewToken": ids["preview"]}),
    (UserErrorCode.REGISTRATION_LOCKED, "registrationDelete", lambda ids: {"id": ids["registration"], "expectedVersion": 1}),
    (UserErrorCode.AMBIGUOUS, "clientBulkUpsert", lambda _: {"clients": [{"name": f"{SECRET.lower()} twice"}]}),
    (UserErrorCode.DUPLICATE, "clientBulkUpsert", lambda _: {"clients": [{"name": "X", "number": "1"}, {"name": "Y", "number": "1"}]}),
]


def test_every_error_code_but_one_is_covered() -> None:
    """`IDEMPOTENCY_KEY_REUSED` needs an earlier request, and its message is constant."""
    assert {code for code, _, _ in TRIES} == {*UserErrorCode} - {UserErrorCode.IDEMPOTENCY_KEY_REUSED}


@pytest.fixture(scope="module")
async def http(database: Database, schema: strawberry.Schema) -> "httpx.AsyncClient":
    return connect_client(schema, database, UNLIMITED)


@pytest.mark.parametrize(("code", "mutation", "build_input"), TRIES, ids=lambda value: str(value) if isinstance(value, str) else "")
async def test_user_errors_contain_no_names_without_permission_to_read(
    http: httpx.AsyncClient,
    secret_org: SecretOrganization,
    code: UserErrorCode,
    mutation: str,
    build_input: Callable[[Ids], dict[str, Any]],
) -> None:
    """The query selects all fields of every error type. Fields that need the permission are null, and no message quotes a name."""
    secret, org = new_secret(), secret_org.org
    scope = [each for each in Permission if each is not Permission.CLIENTS_READ]
    await add_token(org.owner, org.id, secret, role=Role.OWNER.value, scope=scope)
    document = f"mutation ($input: {input_type(mutation)}) {{ {mutation}(input: $input) {{ {EVERYTHING} }} }}"
    async with assert_unchanged(org.owner, org.id):
        body = await Api(http, secret).execute(document, input=build_input({**secret_org.ids, "preview": secret_org.preview}))
    assert {error["code"] for error in body["data"][mutation]["userErrors"]} == {code}
    assert {error["extensions"]["code"] for error in body.get("errors", ())} <= {"FORBIDDEN"}
    assert SECRET not in str(body)
