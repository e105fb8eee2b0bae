"""Send hostile requests to a server process one after the other, and check its responses."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.fuzzing.http_requests import TOKEN, Request
from tests.support.raw_http import TIMEOUT_S

STATUSES_WITHOUT_BODY = {204, 304}
INTERNAL_ERROR_CODE = "INTERNAL_SERVER_ERROR"
FIRST_FINAL_STATUS = 200  # a response with a lower status is followed by another one


@dataclass
class Answer:
    """A response of the server. Its status is 0 if nothing came back."""

    status: int
    body: bytes = b""
    is_last: bool = True

    def find_fault(self, request: Request) -> str | None:
        """Return why this response is invalid, or None if it is valid."""
        if self.status == 0:
            return "no answer" if request.has_valid_framing else None
        if self.status == 500:
            return "HTTP 500"
        if request.method == b"HEAD" or self.status in STATUSES_WITHOUT_BODY or not self.body:
            return None if request.method == b"HEAD" or self.status < 400 else "an error without a body"
        try:
            body = json.loads(self.body)
        except ValueError:
            return "an error that is not JSON" if self.status >= 400 else None
        return self._find_code_fault(body)

    def _find_code_fault(self, body: object) -> str | None:
        errors = body.get("errors", []) if isinstance(body, dict) else []
        codes = [error.get("extensions", {}).get("code") for error in errors]
        if INTERNAL_ERROR_CODE in codes:
            return INTERNAL_ERROR_CODE
        if not all(isinstance(code, str) for code in codes):
            return "an error without a code"
        return "an error without errors" if self.status >= 400 and not codes else None


@dataclass
class Sender:
    """Send requests on one connection for each role. Connect again after the server has closed it."""

    port: int
    tokens: Mapping[str, str]
    _connections: dict[str | None, socket.socket] = field(default_factory=dict)

    def send(self, request: Request) -> Answer:
        """Send the request and return the response. Raises `TimeoutError` if none comes in half a minute."""
        raw = request.raw.replace(TOKEN, self.tokens[request.role].encode()) if request.role else request.raw
        if not request.has_valid_framing:
            return self._send_alone(raw)
        # The server may have closed an old connection; try once more on a new one.
        for is_old in (request.role in self._connections, False):
            connection = self._connections.get(request.role) or self._connect()
            self._connections[request.role] = connection
            answer = self._exchange(connection, raw, is_head=request.method == b"HEAD")
            if answer.is_last:
                self._connections.pop(request.role).close()
            if answer.status or not is_old:
                return answer
        return Answer(0)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _send_alone(self, raw: bytes) -> Answer:
        """Send on a new connection. Close the sending side, so that the server does not wait for the rest of an incomplete request."""
        with self._connect() as connection:
            return self._exchange(connection, raw, is_head=raw.startswith(b"HEAD"), closes_sending=True)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _exchange(self, connection: socket.socket, raw: bytes, *, is_head: bool, closes_sending: bool = False) -> Answer:
        try:
            connection.sendall(raw)
            if closes_sending:
                connection.shutdown(socket.SHUT_WR)
            return _read(connection, is_head=is_head)
        except (BrokenPipeError, ConnectionResetError):
            return Answer(0)


def _read(connection: socket.socket, *, is_head: bool) -> Answer:
    """Read the next final response, and skip informational ones such as `100 Continue`."""
    received_bytes = b""
    while True:
        while b"\r\n\r\n" not in received_bytes:
            if not (more := connection.recv(2**16)):
                return Answer(0)
            received_bytes += more
        head, _, received_bytes = received_bytes.partition(b"\r\n\r\n")
        first, *lines = head.lower().split(b"\r\n")
        status = int(first.split()[1])
        if status >= FIRST_FINAL_STATUS:
            break
    headers = dict(line.split(b": ", 1) for line in lines)
    length = 0 if is_head or status in STATUSES_WITHOUT_BODY else int(headers.get(b"content-length", b"0"))
    while len(received_bytes) < length:
        if not (more := connection.recv(2**20)):
            return Answer(0)
        received_bytes += more
    return Answer(status, received_bytes[:length], headers.get(b"connection") == b"close")


def check_response(sender: Sender, request: Request) -> Answer:
    """Send the request and return the response. If it is invalid, fail with everything that is needed to send the request again."""
    fault: str | None
    try:
        answer = sender.send(request)
    except TimeoutError:
        sender.close()
        answer, fault = Answer(0), f"no response within {TIMEOUT_S} seconds"
    else:
        fault = answer.find_fault(request)
    if fault:
        raise AssertionError(f"{fault}: {answer.status} {answer.body[:300]!r}\n{str(request)[:4000]}")
    return answer
