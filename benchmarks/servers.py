"""The servers that are compared, each a process of its own on a loopback port: uvicorn with uvloop and httptools, one worker."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import psutil

from benchmarks.load import Target
from benchmarks.place import Place

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PATIENCE_S = 30
# So that one organization can ask as much as it likes: the checks are made all the same.
RAISED = {f"RELATIES_{name}": str(10**9) for name in ("MAX_COST", "POINTS", "POINTS_PER_SECOND")} | {
    "RELATIES_RUNNING_OF_ONE": "8",
    "RELATIES_LOG": "json",
}
UVICORN = "--loop uvloop --http httptools --lifespan off --log-level warning --no-access-log --no-server-header"


@contextmanager
def all_running(place: Place) -> Iterator[dict[str, tuple[Target, psutil.Process]]]:
    """Ours as `relaties serve` has it: token, row level security, limits, logs. The peers as owner, without any of them.

    The bound answers Q1 alone, with what stands in `place.answer`.
    """
    ours = {"DATABASE_URL": place.runtime_url, "RELATIES_DATA_DIR": str(place.data_dir), **RAISED}
    theirs = {"RELATIES_OWNER_URL": place.owner_url, "PYTHONPATH": str(ROOT)}
    bare = {"DATABASE_URL": place.runtime_url, "BOUND_ANSWER": str(place.answer), "PYTHONPATH": str(ROOT)}
    peer, bound = (["uvicorn", f"benchmarks.{name}:app", *UVICORN.split()] for name in ("peer", "bound"))
    with ExitStack() as stack:
        yield {
            "ours": stack.enter_context(_running("ours", ["relaties", "serve"], ours, place.token)),
            "ours, compiled": stack.enter_context(
                _running("ours, compiled", ["relaties", "serve"], ours | {"RELATIES_COMPILED": "true"}, place.token)
            ),
            "peer": stack.enter_context(_running("peer", peer, theirs)),
            "peer, cached": stack.enter_context(_running("peer, cached", peer, theirs | {"PEER_CACHED": "1"})),
            "bound": stack.enter_context(_running("bound", bound, bare)),
        }


@contextmanager
def ours_running(place: Place, **settings: str) -> Iterator[tuple[Target, psutil.Process]]:
    """Ours alone, one worker, with its limits as they are unless told otherwise."""
    found = {"DATABASE_URL": place.runtime_url, "RELATIES_DATA_DIR": str(place.data_dir)}
    with _running("ours", ["relaties", "serve"], found | settings, place.token) as running:
        yield running


@contextmanager
def _running(name: str, command: list[str], settings: dict[str, str], token: str | None = None) -> Iterator[tuple[Target, psutil.Process]]:
    port = _free_port()
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with TemporaryFile() as said:  # a line for each request
        process = psutil.Popen(
            [str(BIN / command[0]), *command[1:], "--port", str(port)],
            env=kept | settings,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            if not _answers(process, port):
                said.seek(0)
                raise RuntimeError(said.read().decode())
            yield Target(name, port, token), process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _answers(process: psutil.Popen, port: int) -> bool:
    """Once it does; it may end instead, or never come to it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
