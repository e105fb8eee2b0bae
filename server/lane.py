"""The fast lane: what nearly every request is goes straight to the endpoint; all else by the router, whose route is the same endpoint."""

from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/graphql"


class Lane:
    """In front of the application. All checks are the endpoint's, so that none is passed by."""

    def __init__(self, endpoint: ASGIApp, otherwise: ASGIApp) -> None:
        self.taken = 0
        self._endpoint = endpoint
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_plain(scope):
            self.taken += 1
            await self._endpoint(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)


def _is_plain(scope: Scope) -> bool:
    """A POST to the endpoint. A path that is to be shortened first is the router's."""
    return scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == PATH and not scope.get("root_path")
