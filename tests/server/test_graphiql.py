"""GraphiQL: what the page is guarded by, to whom it is served and how, and whether its examples work."""

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
from tests.ask import Api, connected

FOLDER = Path(pages.__file__).parent
EXAMPLES = sorted(FOLDER.glob("examples/*.graphql"))
TOKEN = "rlt_of_the_demo"
BROWSER = BrowserSignIn(TOKEN)
CODE = {"x-graphiql-code": BROWSER.code}
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def browser(peer: str = "127.0.0.1", host: str = "127.0.0.1:8000") -> httpx.AsyncClient:
    """A browser somewhere, on the page of a server with the demo."""
    served = Starlette(routes=pages.build_routes(BROWSER))
    return httpx.AsyncClient(transport=httpx.ASGITransport(served, client=(peer, 50_000)), base_url=f"http://{host}")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with browser() as client:
        yield client


def assets() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("assets/*.gz") if path.stem != "index.html")


@pytest.mark.parametrize("path", ["/", "/graphiql", "/graphiql/config", f"/graphiql/assets/{assets()[0]}", "/graphiql/assets/no.js"])
async def test_everything_is_guarded(http: httpx.AsyncClient, path: str) -> None:
    """The policy lets nothing in from elsewhere, and nothing out."""
    headers = (await http.get(path)).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_the_front_door_leads_to_the_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/", follow_redirects=True)
    assert [step.status_code for step in answer.history] == [302]
    assert "<title>Relaties</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_page_that_is_known_is_not_sent_again(http: httpx.AsyncClient) -> None:
    tag = (await http.get("/graphiql")).headers["etag"]
    again = await http.get("/graphiql", headers={"if-none-match": tag})
    other = await http.get("/graphiql", headers={"if-none-match": 'W/"other"'})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


async def test_the_page_names_only_files_that_are_there(http: httpx.AsyncClient) -> None:
    """And no other server."""
    page = (await http.get("/graphiql")).text
    named = re.findall(r'(?:src|href)="(?!data:)(.*?)"', page)
    assert named
    assert [(await http.get(name)).status_code for name in named] == [200] * len(named)
    assert TOKEN not in page


@pytest.mark.parametrize("name", assets())
async def test_a_file_is_the_same_with_and_without_gzip(http: httpx.AsyncClient, name: str) -> None:
    """Gzipped as it lies on the disk, or unpacked for who does not take that."""
    packed = await http.get(f"/graphiql/assets/{name}", headers={"accept-encoding": "br, gzip"})
    plain = await http.get(f"/graphiql/assets/{name}", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == (FOLDER / "assets" / f"{name}.gz").stat().st_size
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("end", "kind"), [(".js", "text/javascript; charset=utf-8"), (".css", "text/css; charset=utf-8"), (".ttf", "font/ttf")]
)
async def test_a_file_says_what_it_is(http: httpx.AsyncClient, end: str, kind: str) -> None:
    """A browser that is told not to guess must be told."""
    found = [name for name in assets() if name.endswith(end)]
    assert found
    assert {(await http.get(f"/graphiql/assets/{name}")).headers["content-type"] for name in found} == {kind}


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("deflate;q=1,gzip", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("br", False),
        ("", False),
    ],
)
def test_who_takes_gzip(accepted: str, is_taken: bool) -> None:
    assert pages.accepts_gzip(accepted) == is_taken


@pytest.mark.parametrize(
    "path", ["no.js", "index.html", "../__init__.py", "..%2f__init__.py", "%2e%2e/main.jsx", "..%5cmain.jsx", "/etc/passwd", "", "a%00.js"]
)
async def test_nothing_else_is_served(http: httpx.AsyncClient, path: str) -> None:
    """Names are looked up among those known at the start; no path is made of one."""
    assert (await http.get(f"/graphiql/assets/{path}")).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8123", "LOCALHOST", "[::1]:8000"])
@pytest.mark.parametrize("site", [None, "same-origin", "none"])
async def test_the_machine_itself_is_given_the_token(host: str, site: str | None) -> None:
    async with browser() as http:
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
async def test_no_other_site_and_no_proxy_is_given_the_token(headers: dict[str, str]) -> None:
    """Another name for this machine is how a site abroad reaches it through one's own browser."""
    async with browser() as http:
        assert (await http.get("/graphiql/config", headers=CODE | headers)).json() == {"token": None}


@pytest.mark.parametrize("peer", ["192.168.1.7", "10.0.0.1", "2001:db8::1", "::ffff:192.168.1.7"])
async def test_no_other_machine_is_given_the_token(peer: str) -> None:
    async with browser(peer) as http:
        assert (await http.get("/graphiql/config", headers=CODE)).json() == {"token": None}


@pytest.mark.parametrize(
    "code",
    [None, "", BROWSER.code[:-1], f"{BROWSER.code}A", BROWSER.code.swapcase(), BrowserSignIn(TOKEN).code, TOKEN, "\u00e9" * 43],
    ids=["none", "empty", "shorter", "longer", "other case", "of another start", "the token", "not ASCII"],
)
async def test_without_the_code_of_this_start_no_token_is_given(code: str | None) -> None:
    """A local process and a proxy on this machine look like a person's own browser in all else."""
    async with browser() as http:
        headers = {} if code is None else {b"x-graphiql-code": code.encode("latin-1")}
        answer = await http.get("/graphiql/config", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"token": None})


def test_code_is_random_and_shown_nowhere() -> None:
    assert len({BrowserSignIn(TOKEN).code for _ in range(100)}) == 100
    assert len(BROWSER.code) == 43
    assert BROWSER.code not in repr(BROWSER)
    assert TOKEN not in repr(BROWSER)


@pytest.mark.parametrize(
    ("env", "is_embedded", "is_given"),
    [("development", True, True), ("development", False, False), ("production", True, False), ("production", False, False)],
)
def test_only_the_demo_beside_the_embedded_server_is_signed_in_to(env: str, is_embedded: bool, is_given: bool) -> None:
    """In a database of one's own the demo's token is one among others', and production has no demo to show."""
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
async def test_where_the_page_is_there(schema: strawberry.Schema, database: Database, settings: dict[str, object], status: int) -> None:
    """On in development, off in production, and as the setting says where it says so; nothing of it is left where it is off."""
    async with connected(schema, database, Settings.model_validate(settings)) as http:
        found = [
            await http.get(path, follow_redirects=True)
            for path in ("/", "/graphiql", "/graphiql/config", f"/graphiql/assets/{assets()[0]}")
        ]
        assert [answer.status_code for answer in found] == [status] * 4
        assert not any("rlt_" in answer.text for answer in found)


def test_there_are_examples() -> None:
    """Each begins by telling what it shows, and is named as its tab will be."""
    assert len(EXAMPLES) >= 3
    for path in EXAMPLES:
        assert path.read_text().startswith("# ")
        assert re.search(r"^query [A-Z]\w+ \{$", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("query", [path.read_text() for path in EXAMPLES], ids=[path.stem for path in EXAMPLES])
async def test_an_example_has_an_answer(demo_api: Api, query: str) -> None:
    """Without errors, and with clients in it."""
    data = await demo_api.data(query)
    assert data["clients"]["nodes"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_the_one_that_was_built(path: Path) -> None:
    """One who changes an example builds the page again: `make graphiql`."""
    line = path.read_text().splitlines()[0]
    built = (gzip.decompress(file.read_bytes()).decode() for file in FOLDER.glob("assets/*.js.gz"))
    assert any(line in text for text in built)
