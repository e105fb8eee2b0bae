"""Test that the contacts of a page of clients take one statement while they are few, and a second one if a client has many."""

from collections.abc import Callable

import pytest

from db.queries.contacts import EXPECTED_LINKS
from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.explain import FROM_TABLES

PAGE_SIZE = 25
CONTACTS_QUERY = (
    f"{{ clients {{ nodes {{ name contacts(first: {PAGE_SIZE}) {{ nodes {{ lastName }} pageInfo {{ hasNextPage }} totalCount }} }} }} }}"
)
ALL, OF_EACH = "LIMIT 8 * cardinality", "JOIN LATERAL"


# The first statement for two clients has a limit of `EXPECTED_LINKS` for each and a page. A result of that size may be incomplete.
@pytest.mark.parametrize(
    ("count", "expected_sql"), [(2 * EXPECTED_LINKS + PAGE_SIZE - 1, [ALL]), (2 * EXPECTED_LINKS + PAGE_SIZE, [ALL, OF_EACH])]
)
async def test_client_with_many_contacts_returns_the_first_page(
    api_for: Callable[..., Api], org: Tenant, sample_org: Tenant, statements: list[str], count: int, expected_sql: list[str]
) -> None:
    """The answer is the same just within the limit (one statement) and just beyond it (two)."""
    many, few = await org.add_client("Many"), await org.add_client("One")
    for position in reversed(range(count - 1)):
        await org.add_contact(f"Person {position:03}", many, position=position)
    await org.add_contact("Other", few)
    contacts_by_client = {each["name"]: each["contacts"] for each in (await api_for(org).data(CONTACTS_QUERY))["clients"]["nodes"]}
    assert [each["lastName"] for each in contacts_by_client["Many"]["nodes"]] == [f"Person {position:03}" for position in range(PAGE_SIZE)]
    assert contacts_by_client["Many"]["pageInfo"] == {"hasNextPage": True}
    assert contacts_by_client["Many"]["totalCount"] == count - 1
    assert contacts_by_client["One"] == {"nodes": [{"lastName": "Other"}], "pageInfo": {"hasNextPage": False}, "totalCount": 1}
    read = [each for each in statements if FROM_TABLES in each and "AS linked" in each]
    assert [next(sql for sql in (OF_EACH, ALL) if sql in each) for each in read] == expected_sql
    theirs = await api_for(sample_org).data(CONTACTS_QUERY)
    assert not {"Many", "One"} & {each["name"] for each in theirs["clients"]["nodes"]}


async def test_backward_and_later_pages_are_per_client(api_for: Callable[..., Api], org: Tenant) -> None:
    """Only first pages are read for all clients together. Other pages have the same order."""
    client = await org.add_client("Many")
    for position in range(5):
        await org.add_contact(f"Person {position}", client, position=position)
    forward = "{ clients { nodes { contacts(first: 2, after: AFTER) { nodes { lastName } pageInfo { endCursor } } } } }"
    api = api_for(org)
    page = (await api.data(forward.replace("AFTER", "null")))["clients"]["nodes"][0]["contacts"]
    second = forward.replace("AFTER", f'"{page["pageInfo"]["endCursor"]}"')
    assert [each["lastName"] for each in page["nodes"]] == ["Person 0", "Person 1"]
    assert [each["lastName"] for each in (await api.data(second))["clients"]["nodes"][0]["contacts"]["nodes"]] == ["Person 2", "Person 3"]
    last = (await api.data("{ clients { nodes { contacts(last: 2) { nodes { lastName } } } } }"))["clients"]["nodes"][0]["contacts"]
    assert [each["lastName"] for each in last["nodes"]] == ["Person 3", "Person 4"]
