"""Serve GraphiQL, an editor for queries in the browser, from our own build, which loads nothing from other servers."""

import gzip
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from server.graphiql.loopback import is_own_machine
from server.graphiql.sign_in import BrowserSignIn
from server.http.conditional import entity_tag, has_current
from server.http.error_responses import NOT_FOUND, error_response
from server.http.negotiation import accepts_gzip

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
IMMUTABLE = "public, max-age=31536000, immutable"  # the name of an asset changes with its content


@dataclass(frozen=True)
class File:
    """A file of the build, stored gzipped."""

    gzip_bytes: bytes
    media_type: str

    def respond(self, request: Request, **headers: str) -> Response:
        headers |= {"Vary": "Accept-Encoding", **SECURITY_HEADERS}
        if accepts_gzip(", ".join(request.headers.getlist("accept-encoding"))):
            return Response(self.gzip_bytes, headers={**headers, "Content-Encoding": "gzip"}, media_type=self.media_type)
        return Response(gzip.decompress(self.gzip_bytes), headers=headers, media_type=self.media_type)


def build_routes(browser: BrowserSignIn | None) -> list[Route]:
    """Build the routes of the page.

    With `browser`, a browser on the same machine that sends the code of this server start gets the demo's token.
    """
    files = {path.stem: File(path.read_bytes(), MEDIA_TYPES[Path(path.stem).suffix]) for path in ASSETS.glob("*.gz")}
    page = files.pop("index.html")
    tag = entity_tag(page.gzip_bytes)

    async def show_page(request: Request) -> Response:
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if has_current(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers={**headers, **SECURITY_HEADERS})
        return page.respond(request, **headers)

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
