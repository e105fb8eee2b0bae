"""The way out of a connection: how an answer leaves, and how the connection ends after it."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Door(asyncio.Transport):
    """A transport as those who answer see it: to close it is to ask the guard, who lets the client finish first.

    Written to is the transport itself, with nothing between: that is done twice an answer.
    """

    def __init__(self, transport: asyncio.Transport, closed: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.write = transport.write  # type: ignore[method-assign]
        self.is_left = False
        self._transport = transport
        self._closed = closed
        self._loop = loop
        self._held = 0.0
        self._held_since: float | None = None

    def clock(self) -> float:
        """The time, less that for which nothing was read: no client is blamed for what we did not take."""
        return (self._loop.time() if self._held_since is None else self._held_since) - self._held

    def close(self) -> None:
        self._closed()

    def leave(self, *, is_client_sending: bool) -> None:
        """Nothing is said any more. A client that is still sending is told so, and read on."""
        self._silence()  # with data unread, closing would reset the connection and overtake the last answer
        if is_client_sending and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Resets the connection: otherwise the system would hold on to it, with all that is unread, for as long as it sees fit."""
        self._silence()
        with suppress(OSError):  # it may be reset already
            self.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _silence(self) -> None:
        self.is_left = True
        self.write = _unheard  # type: ignore[method-assign, assignment]

    def is_closing(self) -> bool:
        return self.is_left or self._transport.is_closing()

    def pause_reading(self) -> None:
        self._held_since = self._loop.time()
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._held, self._held_since = self._loop.time() - self.clock(), None
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 asyncio's
        return self._transport.get_extra_info(name, default)


def _unheard(_data: object) -> None:
    """The connection is left: what is said now reaches nobody."""
