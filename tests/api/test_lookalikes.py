"""Texts that look alike are the same text: for numbers and names that are unique, for lookups, searches and filters."""

import unicodedata
from collections.abc import Callable

import pytest
from graphql import GraphQLInputObjectType, get_named_type
from pydantic.alias_generators import to_snake

from domain.core.validation import RULES
from tests.ask import Api
from tests.builders import Tenant, insert
from tests.inputs import CORE
from tests.snapshots import unchanged

CREATE = """mutation ($input: ClientCreateInput!) { clientCreate(input: $input) {
  client { name number } userErrors { code path message } } }"""
LABEL = "mutation ($name: String!) { labelCreate(input: {name: $name}) { label { name } userErrors { code path } } }"
ONE = "query ($number: String!) { client(by: {number: $number}) { name } }"
MANY = "query ($filter: ClientFilterInput, $search: String) { clients(filter: $filter, search: $search) { totalCount nodes { name } } }"
INVISIBLE = ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u200c", "\u200d", "\ufe0f", "\u3164", "\u115f", "\u034f", "\U000e0061"]
FORMS = ["É77", "e\u030177", "E\u030177", "é77", "É\uff17\uff17", " É77 ", "\ufeffÉ\u00ad7\u200b7"]


async def found(api: Api, search: str | None = None, **filter: object) -> list[str]:
    page = (await api.data(MANY, filter=filter, search=search))["clients"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["name"] for node in page["nodes"]]


async def refused(api: Api, search: str | None = None, **filter: object) -> str:
    """The message of the one error of a query that has no clients."""
    body = await api.ask(MANY, filter=filter, search=search)
    assert body["data"] == {"clients": None}
    (error,) = body["errors"]
    assert error["path"] == ["clients"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    return str(error["message"])


@pytest.mark.parametrize("sign", INVISIBLE)
async def test_an_invisible_character_makes_no_second_client_and_no_second_label(org: Tenant, as_: Callable[..., Api], sign: str) -> None:
    """At the ends and inside; refused as the number or the name that it is, and nothing changes."""
    api = as_(org)
    await org.add_client("Acme", "A1")
    await org.add_label("Gold")
    async with unchanged(org.owner, org.id):
        for number in (f"{sign}A1", f"A1{sign}", f"A{sign}1", f"{sign}a{sign}1{sign}"):
            answer = (await api.data(CREATE, input={"name": "Other", "number": number}))["clientCreate"]
            refusal = {"code": "NUMBER_TAKEN", "path": ["number"], "message": "Acme has the number A1. Numbers are unique."}
            assert answer == {"client": None, "userErrors": [refusal]}
        for name in (f"{sign}Gold", f"Gold{sign}", f"Go{sign}ld"):
            answer = (await api.data(LABEL, name=name))["labelCreate"]
            assert answer == {"label": None, "userErrors": [{"code": "NAME_TAKEN", "path": ["name"]}]}


async def test_invisible_characters_are_not_stored(org: Tenant, as_: Callable[..., Api]) -> None:
    """Neither of a name nor of a number; those that join letters or emoji stay in a name."""
    given = {"name": "\ufeffAc\u00adme\u200b 👩\u200d🚀 \u0645\u06cc\u200c\u062e", "number": "\u2060B\u200b2\ufeff"}
    answer = (await as_(org).data(CREATE, input=given))["clientCreate"]
    assert answer == {"client": {"name": "Acme 👩\u200d🚀 \u0645\u06cc\u200c\u062e", "number": "B2"}, "userErrors": []}


@pytest.mark.parametrize("stored", ["É77", "e\u03017\uff17"])
async def test_every_form_of_a_number_finds_its_client(org: Tenant, as_: Callable[..., Api], stored: str) -> None:
    """By lookup, by search and in a bulk upsert: composed, apart, full width, in any case and with what cannot be seen."""
    api = as_(org)
    made = (await api.data(CREATE, input={"name": "Acme", "number": stored}))["clientCreate"]
    assert made["client"] == {"name": "Acme", "number": unicodedata.normalize("NFC", stored)}
    for form in FORMS:
        assert (await api.data(ONE, number=form))["client"] == {"name": "Acme"}, ascii(form)
        assert await found(api, search=form) == ["Acme"], ascii(form)
        query = """mutation ($number: String!) { clientBulkUpsert(input: {clients: [{name: "Acme", number: $number}]}) {
          results { action } userErrors { message } } }"""
        answer = (await api.data(query, number=form))["clientBulkUpsert"]
        assert (answer["userErrors"], answer["results"][0]["action"] in {"UPDATED", "UNCHANGED"}) == ([], True)
    assert await found(api) == ["Acme"]


async def test_a_filter_takes_what_an_input_takes(org: Tenant, as_: Callable[..., Api]) -> None:
    """In any case, with separators, in full width and with what cannot be seen."""
    client = await org.add_client("Acme", kvk_number="68750110", vat_number="NL004495445B01")
    address = {"tenant_id": org.id, "client_id": client, "type": "PRIMARY", "country": "NL"}
    await insert(org.owner, "client_address", [address])
    await org.add_client("Other")
    api = as_(org)
    for country in ("NL", "nl", " nl ", "N\u200bL"):
        assert await found(api, country=country) == ["Acme"]
    for number in ("68750110", "6875 0110", "6875.01.10", "68750110\ufeff", "\uff16\uff18\uff17\uff15\uff10\uff11\uff11\uff10"):
        assert await found(api, kvkNumber=number) == ["Acme"], ascii(number)
    for number in ("NL004495445B01", "nl 0044.95.445.b01", "NL-004495445-B01"):
        assert await found(api, vatNumber=number) == ["Acme"]
    assert await found(api, country="BE") == []
    assert await found(api, country=None, kvkNumber=None) == ["Acme", "Other"]


@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [
        ("country", "ZZ", "`country`: A country is a code of two letters of ISO 3166-1, for example `NL`."),
        ("country", "", "`country`: A country is a code of two letters of ISO 3166-1, for example `NL`."),
        ("country", "Nederland", "`country` has at most 2 characters."),
        ("kvkNumber", "6875011", "`kvkNumber`: A KvK number has 8 digits, for example `68750110`."),
        (
            "vatNumber",
            "NL004495446B01",
            "`vatNumber`: A VAT number of NL has a fixed form and right check digits, for example `NL004495445B01`.",
        ),
    ],
)
async def test_a_filter_refuses_what_an_input_refuses(org: Tenant, as_: Callable[..., Api], name: str, wrong: str, says: str) -> None:
    """Rather than an answer that looks as if there were none."""
    assert await refused(as_(org), **{name: wrong}) == says


async def test_a_search_is_cleaned_and_limited(org: Tenant, as_: Callable[..., Api]) -> None:
    """As long as a name may be, once it is composed; what cannot be seen searches for nothing."""
    await org.add_client("é" * 200)
    api = as_(org)
    assert await found(api, search="\u200b \ufeff") == await found(api, search="e\u0301" * 200) == ["é" * 200]
    assert await refused(api, search="é" * 201) == "`search` has at most 200 characters."


def filters() -> list[tuple[str, str]]:
    """Each text of a filter for which the inputs have a rule, by the connection's root field."""
    query = CORE.query_type
    assert query
    return [
        (name, each)
        for name, field in query.fields.items()
        for argument in field.args.values()
        if isinstance(kind := get_named_type(argument.type), GraphQLInputObjectType)
        for each, of in kind.fields.items()
        if get_named_type(of.type).name == "String" and to_snake(each) in RULES
    ]


@pytest.mark.parametrize(("root", "name"), filters())
async def test_every_filter_with_a_rule_applies_it(org: Tenant, as_: Callable[..., Api], root: str, name: str) -> None:
    """What is added to a filter later joins by itself."""
    body = await as_(org).ask(f'{{ {root}(filter: {{{name}: "?!"}}) {{ totalCount }} }}')
    (error,) = body["errors"]
    assert (body["data"], error["extensions"], f"`{name}`" in error["message"]) == ({root: None}, {"code": "BAD_USER_INPUT"}, True)


def test_the_filters_with_a_rule_are_found() -> None:
    """None would let every one of them through."""
    assert {("clients", "country"), ("clients", "kvkNumber"), ("clients", "vatNumber")} <= {*filters()}
