"""A transport whose `close()` lingers until the client has read the last response."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from server.runtime.deadlines import ConnectionDeadlines


class LingeringTransport(asyncio.Transport):
    """Transport of a connection whose `close()` calls the protocol, which closes once the client has finished.

    `write` is the method of the inner transport itself, without a wrapper, because each response calls it twice.
    """

    def __init__(
        self, transport: asyncio.Transport, on_close: Callable[[], None], deadlines: ConnectionDeadlines, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__()
        self.write = transport.write  # type: ignore[method-assign]
        self.is_lingering = False
        self._transport = transport
        self._on_close = on_close
        self._deadlines = deadlines
        self._loop = loop

    def close(self) -> None:
        self._on_close()

    def linger(self, *, is_client_sending: bool) -> None:
        """Stop writing. If the client is still sending, send EOF and keep reading."""
        self._discard_writes()
        # If data is unread, closing resets the connection, and the reset can reach the client before the last response does.
        if is_client_sending and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection. A plain close would leave it, with all unread data, to the system for an unknown time."""
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
        self._deadlines.pause_reading(self._loop.time())
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._deadlines.resume_reading(self._loop.time())
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 asyncio's
        return self._transport.get_extra_info(name, default)


def _discard(_data: object) -> None:
    """Discard data written after the last response."""
