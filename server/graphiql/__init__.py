"""GraphiQL, to explore the API in a browser: a page of our own making, which asks nothing of any other server."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from server.browser import BrowserSignIn
from server.graphiql.loopback import is_own_machine
from server.unrouted import NOT_FOUND, refusal

ASSETS = Path(__file__).parent / "assets"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
}
GUARDED = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
        "font-src 'self' data:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
CODE = "x-graphiql-code"
FOR_EVER = "public, max-age=31536000, immutable"  # its name changes with its content


@dataclass(frozen=True)
class File:
    """A built file as it lies on the disk: gzipped."""

    packed: bytes
    kind: str

    def answer(self, request: Request, **headers: str) -> Response:
        headers |= {"Vary": "Accept-Encoding", **GUARDED}
        if takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(self.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=self.kind)
        return Response(gzip.decompress(self.packed), headers=headers, media_type=self.kind)


def routes(browser: BrowserSignIn | None) -> list[Route]:
    """The page and what belongs to it. The demo's token is given to a browser on the machine that serves, for the code of this start."""
    files = {path.stem: File(path.read_bytes(), KINDS[Path(path.stem).suffix]) for path in ASSETS.glob("*.gz")}
    page = files.pop("index.html")
    tag = f'W/"{sha256(page.packed).hexdigest()[:32]}"'

    async def shown(request: Request) -> Response:
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        is_known = tag in request.headers.get("if-none-match", "")
        return Response(status_code=304, headers={**headers, **GUARDED}) if is_known else page.answer(request, **headers)

    async def asset(request: Request) -> Response:
        found = files.get(request.path_params["name"])
        return found.answer(request, **{"Cache-Control": FOR_EVER}) if found else refusal(NOT_FOUND, GUARDED)

    async def config(request: Request) -> Response:
        token = browser.token_for(request.headers.get(CODE, "")) if browser and is_own_machine(request) else None
        return JSONResponse({"token": token}, headers={"Cache-Control": "no-store", **GUARDED})

    async def home(_request: Request) -> Response:
        return RedirectResponse("/graphiql", 302, headers=GUARDED)

    return [
        Route("/", home),
        Route("/graphiql", shown),
        Route("/graphiql/config", config),
        Route("/graphiql/assets/{name}", asset),
    ]


def takes_gzip(accepted: str) -> bool:
    """Whether the header Accept-Encoding names gzip, and not with a weight of nought."""
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        if name.strip() == "gzip":
            return weight.strip() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
