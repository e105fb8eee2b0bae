"""A transport whose `close()` lingers until the client has read the last response."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class LingeringTransport(asyncio.Transport):
    """The transport of a connection: `close()` asks the protocol, which lets the client finish first.

    Writes go to the transport itself, with nothing between: there are two for each response.
    """

    def __init__(self, transport: asyncio.Transport, on_close: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.write = transport.write  # type: ignore[method-assign]
        self.is_lingering = False
        self._transport = transport
        self._on_close = on_close
        self._loop = loop
        self._paused_seconds = 0.0
        self._paused_since: float | None = None

    def clock(self) -> float:
        """Return the time without pauses of reading: a client is not charged for bytes that the server did not read."""
        return (self._loop.time() if self._paused_since is None else self._paused_since) - self._paused_seconds

    def close(self) -> None:
        self._on_close()

    def linger(self, *, is_client_sending: bool) -> None:
        """Stop writing. If the client is still sending, send EOF and keep reading."""
        self._discard_writes()  # with data unread, closing would reset the connection and overtake the last answer
        if is_client_sending and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection: otherwise the system would keep it, with all unread data, for as long as it likes."""
        self._discard_writes()
        with suppress(OSError):  # it may be reset already
            self.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _discard_writes(self) -> None:
        self.is_lingering = True
        self.write = _discard  # type: ignore[method-assign, assignment]

    def is_closing(self) -> bool:
        return self.is_lingering or self._transport.is_closing()

    def pause_reading(self) -> None:
        self._paused_since = self._loop.time()
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._paused_seconds, self._paused_since = self._loop.time() - self.clock(), None
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 asyncio's
        return self._transport.get_extra_info(name, default)


def _discard(_data: object) -> None:
    """Discard data written after the last response."""
