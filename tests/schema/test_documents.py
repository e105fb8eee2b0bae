"""The documents that the interoperability tests give to graphql-eslint and to code generators: valid, and answered without errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import DocumentNode, OperationDefinitionNode, OperationType, build_schema, parse, print_ast, validate
from graphql.utilities import separate_operations

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id

ROOT = Path(__file__).parents[2]
SCHEMA = build_schema((ROOT / "schema" / "schema.graphql").read_text())
FILES = (ROOT / "tests" / "interop" / "clients" / "documents").glob("*.graphql")
OPERATIONS = separate_operations(parse("\n".join(path.read_text() for path in FILES)))


def is_mutation(document: DocumentNode) -> bool:
    return any(isinstance(each, OperationDefinitionNode) and each.operation is OperationType.MUTATION for each in document.definitions)


MUTATIONS = [name for name, document in OPERATIONS.items() if is_mutation(document)]
QUERIES = [name for name in OPERATIONS if name not in MUTATIONS]
YEAR = {"since": "2025-01-01", "until": "2025-12-31"}

SAMPLE = """
{
  clients(first: 1, filter: { status: ACTIVE, hasInvoiceContact: true }) {
    nodes {
      id
      projects(first: 1) { nodes { id } }
      invoices(first: 1) { nodes { id } }
    }
  }
  contacts(first: 100) { nodes { id lastName clients(first: 2) { nodes { id } } } }
  labels(first: 1) { nodes { id } }
}
"""


async def build_variables(demo_api: Api) -> dict[str, dict[str, Any]]:
    """Return the variables of each query, with ids of the demo organization."""
    sample = await demo_api.data(SAMPLE)
    client, label = sample["clients"]["nodes"][0], sample["labels"]["nodes"][0]
    contact = next(one for one in sample["contacts"]["nodes"] if one["lastName"] and len(one["clients"]["nodes"]) == 2)
    objects = [client, contact, label, *client["projects"]["nodes"], *client["invoices"]["nodes"]]
    filter_values = {"status": "ACTIVE", "labels": {"any": [label["id"]]}}
    return {
        "AnyObject": {"id": client["id"]},
        "ClientFound": {"by": {"id": client["id"]}},
        "ClientInDepth": {"id": client["id"], "period": YEAR},
        "ClientsOverview": {"filter": filter_values, "orderBy": {"field": "NUMBER", "direction": "DESC"}, "period": YEAR, "first": 10},
        "ContactsFound": {"search": contact["lastName"], "first": 5},
        "LabelsWithClients": {"first": 5},
        "ObjectsById": {"ids": [one["id"] for one in objects]},
        "SharedContact": {"id": contact["id"], "first": 5},
        "WhoAsks": {},
    }


@pytest.fixture(scope="session")
async def variables(demo_api: Api) -> dict[str, dict[str, Any]]:
    return await build_variables(demo_api)


def is_empty(answer: Any) -> bool:  # noqa: ANN401 JSON
    """Return whether a field is null, or a connection or a list has no entries."""
    if isinstance(answer, dict):
        return any(key in answer and not answer[key] for key in ("edges", "nodes"))
    return not answer or None in answer


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_document_is_valid(name: str) -> None:
    """A document includes the fragments that it uses from other files."""
    assert validate(SCHEMA, OPERATIONS[name]) == []


@pytest.mark.parametrize("name", QUERIES)
async def test_a_document_is_answered(demo_api: Api, variables: dict[str, dict[str, Any]], name: str) -> None:
    """The demo organization has data for every root field."""
    answers = await demo_api.data(print_ast(OPERATIONS[name]), **variables[name])
    assert {field: answer for field, answer in answers.items() if is_empty(answer)} == {}


@pytest.fixture
async def inputs(org: Tenant) -> dict[str, dict[str, Any]]:
    """Return the variables of each mutation, with the ids of a new client and a new contact."""
    client = global_id("Client", await org.add_client("Before"))
    contact = global_id("Contact", await org.add_contact("Last"))
    return {
        "ClientContactLink": {"input": {"clientId": client, "contactId": contact, "link": {"isInvoiceContact": True}}},
        "ClientCreate": {"input": {"name": "New", "takesNextNumber": True}},
        "ClientUpdate": {"input": {"id": client, "expectedVersion": 1, "name": "After"}, "key": "once"},
    }


@pytest.mark.parametrize("name", MUTATIONS)
async def test_mutation_succeeds(api_for: Callable[..., Api], org: Tenant, inputs: dict[str, dict[str, Any]], name: str) -> None:
    (payload,) = (await api_for(org).data(print_ast(OPERATIONS[name]), **inputs[name])).values()
    assert payload["userErrors"] == []
    assert payload["client"]["name"] in {"Before", "New", "After"}


async def test_every_document_has_a_test(variables: dict[str, dict[str, Any]], inputs: dict[str, dict[str, Any]]) -> None:
    """Each operation has variables, and all variables belong to an operation."""
    assert {*variables, *inputs} == set(OPERATIONS)
