"""Request of the endpoint, which reads only what it needs from the ASGI scope."""

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope


class Request:
    """Method, headers and parameters of a request, with `receive` for its body."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.receive = receive
        self._scope = scope
        self._header_by_name: dict[bytes, bytes] = dict(reversed([*scope["headers"]]))

    def header(self, name: bytes) -> str | None:
        """Return the first header with this name, which is in lower case, or None."""
        value = self._header_by_name.get(name)
        return None if value is None else value.decode("latin-1")

    def headers(self, name: bytes) -> list[str]:
        """Return all headers with this name, which is in lower case."""
        return [value.decode("latin-1") for each, value in self._scope["headers"] if each == name]

    @property
    def address(self) -> str:
        """Return the address of the client, or an empty string if it is unknown."""
        client = self._scope.get("client")
        return client[0] if client else ""

    @property
    def parameters(self) -> QueryParams:
        """Return the parameters of the query string."""
        return QueryParams(self._scope["query_string"])
