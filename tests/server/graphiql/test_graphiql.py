"""The headers of the GraphiQL page, the callers that get the demo's token, and its examples."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import strawberry
from starlette.applications import Starlette

from db.engine.database import Database
from server.cli.database import DatabaseUrls
from server.cli.main import allows_browser_sign_in
from server.graphiql import pages
from server.graphiql.sign_in import BrowserSignIn
from server.settings import Environment, Settings
from tests.support.api import Api, connect_client

FOLDER = Path(pages.__file__).parent
EXAMPLES = sorted(FOLDER.glob("examples/*.graphql"))
TOKEN = "rlt_of_the_demo"
BROWSER = BrowserSignIn(TOKEN)
CODE = {"x-graphiql-code": BROWSER.code}
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def open_browser(peer: str = "127.0.0.1", host: str = "127.0.0.1:8000") -> httpx.AsyncClient:
    """Return an HTTP client at the peer's address that requests pages of a server with the demo."""
    application = Starlette(routes=pages.build_routes(BROWSER))
    return httpx.AsyncClient(transport=httpx.ASGITransport(application, client=(peer, 50_000)), base_url=f"http://{host}")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with open_browser() as client:
        yield client


def asset_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("assets/*.gz") if path.stem != "index.html")


@pytest.mark.parametrize("path", ["/", "/graphiql", "/graphiql/config", f"/graphiql/assets/{asset_names()[0]}", "/graphiql/assets/no.js"])
async def test_security_policy_restricts_everything(http: httpx.AsyncClient, path: str) -> None:
    """The policy allows no content from other sites, and no requests to them."""
    headers = (await http.get(path)).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_root_path_redirects_to_the_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/", follow_redirects=True)
    assert [step.status_code for step in answer.history] == [302]
    assert "<title>Relaties</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_cached_page_is_not_sent_again(http: httpx.AsyncClient) -> None:
    tag = (await http.get("/graphiql")).headers["etag"]
    again = await http.get("/graphiql", headers={"if-none-match": tag})
    other = await http.get("/graphiql", headers={"if-none-match": 'W/"other"'})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


async def test_page_references_only_existing_files(http: httpx.AsyncClient) -> None:
    page = (await http.get("/graphiql")).text
    file_names = re.findall(r'(?:src|href)="(?!data:)(.*?)"', page)
    assert file_names
    assert [(await http.get(name)).status_code for name in file_names] == [200] * len(file_names)
    assert TOKEN not in page


@pytest.mark.parametrize("name", asset_names())
async def test_file_is_identical_with_and_without_gzip(http: httpx.AsyncClient, name: str) -> None:
    """The file is stored with gzip, and decompressed for clients that do not accept it."""
    gzipped_response = await http.get(f"/graphiql/assets/{name}", headers={"accept-encoding": "br, gzip"})
    plain = await http.get(f"/graphiql/assets/{name}", headers={"accept-encoding": "identity"})
    assert gzipped_response.headers["content-encoding"] == "gzip"
    assert int(gzipped_response.headers["content-length"]) == (FOLDER / "assets" / f"{name}.gz").stat().st_size
    assert "content-encoding" not in plain.headers
    assert gzipped_response.content == plain.content
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("end", "kind"), [(".js", "text/javascript; charset=utf-8"), (".css", "text/css; charset=utf-8"), (".ttf", "font/ttf")]
)
async def test_file_has_its_content_type(http: httpx.AsyncClient, end: str, kind: str) -> None:
    """`X-Content-Type-Options` forbids browsers to guess it."""
    names = [name for name in asset_names() if name.endswith(end)]
    assert names
    assert {(await http.get(f"/graphiql/assets/{name}")).headers["content-type"] for name in names} == {kind}


@pytest.mark.parametrize(
    "path", ["no.js", "index.html", "../__init__.py", "..%2f__init__.py", "%2e%2e/main.jsx", "..%5cmain.jsx", "/etc/passwd", "", "a%00.js"]
)
async def test_no_other_files_are_served(http: httpx.AsyncClient, path: str) -> None:
    """Names are looked up among the files known at startup. No path is built from a name."""
    assert (await http.get(f"/graphiql/assets/{path}")).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8123", "LOCALHOST", "[::1]:8000"])
@pytest.mark.parametrize("site", [None, "same-origin", "none"])
async def test_local_browser_gets_the_token(host: str, site: str | None) -> None:
    async with open_browser() as http:
        answer = await http.get("/graphiql/config", headers=CODE | {"host": host} | ({"sec-fetch-site": site} if site else {}))
    assert answer.json() == {"token": TOKEN}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "relaties.example"},
        {"host": "127.0.0.1.relaties.example"},
        {"host": "localhost.:8000"},
        {"host": "localhost@relaties.example"},
        {"host": "[::1"},
        {"host": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
    ],
    ids=str,
)
async def test_no_other_site_and_no_proxy_gets_the_token(headers: dict[str, str]) -> None:
    """Another site could reach this server through the user's browser by a name that resolves to 127.0.0.1."""
    async with open_browser() as http:
        assert (await http.get("/graphiql/config", headers=CODE | headers)).json() == {"token": None}


@pytest.mark.parametrize("peer", ["192.168.1.7", "10.0.0.1", "2001:db8::1", "::ffff:192.168.1.7"])
async def test_no_other_machine_gets_the_token(peer: str) -> None:
    async with open_browser(peer) as http:
        assert (await http.get("/graphiql/config", headers=CODE)).json() == {"token": None}


@pytest.mark.parametrize(
    "code",
    [None, "", BROWSER.code[:-1], f"{BROWSER.code}A", BROWSER.code.swapcase(), BrowserSignIn(TOKEN).code, TOKEN, "\u00e9" * 43],
    ids=["none", "empty", "shorter", "longer", "other case", "of another start", "the token", "not ASCII"],
)
async def test_no_token_is_returned_without_the_startup_code(code: str | None) -> None:
    """In all other respects, a local process and a proxy on this machine look like the user's browser."""
    async with open_browser() as http:
        headers = {} if code is None else {b"x-graphiql-code": code.encode("latin-1")}
        answer = await http.get("/graphiql/config", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"token": None})


def test_code_is_random_and_never_shown() -> None:
    assert len({BrowserSignIn(TOKEN).code for _ in range(100)}) == 100
    assert len(BROWSER.code) == 43
    assert BROWSER.code not in repr(BROWSER)
    assert TOKEN not in repr(BROWSER)


@pytest.mark.parametrize(
    ("env", "is_embedded", "is_given"),
    [("development", True, True), ("development", False, False), ("production", True, False), ("production", False, False)],
)
def test_browser_sign_in_is_allowed_for_the_demo_on_the_embedded_server_only(env: str, is_embedded: bool, is_given: bool) -> None:
    """In another database the demo's token is one of many, and production has no demo."""
    assert allows_browser_sign_in(Settings(env=Environment(env)), DatabaseUrls("", None, is_embedded)) == is_given


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 200),
        ({"env": "production"}, 404),
        ({"graphiql": False}, 404),
        ({"env": "production", "graphiql": True}, 200),
    ],
    ids=str,
)
async def test_page_is_served_where_enabled(
    schema: strawberry.Schema, database: Database, settings: dict[str, object], status: int
) -> None:
    """By default it is served in development and not in production. Where it is off, none of its paths exist."""
    async with connect_client(schema, database, Settings.model_validate(settings)) as http:
        responses = [
            await http.get(path, follow_redirects=True)
            for path in ("/", "/graphiql", "/graphiql/config", f"/graphiql/assets/{asset_names()[0]}")
        ]
        assert [answer.status_code for answer in responses] == [status] * 4
        assert not any("rlt_" in answer.text for answer in responses)


def test_examples_have_a_comment_and_an_operation_name() -> None:
    """The name becomes the title of the example's tab."""
    assert len(EXAMPLES) >= 3
    for path in EXAMPLES:
        assert path.read_text().startswith("# ")
        assert re.search(r"^query [A-Z]\w+ \{$", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("query", [path.read_text() for path in EXAMPLES], ids=[path.stem for path in EXAMPLES])
async def test_example_returns_data(demo_api: Api, query: str) -> None:
    data = await demo_api.data(query)
    assert data["clients"]["nodes"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_part_of_the_built_page(path: Path) -> None:
    """After changing an example, run `make graphiql`."""
    line = path.read_text().splitlines()[0]
    built_examples = (gzip.decompress(file.read_bytes()).decode() for file in FOLDER.glob("assets/*.js.gz"))
    assert any(line in text for text in built_examples)
