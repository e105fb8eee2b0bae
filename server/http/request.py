"""A request of the endpoint, which reads from the ASGI scope only what is needed."""

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope


class Request:
    """A request whose body is still to be received."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.receive = receive
        self._scope = scope
        self._header_by_name: dict[bytes, bytes] = dict(reversed([*scope["headers"]]))

    def header(self, name: bytes) -> str | None:
        """Return the first header of that name."""
        value = self._header_by_name.get(name)
        return None if value is None else value.decode("latin-1")

    def headers(self, name: bytes) -> list[str]:
        """Return all headers of that name."""
        return [value.decode("latin-1") for each, value in self._scope["headers"] if each == name]

    @property
    def address(self) -> str:
        """The address of the client, if known."""
        client = self._scope.get("client")
        return client[0] if client else ""

    @property
    def parameters(self) -> QueryParams:
        """The parameters of the query string."""
        return QueryParams(self._scope["query_string"])
