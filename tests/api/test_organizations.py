"""Test that a request reaches only its own organization, that figures agree during writes, and that days and texts are kept exactly."""

import asyncio
import itertools
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from tests.support.api import Api
from tests.support.builders import Tenant
from tests.support.ids import global_id
from tests.support.mutations import dump_rows, fetch_errors, mutate

TENANT_KEYS = ("tenantId", "tenant_id", "tenant", "organization", "organizationId")


async def test_t3_tenant_comes_from_the_token_alone(api_for: Callable[..., Api], sample_org: Tenant, org: Tenant) -> None:
    """Another organization in headers, variables, extensions, cookies or the URL is ignored or rejected."""
    api, theirs = api_for(org), str(sample_org.id)
    query = "query ($n: Int = 5) { viewer { organization { id } } clients(first: $n) { totalCount nodes { name } } }"
    plain = (await api.post({"query": query})).json()
    assert plain["data"]["clients"] == {"totalCount": 0, "nodes": []}
    for name in TENANT_KEYS:
        headers = {f"x-{name.replace('_', '-')}": theirs, "cookie": f"{name}={theirs}", "x-forwarded-user": theirs}
        assert (await api.post({"query": query, "variables": {name: theirs}}, **headers)).json() == plain
        assert (await api.post({"query": query, "extensions": {name: theirs}})).json() == plain
        assert (
            await api.http.post(f"/graphql?{name}={theirs}", json={"query": query}, headers={"authorization": f"Bearer {api.token}"})
        ).json() == plain
        body = (await api.post({"query": query, name: theirs})).json()
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_REQUEST"]


async def test_c4_one_of_two_label_deletions_succeeds(api_for: Callable[..., Api], org: Tenant) -> None:
    """The other gets `NOT_FOUND`, in each of ten runs."""
    client = await org.add_client("Labelled")
    for number in range(10):
        key = global_id("Label", await org.add_label(f"Label {number}", client))
        deleted = (fetch_errors(api_for(org), "labelDelete", id=key, expectedVersion=1) for _ in range(2))
        codes = sorted([error["code"] for error in error_list] for error_list in await asyncio.gather(*deleted))
        assert codes == [[], ["NOT_FOUND"]]


async def test_c8_figures_of_one_answer_agree_during_writes(api_for: Callable[..., Api], org: Tenant) -> None:
    """Totals equal the sums of the rows, whatever is written between two statements of the query."""
    query = "{ clients(first: 100) { totalCount revenue { invoiced { amount } } nodes { revenue { invoiced { amount } } } } }"
    api, is_seen = api_for(org), asyncio.Event()

    async def write() -> None:
        """Add 40 clients with an invoice each, then more invoices: a page has at most a hundred clients."""
        for number in itertools.takewhile(lambda _: not is_seen.is_set(), itertools.count()):
            if number < 40:
                await org.add_client(f"Client {number}")
            await org.add_invoice(org.clients[number % 40], date(2026, 1, 31), f"{number + 1}.00")

    sums, writing = set[Decimal](), asyncio.create_task(write())
    # Five different sums show that writes were committed between the queries.
    while len(sums) < 5 and not writing.done():
        connection = (await api.data(query))["clients"]
        amounts = [Decimal(node["revenue"]["invoiced"]["amount"]) for node in connection["nodes"]]
        assert len(amounts) == connection["totalCount"]
        assert sum(amounts) == Decimal(connection["revenue"]["invoiced"]["amount"])
        sums.add(sum(amounts, Decimal()))
    is_seen.set()
    await writing


TIMES = {
    "0000-01-01": None, "2026-02-30": None, "+12026-01-01": None, "2026-13-01": None, "2026-1-1": None, "1582-10-10": None,
    "1899-12-31": None, "9999-01-01": None, "1900-01-01": "1900-01-01", "9998-12-31": "9998-12-31", "2026-03-29": "2026-03-29",
}  # fmt: skip


@pytest.mark.parametrize(("day", "read"), TIMES.items())
async def test_i5_day_is_returned_as_given_or_rejected(api_for: Callable[..., Api], org: Tenant, day: str, read: str | None) -> None:
    """It never becomes the day before or after."""
    await org.add_client("X")
    query = "query ($day: Date!) { clients { nodes { revenue(period: {since: $day, until: $day}) { since until } } } }"
    response = await api_for(org).post({"query": query, "variables": {"day": day}})
    if read is None:
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["BAD_USER_INPUT"]
    else:
        assert response.json() == {"data": {"clients": {"nodes": [{"revenue": {"since": read, "until": read}}]}}}


MOMENTS = {
    "2026-03-29T02:30:00": None,
    "2027-06-30T12:00:00+14:00": "2027-06-29T22:00:00.000Z",
    "2027-06-30T12:00:00-12:00": "2027-07-01T00:00:00.000Z",
    "2027-12-31T23:30:00+01:00": "2027-12-31T22:30:00.000Z",
    "2027-06-30T12:00:00+25:00": None,
    "2027-02-30T12:00:00Z": None,
}


@pytest.mark.parametrize(("moment", "read"), MOMENTS.items())
async def test_i5_moment_requires_an_offset(api_for: Callable[..., Api], org: Tenant, moment: str, read: str | None) -> None:
    """Without an offset, an hour could occur twice or never. With one, the same moment is returned in UTC."""
    before = await dump_rows(org)
    if read is None:
        query = "mutation ($input: TokenCreateInput!) { tokenCreate(input: $input) { userErrors { code } } }"
        response = await api_for(org).post({"query": query, "variables": {"input": {"name": "T", "role": "VIEWER", "expiresAt": moment}}})
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["BAD_USER_INPUT"]
        assert await dump_rows(org) == before
    else:
        token = await mutate(api_for(org), "tokenCreate", "token { expiresAt }", name="T", role="VIEWER", expiresAt=moment)
        assert token["expiresAt"] == read


HOSTILE = [
    "'; DROP TABLE relaties.client; --", '<script>alert("x")</script>', "{{7*7}} ${7*7} #{7*7}", "first\\nINFO forged",
    "%00%0d%0aSet-Cookie: x",
    "=cmd|' /C calc'!A0", "$(touch /tmp/x) `id`", "../../etc/passwd", "\\u0000 \\x00", "%s %d {0} {name}",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
async def test_i7_text_is_stored_literally(api_for: Callable[..., Api], org: Tenant, text: str) -> None:
    api = api_for(org)
    client = await mutate(api, "clientCreate", "client { id name notes }", name=text, notes=text)
    assert (client["name"], client["notes"]) == (text, text)
    data = await api.data("query ($s: String) { clients(search: $s) { nodes { name } } }", s=text)
    assert data == {"clients": {"nodes": [{"name": text}]}}
    label = await mutate(api, "labelCreate", "label { name }", name=text[:50])
    assert label["name"] == text[:50].strip()
