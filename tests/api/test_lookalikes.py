"""Test that texts that look alike are treated as the same text: for unique numbers and names, lookups, searches and filters."""

import unicodedata
from collections.abc import Callable

import pytest
from graphql import GraphQLInputObjectType, get_named_type
from pydantic.alias_generators import to_snake

from domain.core.validation import RULES
from tests.support.api import Api
from tests.support.builders import Tenant, insert_rows
from tests.support.mutation_inputs import SCHEMA
from tests.support.snapshots import assert_unchanged

CREATE = """mutation ($input: ClientCreateInput!) { clientCreate(input: $input) {
  client { name number } userErrors { code path message } } }"""
LABEL = "mutation ($name: String!) { labelCreate(input: {name: $name}) { label { name } userErrors { code path } } }"
CLIENT_BY_NUMBER = "query ($number: String!) { client(by: {number: $number}) { name } }"
CLIENTS_QUERY = (
    "query ($filter: ClientFilterInput, $search: String) { clients(filter: $filter, search: $search) { totalCount nodes { name } } }"
)
INVISIBLE = ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u200c", "\u200d", "\ufe0f", "\u3164", "\u115f", "\u034f", "\U000e0061"]
FORMS = ["É77", "e\u030177", "E\u030177", "é77", "É\uff17\uff17", " É77 ", "\ufeffÉ\u00ad7\u200b7"]


async def find_names(api: Api, search: str | None = None, **filter: object) -> list[str]:
    page = (await api.data(CLIENTS_QUERY, filter=filter, search=search))["clients"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["name"] for node in page["nodes"]]


async def error_message(api: Api, search: str | None = None, **filter: object) -> str:
    """Return the message of the only error of a query whose `clients` are null."""
    body = await api.execute(CLIENTS_QUERY, filter=filter, search=search)
    assert body["data"] == {"clients": None}
    (error,) = body["errors"]
    assert error["path"] == ["clients"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    return str(error["message"])


@pytest.mark.parametrize("sign", INVISIBLE)
async def test_invisible_character_creates_no_second_client_or_label(org: Tenant, api_for: Callable[..., Api], sign: str) -> None:
    """The character is tried at the ends and inside. The error is the same as for the visible text."""
    api = api_for(org)
    await org.add_client("Acme", "A1")
    await org.add_label("Gold")
    async with assert_unchanged(org.owner, org.id):
        for number in (f"{sign}A1", f"A1{sign}", f"A{sign}1", f"{sign}a{sign}1{sign}"):
            answer = (await api.data(CREATE, input={"name": "Other", "number": number}))["clientCreate"]
            user_error = {"code": "NUMBER_TAKEN", "path": ["number"], "message": "Acme already has the number A1. Choose another number."}
            assert answer == {"client": None, "userErrors": [user_error]}
        for name in (f"{sign}Gold", f"Gold{sign}", f"Go{sign}ld"):
            answer = (await api.data(LABEL, name=name))["labelCreate"]
            assert answer == {"label": None, "userErrors": [{"code": "NAME_TAKEN", "path": ["name"]}]}


async def test_invisible_characters_are_not_stored(org: Tenant, api_for: Callable[..., Api]) -> None:
    """Joiners between letters or emoji stay in a name."""
    input_values = {"name": "\ufeffAc\u00adme\u200b 👩\u200d🚀 \u0645\u06cc\u200c\u062e", "number": "\u2060B\u200b2\ufeff"}
    answer = (await api_for(org).data(CREATE, input=input_values))["clientCreate"]
    assert answer == {"client": {"name": "Acme 👩\u200d🚀 \u0645\u06cc\u200c\u062e", "number": "B2"}, "userErrors": []}


@pytest.mark.parametrize("number", ["É77", "e\u03017\uff17"])
async def test_every_form_of_a_number_finds_its_client(org: Tenant, api_for: Callable[..., Api], number: str) -> None:
    """Lookup, search and bulk upsert match composed, decomposed and full-width forms, any case, and invisible characters."""
    api = api_for(org)
    payload = (await api.data(CREATE, input={"name": "Acme", "number": number}))["clientCreate"]
    assert payload["client"] == {"name": "Acme", "number": unicodedata.normalize("NFC", number)}
    for form in FORMS:
        assert (await api.data(CLIENT_BY_NUMBER, number=form))["client"] == {"name": "Acme"}, ascii(form)
        assert await find_names(api, search=form) == ["Acme"], ascii(form)
        query = """mutation ($number: String!) { clientBulkUpsert(input: {clients: [{name: "Acme", number: $number}]}) {
          results { action } userErrors { message } } }"""
        answer = (await api.data(query, number=form))["clientBulkUpsert"]
        assert (answer["userErrors"], answer["results"][0]["action"] in {"UPDATED", "UNCHANGED"}) == ([], True)
    assert await find_names(api) == ["Acme"]


async def test_filter_accepts_what_an_input_accepts(org: Tenant, api_for: Callable[..., Api]) -> None:
    """A filter ignores case, separators, full width and invisible characters."""
    client = await org.add_client("Acme", kvk_number="68750110", vat_number="NL004495445B01")
    address = {"tenant_id": org.id, "client_id": client, "type": "PRIMARY", "country": "NL"}
    await insert_rows(org.owner, "client_address", [address])
    await org.add_client("Other")
    api = api_for(org)
    for country in ("NL", "nl", " nl ", "N\u200bL"):
        assert await find_names(api, country=country) == ["Acme"]
    for number in ("68750110", "6875 0110", "6875.01.10", "68750110\ufeff", "\uff16\uff18\uff17\uff15\uff10\uff11\uff11\uff10"):
        assert await find_names(api, kvkNumber=number) == ["Acme"], ascii(number)
    for number in ("NL004495445B01", "nl 0044.95.445.b01", "NL-004495445-B01"):
        assert await find_names(api, vatNumber=number) == ["Acme"]
    assert await find_names(api, country="BE") == []
    assert await find_names(api, country=None, kvkNumber=None) == ["Acme", "Other"]


@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [
        ("country", "ZZ", "`country`: A country must be a two-letter code of ISO 3166-1, for example `NL`."),
        ("country", "", "`country`: A country must be a two-letter code of ISO 3166-1, for example `NL`."),
        ("country", "Nederland", "`country` must have at most 2 characters."),
        ("kvkNumber", "6875011", "`kvkNumber`: A KvK number must have 8 digits, for example `68750110`."),
        (
            "vatNumber",
            "NL004495446B01",
            "`vatNumber`: A VAT number of NL must have the form of this country and correct check digits, for example `NL004495445B01`.",
        ),
    ],
)
async def test_filter_rejects_what_an_input_rejects(org: Tenant, api_for: Callable[..., Api], name: str, wrong: str, says: str) -> None:
    """An empty list would look as if no client matched."""
    assert await error_message(api_for(org), **{name: wrong}) == says


async def test_search_is_composed_before_its_length_is_checked(org: Tenant, api_for: Callable[..., Api]) -> None:
    """A search of invisible characters alone finds all clients."""
    await org.add_client("é" * 200)
    api = api_for(org)
    assert await find_names(api, search="\u200b \ufeff") == await find_names(api, search="e\u0301" * 200) == ["é" * 200]
    assert await error_message(api, search="é" * 201) == "`search` must have at most 200 characters."


def text_filters() -> list[tuple[str, str]]:
    """Return the root field and the name of each text filter for which the inputs have a rule."""
    query = SCHEMA.query_type
    assert query
    return [
        (name, each)
        for name, field in query.fields.items()
        for argument in field.args.values()
        if isinstance(kind := get_named_type(argument.type), GraphQLInputObjectType)
        for each, field_definition in kind.fields.items()
        if get_named_type(field_definition.type).name == "String" and to_snake(each) in RULES
    ]


@pytest.mark.parametrize(("root", "name"), text_filters())
async def test_every_filter_with_a_rule_applies_it(org: Tenant, api_for: Callable[..., Api], root: str, name: str) -> None:
    """The cases come from the schema and include filters that are added later."""
    body = await api_for(org).execute(f'{{ {root}(filter: {{{name}: "?!"}}) {{ totalCount }} }}')
    (error,) = body["errors"]
    assert (body["data"], error["extensions"], f"`{name}`" in error["message"]) == ({root: None}, {"code": "BAD_USER_INPUT"}, True)


def test_cases_cover_known_filters() -> None:
    """Without cases the test above would check nothing."""
    assert {("clients", "country"), ("clients", "kvkNumber"), ("clients", "vatNumber")} <= {*text_filters()}
