"""Documents by text, by hash and by id: who may ask which, and what others can do to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import strawberry

from db.engine.database import Database
from db.tables import Role
from server.documents.trusted import hash_document
from server.settings import DocumentPolicy, GetPolicy, Settings
from tests.ask import connected
from tests.builders import Tenant

VIEWER, NAME = "{ viewer { permissions } }", "query Name { viewer { organization { name } } }"
CHANGE = 'mutation { labelCreate(input: {name: "By hash"}) { label { name } } }'
ANSWER = {"viewer": {"organization": {"name": "Test"}}}
ID = "c0ffee"

Asks = Callable[..., AbstractAsyncContextManager["Asking"]]


class Asking:
    """Asks one server as one organization's owner; answers are the data, or status and code."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}

    async def post(self, **sent: object) -> object:
        return said(await self._http.post("/graphql", json=sent, headers=self._headers))

    async def get(self, **sent: object) -> object:
        return said(await self.got(**sent))

    async def got(self, **sent: object) -> httpx.Response:
        parameters = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in sent.items()}
        return await self._http.get("/graphql", params=parameters, headers=self._headers)


def said(response: httpx.Response) -> object:
    body: dict[str, Any] = response.json()
    if "errors" not in body:
        return body["data"]
    (error,) = body["errors"]
    return response.status_code, error["extensions"]["code"]


def by_hash(text: str, **more: object) -> dict[str, object]:
    """What Apollo's clients send."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_document(text)}}, **more}


@pytest.fixture
async def asking(database: Database, schema: strawberry.Schema, org: Tenant) -> Asks:
    """A server with these settings, that knows no document yet."""

    @asynccontextmanager
    async def serving(**settings: object) -> AsyncIterator[Asking]:
        async with connected(schema, database, Settings.model_validate(settings)) as http:
            yield Asking(http, org.tokens[Role.OWNER])

    return serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One trusted document, under an id of its own."""
    (tmp_path / "documents.json").write_bytes(orjson.dumps({ID: NAME}))
    return tmp_path


MISS = (400, "PERSISTED_QUERY_NOT_FOUND")
NOT_SUPPORTED = (400, "PERSISTED_QUERY_NOT_SUPPORTED")
NOT_TRUSTED = (400, "PERSISTED_QUERY_NOT_TRUSTED")
NOT_BY_GET = (405, "METHOD_NOT_ALLOWED")


async def test_a_document_is_asked_by_its_hash_once_it_was_sent(asking: Asks) -> None:
    """A miss, then text and hash, then the hash alone; from then on by each of its names."""
    async with asking(document_policy=DocumentPolicy.APQ) as api:
        assert await api.post(**by_hash(NAME)) == MISS
        assert await api.post(**by_hash(NAME, query=NAME)) == ANSWER
        assert await api.post(**by_hash(NAME)) == ANSWER
        assert await api.get(**by_hash(NAME)) == ANSWER
        for name in ("documentId", "doc_id", "id"):
            for key in (hash_document(NAME), f"sha256:{hash_document(NAME)}"):
                assert await api.post(**{name: key}) == ANSWER
                assert await api.get(**{name: key}) == ANSWER
        assert await api.post(**by_hash(VIEWER)) == MISS


async def test_apollos_clients_know_the_answers_by_heart(asking: Asks) -> None:
    """Both the message and the code; a miss is kept by nobody."""
    async with asking(document_policy=DocumentPolicy.APQ) as apq, asking(document_policy=DocumentPolicy.OPEN) as open_:
        for api, message, code in (
            (apq, "PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"),
            (open_, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"),
        ):
            response = await api.got(**by_hash(NAME))
            assert response.json() == {"errors": [{"message": message, "extensions": {"code": code}}]}
            assert (response.status_code, response.headers["cache-control"]) == (400, "no-store")


async def test_a_hash_that_is_another_documents_is_refused(asking: Asks) -> None:
    """So nobody can put a document under the name of another, and neither is kept."""
    async with asking(document_policy=DocumentPolicy.APQ) as api:
        assert await api.post(**by_hash(NAME, query=VIEWER)) == (400, "PERSISTED_QUERY_HASH_MISMATCH")
        assert await api.post(**by_hash(NAME)) == await api.post(**by_hash(VIEWER)) == MISS


@pytest.mark.parametrize(
    "persisted",
    [
        {},
        {"version": 2, "sha256Hash": hash_document(NAME)},
        {"version": "1", "sha256Hash": hash_document(NAME)},
        {"version": 1, "sha256Hash": hash_document(NAME).upper()},
        {"version": 1, "sha256Hash": ""},
        {"version": 1, "sha256Hash": 1},
        {"version": 1},
        [],
    ],
    ids=str,
)
async def test_what_is_not_the_protocol_is_refused(asking: Asks, persisted: object) -> None:
    """By POST and by GET, with a text or without."""
    async with asking(document_policy=DocumentPolicy.APQ) as api:
        for sent in ({}, {"query": NAME}):
            assert await api.post(extensions={"persistedQuery": persisted}, **sent) == (400, "BAD_REQUEST")
            assert await api.get(extensions={"persistedQuery": persisted}, **sent) == (400, "BAD_REQUEST")


async def test_an_open_server_takes_texts_only(asking: Asks, folder: Path) -> None:
    """And the trusted ones by their ids. What was sent before is not known by its hash."""
    async with asking(document_policy=DocumentPolicy.OPEN, trusted_documents=folder) as api:
        assert await api.post(query=VIEWER) == {"viewer": {"permissions": await _permissions(api)}}
        assert await api.post(**by_hash(VIEWER)) == await api.post(documentId=hash_document(VIEWER)) == NOT_SUPPORTED
        assert await api.post(**by_hash(VIEWER, query=VIEWER)) == NOT_SUPPORTED
        assert await api.post(documentId=ID) == ANSWER


async def _permissions(api: Asking) -> list[str]:
    found = await api.post(query="{ viewer { permissions } }")
    assert isinstance(found, dict)
    permissions: list[str] = found["viewer"]["permissions"]
    return permissions


async def test_a_closed_server_takes_its_own_documents_only(asking: Asks, folder: Path) -> None:
    """By id, by hash or word for word; another is neither answered nor kept."""
    async with asking(document_policy=DocumentPolicy.TRUSTED_ONLY, trusted_documents=folder) as api:
        for key in (ID, hash_document(NAME), f"sha256:{hash_document(NAME)}"):
            assert await api.post(documentId=key) == ANSWER
        assert await api.post(**by_hash(NAME)) == await api.post(query=NAME) == await api.post(**by_hash(NAME, query=NAME)) == ANSWER
        for text in (VIEWER, NAME + " ", f"#\n{NAME}", "{ nothing }", "{"):
            assert await api.post(query=text) == await api.post(**by_hash(text, query=text)) == NOT_TRUSTED
            assert await api.get(query=text) == NOT_TRUSTED
            assert await api.post(**by_hash(text)) == await api.post(documentId=hash_document(text)) == MISS


async def test_by_get_only_what_is_known_is_asked(asking: Asks, folder: Path) -> None:
    """Where the setting says so, as in production; a text is refused, also a trusted one, and says what to do instead."""
    async with asking(get_requests=GetPolicy.PERSISTED, trusted_documents=folder) as api:
        assert await api.get(query=NAME) == await api.get(**by_hash(NAME, query=NAME)) == NOT_BY_GET
        assert (await api.got(query=NAME)).headers["allow"] == "POST"
        assert await api.get(**by_hash(VIEWER)) == MISS
        assert await api.post(query=VIEWER) == await api.get(**by_hash(VIEWER))
        assert await api.get(documentId=ID) == await api.get(id=ID) == ANSWER


async def test_by_get_nothing_is_asked_where_it_is_off(asking: Asks, folder: Path) -> None:
    """Known or not."""
    async with asking(get_requests=GetPolicy.OFF, trusted_documents=folder) as api:
        assert await api.get(documentId=ID) == await api.get(query=NAME) == NOT_BY_GET


async def test_h1_a_change_is_not_made_by_get(asking: Asks, org: Tenant, tmp_path: Path) -> None:
    """Neither by its text nor by its hash nor by its id, though each is known; and nothing is there."""
    (tmp_path / "change.graphql").write_text(CHANGE)
    async with asking(trusted_documents=tmp_path) as api:
        for sent in ({"query": CHANGE}, by_hash(CHANGE), by_hash(CHANGE, query=CHANGE), {"documentId": hash_document(CHANGE)}):
            assert await api.get(**sent) == NOT_BY_GET
            assert (await api.got(**sent)).headers["allow"] == "POST"
        assert await org.owner.fetchval("SELECT count(*) FROM relaties.label WHERE tenant_id = $1", org.id) == 0
        assert await api.post(**by_hash(CHANGE)) == {"labelCreate": {"label": {"name": "By hash"}}}


async def test_a_request_without_a_document_says_how_to_send_one(asking: Asks) -> None:
    """Rather than that it was not found."""
    async with asking() as api:
        assert await api.post() == await api.get() == await api.post(documentId="") == (400, "BAD_REQUEST")


async def test_who_fills_the_memory_displaces_only_what_is_not_used(asking: Asks, folder: Path) -> None:
    """A document that was sent once has to be registered again; one that was used stays, and the trusted one is always there."""
    async with asking(document_cache_bytes=200_000, trusted_documents=folder) as api:

        async def flood() -> None:
            for place in range(50):
                assert await api.post(query=f"{{ a{place}: __typename }}") == {f"a{place}": "Query"}

        answer = await api.post(**by_hash(VIEWER, query=VIEWER))
        await flood()
        assert await api.post(**by_hash(VIEWER)) == MISS
        assert await api.post(**by_hash(VIEWER, query=VIEWER)) == await api.post(**by_hash(VIEWER)) == answer
        await flood()
        assert await api.post(**by_hash(VIEWER)) == answer
        assert await api.post(documentId=ID) == ANSWER
