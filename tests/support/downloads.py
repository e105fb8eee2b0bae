"""Drive a download step by step, as a client does that reads slowly."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

TIMEOUT_S = 60


def has_content(message: Message) -> bool:
    """Return whether the message has a part of the file."""
    return bool(message.get("body"))


@dataclass
class SlowDownload:
    """A GET request whose client reads nothing until `resume`. The server waits with each message, as it does for a full buffer."""

    app: ASGIApp
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    def start(self) -> "asyncio.Task[None]":
        self._is_reading, self._is_paused, self._is_disconnected = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.task = asyncio.ensure_future(self._run())
        return self.task

    async def _run(self) -> None:
        scope = {"type": "http", "method": "GET", "path": self.path, "raw_path": self.path.encode(), "query_string": b""}
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await self.app({**scope, "root_path": "", "headers": headers, "client": ("127.0.0.1", 1)}, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        await self._is_disconnected.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.messages.append(message)
        if has_content(message):
            self._is_paused.set()
            async with asyncio.timeout(TIMEOUT_S):
                await self._is_reading.wait()

    async def wait_until_paused(self) -> None:
        """Wait until the server has sent the first bytes of the file, and waits for the client to read them."""
        async with asyncio.timeout(TIMEOUT_S):
            await self._is_paused.wait()

    async def run(self) -> None:
        """Read the whole response at once."""
        self.start()
        self.resume()
        await self.task

    def resume(self) -> None:
        self._is_reading.set()

    async def disconnect(self) -> None:
        self._is_disconnected.set()
        await asyncio.sleep(0)
        self.resume()

    @property
    def content(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])

    @property
    def is_complete(self) -> bool:
        """Return whether the server has ended the response. Otherwise it closes the connection, and the client misses bytes."""
        return self.messages[-1]["type"] == "http.response.body" and not self.messages[-1].get("more_body", False)


async def run_paused(download: SlowDownload, action: Callable[[], Awaitable[object]]) -> None:
    """Run the action while the download waits for its client, then let the client read to the end."""
    download.start()
    await download.wait_until_paused()
    await action()
    download.resume()
    await download.task
