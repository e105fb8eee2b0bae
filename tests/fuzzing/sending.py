"""Sending hostile requests to a server process, one after the other, and judging what it answers."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fuzzing.http_requests import TOKEN, Request
from tests.sockets import BOUND_S

BODILESS = {204, 304}
FAULT = "INTERNAL_SERVER_ERROR"
GOES_ON = 100  # statuses below 200 announce another answer


@dataclass
class Answer:
    """What came back: nothing at all has the status 0."""

    status: int
    body: bytes = b""
    is_last: bool = True

    def fault(self, sent: Request) -> str | None:
        """Why this is no answer that anybody may get; None for one that is."""
        if self.status == 0:
            return "no answer" if sent.is_whole else None
        if self.status == 500:
            return "HTTP 500"
        if sent.method == b"HEAD" or self.status in BODILESS or not self.body:
            return None if sent.method == b"HEAD" or self.status < 400 else "an error without a body"
        try:
            said = json.loads(self.body)
        except ValueError:
            return "an error that is not JSON" if self.status >= 400 else None
        return self._uncoded(said)

    def _uncoded(self, said: object) -> str | None:
        errors = said.get("errors", []) if isinstance(said, dict) else []
        codes = [error.get("extensions", {}).get("code") for error in errors]
        if FAULT in codes:
            return FAULT
        if not all(isinstance(code, str) for code in codes):
            return "an error without a code"
        return "an error without errors" if self.status >= 400 and not codes else None


@dataclass
class Sender:
    """One connection for each caller, opened again where the server closed it."""

    port: int
    tokens: Mapping[str, str]
    _open: dict[str | None, socket.socket] = field(default_factory=dict)

    def send(self, sent: Request) -> Answer:
        """Give the answer; one that does not come in half a minute is none."""
        raw = sent.raw.replace(TOKEN, self.tokens[sent.role].encode()) if sent.role else sent.raw
        if not sent.is_whole:
            return self._sent_alone(raw)
        for is_old in (sent.role in self._open, False):
            connection = self._open.get(sent.role) or self._connect()
            self._open[sent.role] = connection
            answer = self._exchanged(connection, raw, is_head=sent.method == b"HEAD")
            if answer.is_last:
                self._open.pop(sent.role).close()
            if answer.status or not is_old:
                return answer
        return Answer(0)

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _sent_alone(self, raw: bytes) -> Answer:
        """On a connection of its own. What is not whole is ended by the client, so that the server need not wait for the rest."""
        with self._connect() as connection:
            return self._exchanged(connection, raw, is_head=raw.startswith(b"HEAD"), is_ended=True)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), BOUND_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _exchanged(self, connection: socket.socket, raw: bytes, *, is_head: bool, is_ended: bool = False) -> Answer:
        try:
            connection.sendall(raw)
            if is_ended:
                connection.shutdown(socket.SHUT_WR)
            return _read(connection, is_head=is_head)
        except (BrokenPipeError, ConnectionResetError):
            return Answer(0)


def _read(connection: socket.socket, *, is_head: bool) -> Answer:
    """The next answer that is final."""
    held = b""
    while True:
        while b"\r\n\r\n" not in held:
            if not (more := connection.recv(2**16)):
                return Answer(0)
            held += more
        head, _, held = held.partition(b"\r\n\r\n")
        first, *lines = head.lower().split(b"\r\n")
        status = int(first.split()[1])
        if status >= 2 * GOES_ON:
            break
    headers = dict(line.split(b": ", 1) for line in lines)
    length = 0 if is_head or status in BODILESS else int(headers.get(b"content-length", b"0"))
    while len(held) < length:
        if not (more := connection.recv(2**20)):
            return Answer(0)
        held += more
    return Answer(status, held[:length], headers.get(b"connection") == b"close")


def check(sender: Sender, sent: Request) -> Answer:
    """Send it, and fail with all that it takes to send it again where the answer is none that anybody may get."""
    fault: str | None
    try:
        answer = sender.send(sent)
    except TimeoutError:
        sender.close()
        answer, fault = Answer(0), f"neither an answer nor an end within {BOUND_S} seconds"
    else:
        fault = answer.fault(sent)
    if fault:
        raise AssertionError(f"{fault}: {answer.status} {answer.body[:300]!r}\n{str(sent)[:4000]}")
    return answer
