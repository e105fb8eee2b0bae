"""Serve GraphiQL, to explore the API in a browser, from our own build: it loads nothing from other servers."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from server.graphiql.loopback import is_own_machine
from server.graphiql.sign_in import BrowserSignIn
from server.http.error_responses import NOT_FOUND, error_response

ASSETS = Path(__file__).parent / "assets"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
}
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
        "font-src 'self' data:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
CODE_HEADER = "x-graphiql-code"
IMMUTABLE = "public, max-age=31536000, immutable"  # its name changes with its content


@dataclass(frozen=True)
class File:
    """A built file, gzipped as it is stored."""

    gzip_bytes: bytes
    media_type: str

    def respond(self, request: Request, **headers: str) -> Response:
        headers |= {"Vary": "Accept-Encoding", **SECURITY_HEADERS}
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            return Response(self.gzip_bytes, headers={**headers, "Content-Encoding": "gzip"}, media_type=self.media_type)
        return Response(gzip.decompress(self.gzip_bytes), headers=headers, media_type=self.media_type)


def build_routes(browser: BrowserSignIn | None) -> list[Route]:
    """Build the routes of the page. The demo's token is sent to a browser on the same machine, for the code of this start."""
    files = {path.stem: File(path.read_bytes(), MEDIA_TYPES[Path(path.stem).suffix]) for path in ASSETS.glob("*.gz")}
    page = files.pop("index.html")
    tag = f'W/"{sha256(page.gzip_bytes).hexdigest()[:32]}"'

    async def show_page(request: Request) -> Response:
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        is_current = tag in request.headers.get("if-none-match", "")
        return Response(status_code=304, headers={**headers, **SECURITY_HEADERS}) if is_current else page.respond(request, **headers)

    async def asset(request: Request) -> Response:
        file = files.get(request.path_params["name"])
        return file.respond(request, **{"Cache-Control": IMMUTABLE}) if file else error_response(NOT_FOUND, SECURITY_HEADERS)

    async def config(request: Request) -> Response:
        token = browser.token_for(request.headers.get(CODE_HEADER, "")) if browser and is_own_machine(request) else None
        return JSONResponse({"token": token}, headers={"Cache-Control": "no-store", **SECURITY_HEADERS})

    async def home(_request: Request) -> Response:
        return RedirectResponse("/graphiql", 302, headers=SECURITY_HEADERS)

    return [
        Route("/", home),
        Route("/graphiql", show_page),
        Route("/graphiql/config", config),
        Route("/graphiql/assets/{name}", asset),
    ]


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether the header Accept-Encoding names gzip, with a weight above 0."""
    for each in accept_encoding.lower().split(","):
        name, _, weight = each.partition(";")
        if name.strip() == "gzip":
            return weight.strip() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
