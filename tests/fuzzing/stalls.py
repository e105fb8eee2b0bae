"""A server that says how long its event loop was busy without a pause: `python -m tests.fuzzing.stalls serve_requests …`.

A task sleeps for a hundredth of a second, again and again. The processor time of the event loop's thread between two of its turns was
spent without a pause for others. The clock is that of the thread: other programs on the machine do not count.
"""

import asyncio
import socket
import sys
import time

from server.cli.entry import main
from server.runtime import process
from server.settings import Settings

EVERY_S = 0.01
LONG_MS = 100
MARK = "the event loop was busy for"


async def _watch() -> None:
    had = time.thread_time()
    while True:
        await asyncio.sleep(EVERY_S)
        now = time.thread_time()
        if (busy_ms := (now - had) * 1000) > LONG_MS:
            sys.stdout.write(f"{MARK} {busy_ms:.0f} ms\n")
            sys.stdout.flush()
        had = now


async def _watched(settings: Settings, runtime_url: str, listener: socket.socket, startup_info: process.StartupInfo) -> None:
    served = asyncio.create_task(_SERVE(settings, runtime_url, listener, startup_info))
    watching = asyncio.create_task(_watch())
    try:
        await served
    finally:
        watching.cancel()


_SERVE = process.serve_requests

if __name__ == "__main__":
    process.serve_requests = _watched
    main()
