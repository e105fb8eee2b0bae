"""Documents by text, hash and id: which of them each policy accepts."""

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
from tests.support.api import connect_client
from tests.support.builders import Tenant

VIEWER, NAME = "{ viewer { permissions } }", "query Name { viewer { organization { name } } }"
CHANGE = 'mutation { labelCreate(input: {name: "By hash"}) { label { name } } }'
ANSWER = {"viewer": {"organization": {"name": "Test"}}}
ID = "c0ffee"

ConnectClient = Callable[..., AbstractAsyncContextManager["PersistedClient"]]


class PersistedClient:
    """Send requests as the owner of one organization. Responses are the data, or the status and code of the error."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}

    async def post(self, **parameters: object) -> object:
        return data_or_error(await self._http.post("/graphql", json=parameters, headers=self._headers))

    async def get(self, **parameters: object) -> object:
        return data_or_error(await self.get_data(**parameters))

    async def get_data(self, **sent_parameters: object) -> httpx.Response:
        parameters = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in sent_parameters.items()}
        return await self._http.get("/graphql", params=parameters, headers=self._headers)


def data_or_error(response: httpx.Response) -> object:
    body: dict[str, Any] = response.json()
    if "errors" not in body:
        return body["data"]
    (error,) = body["errors"]
    return response.status_code, error["extensions"]["code"]


def hash_parameters(text: str, **more: object) -> dict[str, object]:
    """Return the parameters that Apollo's clients send."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_document(text)}}, **more}


@pytest.fixture
async def connect_persisted_client(database: Database, schema: strawberry.Schema, org: Tenant) -> ConnectClient:
    """Return a function that connects to a server with these settings and an empty document cache."""

    @asynccontextmanager
    async def connect(**settings: object) -> AsyncIterator[PersistedClient]:
        async with connect_client(schema, database, Settings.model_validate(settings)) as http:
            yield PersistedClient(http, org.tokens[Role.OWNER])

    return connect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a folder with one trusted document that has an id of its own."""
    (tmp_path / "documents.json").write_bytes(orjson.dumps({ID: NAME}))
    return tmp_path


MISS = (400, "PERSISTED_QUERY_NOT_FOUND")
NOT_SUPPORTED = (400, "PERSISTED_QUERY_NOT_SUPPORTED")
NOT_TRUSTED = (400, "PERSISTED_QUERY_NOT_TRUSTED")
NOT_BY_GET = (405, "METHOD_NOT_ALLOWED")


async def test_document_is_found_by_its_hash_after_it_was_sent(connect_persisted_client: ConnectClient) -> None:
    """The client sends the hash, then text and hash, and from then on only the hash or another name of the document."""
    async with connect_persisted_client(document_policy=DocumentPolicy.APQ) as api:
        assert await api.post(**hash_parameters(NAME)) == MISS
        assert await api.post(**hash_parameters(NAME, query=NAME)) == ANSWER
        assert await api.post(**hash_parameters(NAME)) == ANSWER
        assert await api.get(**hash_parameters(NAME)) == ANSWER
        for name in ("documentId", "doc_id", "id"):
            for key in (hash_document(NAME), f"sha256:{hash_document(NAME)}"):
                assert await api.post(**{name: key}) == ANSWER
                assert await api.get(**{name: key}) == ANSWER
        assert await api.post(**hash_parameters(VIEWER)) == MISS


async def test_apollo_clients_recognize_the_answers(connect_persisted_client: ConnectClient) -> None:
    """The clients compare the message as well as the code. A miss must not be cached."""
    async with (
        connect_persisted_client(document_policy=DocumentPolicy.APQ) as apq,
        connect_persisted_client(document_policy=DocumentPolicy.OPEN) as open_,
    ):
        for api, message, code in (
            (apq, "PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"),
            (open_, "PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"),
        ):
            response = await api.get_data(**hash_parameters(NAME))
            assert response.json() == {"errors": [{"message": message, "extensions": {"code": code}}]}
            assert (response.status_code, response.headers["cache-control"]) == (400, "no-store")


async def test_hash_of_another_document_is_rejected(connect_persisted_client: ConnectClient) -> None:
    """Otherwise a client could register a document under the hash of another. Neither document is cached."""
    async with connect_persisted_client(document_policy=DocumentPolicy.APQ) as api:
        assert await api.post(**hash_parameters(NAME, query=VIEWER)) == (400, "PERSISTED_QUERY_HASH_MISMATCH")
        assert await api.post(**hash_parameters(NAME)) == await api.post(**hash_parameters(VIEWER)) == MISS


@pytest.mark.parametrize(
    "extension",
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
async def test_invalid_persisted_query_extension_is_rejected(connect_persisted_client: ConnectClient, extension: object) -> None:
    """This holds for POST and GET, with and without a text."""
    async with connect_persisted_client(document_policy=DocumentPolicy.APQ) as api:
        for parameters in ({}, {"query": NAME}):
            assert await api.post(extensions={"persistedQuery": extension}, **parameters) == (400, "BAD_REQUEST")
            assert await api.get(extensions={"persistedQuery": extension}, **parameters) == (400, "BAD_REQUEST")


async def test_open_policy_accepts_texts(connect_persisted_client: ConnectClient, folder: Path) -> None:
    """Trusted documents are also accepted by their ids. A text is not registered under its hash."""
    async with connect_persisted_client(document_policy=DocumentPolicy.OPEN, trusted_documents=folder) as api:
        assert await api.post(query=VIEWER) == {"viewer": {"permissions": await fetch_permissions(api)}}
        assert await api.post(**hash_parameters(VIEWER)) == await api.post(documentId=hash_document(VIEWER)) == NOT_SUPPORTED
        assert await api.post(**hash_parameters(VIEWER, query=VIEWER)) == NOT_SUPPORTED
        assert await api.post(documentId=ID) == ANSWER


async def fetch_permissions(api: PersistedClient) -> list[str]:
    response = await api.post(query="{ viewer { permissions } }")
    assert isinstance(response, dict)
    permissions: list[str] = response["viewer"]["permissions"]
    return permissions


async def test_trusted_policy_accepts_its_own_documents_only(connect_persisted_client: ConnectClient, folder: Path) -> None:
    """They are accepted by id, by hash and as the exact text. Other documents are rejected and not cached."""
    async with connect_persisted_client(document_policy=DocumentPolicy.TRUSTED_ONLY, trusted_documents=folder) as api:
        for key in (ID, hash_document(NAME), f"sha256:{hash_document(NAME)}"):
            assert await api.post(documentId=key) == ANSWER
        assert (
            await api.post(**hash_parameters(NAME))
            == await api.post(query=NAME)
            == await api.post(**hash_parameters(NAME, query=NAME))
            == ANSWER
        )
        for text in (VIEWER, NAME + " ", f"#\n{NAME}", "{ nothing }", "{"):
            assert await api.post(query=text) == await api.post(**hash_parameters(text, query=text)) == NOT_TRUSTED
            assert await api.get(query=text) == NOT_TRUSTED
            assert await api.post(**hash_parameters(text)) == await api.post(documentId=hash_document(text)) == MISS


async def test_get_accepts_only_known_documents(connect_persisted_client: ConnectClient, folder: Path) -> None:
    """With this policy, the default in production, even the text of a trusted document is rejected. `Allow` names POST."""
    async with connect_persisted_client(get_requests=GetPolicy.PERSISTED, trusted_documents=folder) as api:
        assert await api.get(query=NAME) == await api.get(**hash_parameters(NAME, query=NAME)) == NOT_BY_GET
        assert (await api.get_data(query=NAME)).headers["allow"] == "POST"
        assert await api.get(**hash_parameters(VIEWER)) == MISS
        assert await api.post(query=VIEWER) == await api.get(**hash_parameters(VIEWER))
        assert await api.get(documentId=ID) == await api.get(id=ID) == ANSWER


async def test_get_is_rejected_where_it_is_disabled(connect_persisted_client: ConnectClient, folder: Path) -> None:
    async with connect_persisted_client(get_requests=GetPolicy.OFF, trusted_documents=folder) as api:
        assert await api.get(documentId=ID) == await api.get(query=NAME) == NOT_BY_GET


async def test_h1_mutation_by_get_is_rejected(connect_persisted_client: ConnectClient, org: Tenant, tmp_path: Path) -> None:
    """It is rejected by text, hash and id, although each is known, and creates nothing."""
    (tmp_path / "change.graphql").write_text(CHANGE)
    async with connect_persisted_client(trusted_documents=tmp_path) as api:
        for parameters in (
            {"query": CHANGE},
            hash_parameters(CHANGE),
            hash_parameters(CHANGE, query=CHANGE),
            {"documentId": hash_document(CHANGE)},
        ):
            assert await api.get(**parameters) == NOT_BY_GET
            assert (await api.get_data(**parameters)).headers["allow"] == "POST"
        assert await org.owner.fetchval("SELECT count(*) FROM relaties.label WHERE tenant_id = $1", org.id) == 0
        assert await api.post(**hash_parameters(CHANGE)) == {"labelCreate": {"label": {"name": "By hash"}}}


async def test_request_without_a_document_explains_how_to_send_one(connect_persisted_client: ConnectClient) -> None:
    async with connect_persisted_client() as api:
        assert await api.post() == await api.get() == await api.post(documentId="") == (400, "BAD_REQUEST")


async def test_flooding_evicts_only_unused_documents(connect_persisted_client: ConnectClient, folder: Path) -> None:
    """A document that was used stays cached, one that was not has to be registered again. Trusted documents always stay."""
    async with connect_persisted_client(document_cache_bytes=200_000, trusted_documents=folder) as api:

        async def flood() -> None:
            for index in range(50):
                assert await api.post(query=f"{{ a{index}: __typename }}") == {f"a{index}": "Query"}

        answer = await api.post(**hash_parameters(VIEWER, query=VIEWER))
        await flood()
        assert await api.post(**hash_parameters(VIEWER)) == MISS
        assert await api.post(**hash_parameters(VIEWER, query=VIEWER)) == await api.post(**hash_parameters(VIEWER)) == answer
        await flood()
        assert await api.post(**hash_parameters(VIEWER)) == answer
        assert await api.post(documentId=ID) == ANSWER
