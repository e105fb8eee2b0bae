"""Test signed texts that leave the server (cursors, preview tokens): without the server's key, nothing in them can be guessed."""

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest
import strawberry

import domain
from db.engine.database import Database
from db.tables import Role
from db.tables.keys import new_id
from domain.clients import previews
from domain.core.scope import ALL_PERMISSIONS, Actor, Scope
from domain.organization.tokens import new_secret
from server.app import build_app
from server.settings import Settings
from tests.support.api import HUGE_LIMIT, SECRET_KEYS, Api, connect_to_application
from tests.support.builders import CREATED_AT, Tenant, add_token, create_tenant
from tests.support.files import sign
from tests.support.ids import global_id
from tests.support.owner import OwnerTransaction, sign_preview_token
from tests.support.snapshots import assert_unchanged

AMOUNT = "1234.56"
DELETE = "mutation ($input: ClientDeleteInput!) { clientDelete(input: $input) { deletedId userErrors { code path } } }"


async def fetch_preview_token(api: Api, _org: Tenant, key: UUID) -> tuple[bytes, list[bytes]]:
    query = "query ($id: ID!) { client(by: {id: $id}) { deletionPreview { token amounts { currency } expiresAt } } }"
    preview = (await api.data(query, id=global_id("Client", key)))["client"]["deletionPreview"]
    assert preview["amounts"] is None
    return urlsafe_b64decode(preview["token"]), [key.hex.encode()]


async def fetch_cursor(api: Api, _org: Tenant, key: UUID) -> tuple[bytes, list[bytes]]:
    edge = (await api.data("{ clients { edges { cursor node { id } } } }"))["clients"]["edges"][0]
    assert edge["node"]["id"] == global_id("Client", key)
    return urlsafe_b64decode(edge["cursor"]), [b'["clients.name.up","equal","%s"]' % key.hex.encode()]


async def fetch_download_token(_api: Api, org: Tenant, key: UUID) -> tuple[bytes, list[bytes]]:
    """Return the token of a URL. The id of its file is that of the client, so it is the same in both organizations."""
    return urlsafe_b64decode(sign(org, key)[-48:]), [key.bytes]


READERS: dict[str, Callable[[Api, Tenant, UUID], Awaitable[tuple[bytes, list[bytes]]]]] = {
    "previews.py": fetch_preview_token,
    "cursors.py": fetch_cursor,
    "files.py": fetch_download_token,
}
"""By signing module: how a caller gets a signed text, decoded, and the parts of it that the caller may know."""


def test_every_signed_text_has_a_reader() -> None:
    """A new use of a signer needs an entry in `READERS`."""
    sources = {
        path.name: path.read_text() for path in Path(domain.__file__).parent.rglob("*.py") if path.name not in {"signing.py", "scope.py"}
    }
    assert {name for name, text in sources.items() if re.search(r"\bSigner\(|TimedSigner\(|\.signer\(", text)} == set(READERS)


async def create_equal_client(org: Tenant, key: UUID) -> None:
    """Create an archived client with the same id, name and amounts in each organization. The primary key includes the organization."""
    await org.add_client("Equal", id=key)
    await org.add_invoice(key, date(2026, 1, 10), AMOUNT)
    await org.owner.execute("UPDATE relaties.client SET archived_at = $3 WHERE tenant_id = $1 AND id = $2", org.id, key, CREATED_AT)


async def api_without_figures(org: Tenant, api: Api) -> Api:
    """Return an API client with a token that may delete clients but not see amounts."""
    secret = new_secret()
    await add_token(org.owner, org.id, secret, role="ADMIN", scope=["CLIENTS_READ", "CLIENTS_ARCHIVE"])
    return Api(api.http, secret)


@pytest.mark.parametrize("module", READERS)
async def test_equal_content_of_two_organizations_is_signed_differently(api_for: Callable[..., Api], org: Tenant, module: str) -> None:
    """Beyond the known parts, the texts have no four bytes in common, so none of them is computed from the content alone."""
    other, key, texts = await create_tenant(org.owner), new_id(), list[bytes]()
    for each in (org, other):
        await create_equal_client(each, key)
        text, known_values = await READERS[module](await api_without_figures(each, api_for(each)), each, key)
        for part in known_values:
            assert part in text
            text = text.replace(part, b"")
        # Without the 8 bytes of the issue time, which may be equal.
        texts.append(text[:12] + text[12 + 8 :] if module in {"previews.py", "files.py"} else text)
    first, second = texts
    assert len(first) >= 12
    assert not [at for at in range(len(first) - 3) if first[at : at + 4] in second]


def possible_digests(content: bytes, org: Tenant) -> Iterator[bytes]:
    """Yield every digest of the content that anyone could compute, raw and as hex text, also with keys that are not secret."""
    for name in sorted(hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}):
        yield from as_text_and_bytes(hashlib.new(name, content).digest())
        for key in (b"", org.id.bytes, previews.PURPOSE):
            yield from as_text_and_bytes(hmac.digest(key, content, name))


def as_text_and_bytes(digest: bytes) -> tuple[bytes, bytes]:
    return digest, digest.hex().encode()


async def signed_contents(org: Tenant, key: UUID) -> list[bytes]:
    """Return the contents of the preview, whole and in parts, in the JSON formats in which they could be signed."""
    scope = Scope(Actor(org.id, ALL_PERMISSIONS), OwnerTransaction(org.owner, org.id), SECRET_KEYS)
    (content,) = await previews.load_contents(scope, [key])
    assert content
    counts, amounts, orphans = list(content.counts), [list(each) for each in content.amounts], list(content.orphans)
    values = [[counts, amounts, orphans], [counts, amounts], counts, amounts, *amounts]
    variants = product(values, [(", ", ": "), (",", ":")])
    return [*(json.dumps(value, default=str, separators=separators).encode() for value, separators in variants), AMOUNT.encode()]


@pytest.mark.parametrize("module", READERS)
async def test_no_signed_text_contains_a_guessable_digest(api_for: Callable[..., Api], org: Tenant, module: str) -> None:
    """Otherwise a caller without permission to see amounts could find one by trying amounts."""
    key = new_id()
    await create_equal_client(org, key)
    text, _ = await READERS[module](await api_without_figures(org, api_for(org)), org, key)
    contents = await signed_contents(org, key)
    assert any(AMOUNT.encode() in each for each in contents)
    assert AMOUNT.encode() not in text
    digests = [digest for each in contents for digest in possible_digests(each, org) if digest[:8] in text]
    assert digests == []


async def test_preview_signed_with_an_older_key_is_accepted(database: Database, schema: strawberry.Schema, org: Tenant) -> None:
    """The first key signs and all keys verify. Once the older key is removed, its previews are rejected."""
    key, new = new_id(), [b"the next secret of the tests, long enough"]
    await create_equal_client(org, key)
    old_token, new_token = (
        await sign_preview_token(org, key, timedelta(minutes=5)),
        await sign_preview_token(org, key, timedelta(minutes=5), new),
    )
    settings = Settings(rate_limit_burst=HUGE_LIMIT, max_auth_failures=HUGE_LIMIT)
    codes = dict[str, list[str]]()
    for name, secrets, token in (
        ("gone", new, old_token),
        ("unknown", SECRET_KEYS, new_token),
        ("rotated", [*new, *SECRET_KEYS], old_token),
    ):
        async with connect_to_application(build_app(schema, database, settings, secrets)) as http:
            input_values = {"id": global_id("Client", key), "previewToken": token, "acknowledgeFiscalRetention": True}
            body = await Api(http, org.tokens[Role.OWNER]).data(DELETE, input=input_values)
            codes[name] = [error["code"] for error in body["clientDelete"]["userErrors"]]
    assert codes == {"gone": ["PREVIEW_OUTDATED"], "unknown": ["PREVIEW_OUTDATED"], "rotated": []}


async def test_preview_from_the_future_is_rejected(api_for: Callable[..., Api], org: Tenant) -> None:
    """A clock that was ahead at issue must not extend the validity. A skew of up to a minute is accepted."""
    key = new_id()
    await create_equal_client(org, key)
    input_values = {"id": global_id("Client", key), "acknowledgeFiscalRetention": True}
    for ahead in (timedelta(minutes=10), timedelta(days=365)):
        token = await sign_preview_token(org, key, previews.TOKEN_LIFETIME + ahead)
        async with assert_unchanged(org.owner, org.id):
            body = await api_for(org).data(DELETE, input={**input_values, "previewToken": token})
        assert body["clientDelete"]["userErrors"] == [{"code": "PREVIEW_OUTDATED", "path": ["previewToken"]}], ahead
    token = await sign_preview_token(org, key, previews.TOKEN_LIFETIME + timedelta(seconds=50))
    body = await api_for(org).data(DELETE, input={**input_values, "previewToken": token})
    assert body["clientDelete"] == {"deletedId": input_values["id"], "userErrors": []}
