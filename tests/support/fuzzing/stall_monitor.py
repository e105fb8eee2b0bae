"""Run a server that reports how long its event loop was blocked: `python -m tests.support.fuzzing.stall_monitor serve …`.

A task sleeps for 10 ms again and again. The processor time of the event loop's thread between two wake-ups was spent without
yielding to other tasks. The clock is that of the thread, so other programs on the machine do not count.
"""

import asyncio
import socket
import sys
import time

from server.cli.entry import main
from server.runtime import process
from server.settings import Settings

INTERVAL_S = 0.01
STALL_MS = 100
MARK = "the event loop was busy for"


async def _watch_loop() -> None:
    last_time = time.thread_time()
    while True:
        await asyncio.sleep(INTERVAL_S)
        now = time.thread_time()
        if (busy_ms := (now - last_time) * 1000) > STALL_MS:
            sys.stdout.write(f"{MARK} {busy_ms:.0f} ms\n")
            sys.stdout.flush()
        last_time = now


async def _serve_and_watch(settings: Settings, listener: socket.socket, startup_info: process.StartupInfo) -> None:
    serve_task = asyncio.create_task(_SERVE(settings, listener, startup_info))
    watching = asyncio.create_task(_watch_loop())
    try:
        await serve_task
    finally:
        watching.cancel()


_SERVE = process.serve_requests

if __name__ == "__main__":
    process.serve_requests = _serve_and_watch
    main()
