"""A request as the endpoint looks at it: read from ASGI's own form, and only what is asked for."""

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope


class Request:
    """Its body is still to be received."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.receive = receive
        self._scope = scope
        self._first: dict[bytes, bytes] = dict(reversed([*scope["headers"]]))

    def header(self, name: bytes) -> str | None:
        """The first of that name."""
        found = self._first.get(name)
        return None if found is None else found.decode("latin-1")

    def headers(self, name: bytes) -> list[str]:
        """All of that name."""
        return [value.decode("latin-1") for each, value in self._scope["headers"] if each == name]

    @property
    def address(self) -> str:
        """Of whoever sent it, as far as it is known."""
        client = self._scope.get("client")
        return client[0] if client else ""

    @property
    def parameters(self) -> QueryParams:
        """Those behind the `?` of its address."""
        return QueryParams(self._scope["query_string"])
