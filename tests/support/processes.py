"""Run the program as a user does, in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Condition, Thread
from typing import IO

from tests.support.environment import KEPT_SETTINGS

BIN = Path(sys.executable).parent
PROGRAM = BIN / "relaties"
TIMEOUT_S = 120
NO_JOB_WORKERS = {"RELATIES_JOB_WORKERS": "0"}


def build_environment(**more: str) -> dict[str, str]:
    """Return an environment that has only the path, the home folder and the given settings. By default no job worker is started."""
    base = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": os.environ["HOME"], "PYTHONUNBUFFERED": "1"}
    return {**base, **NO_JOB_WORKERS, **KEPT_SETTINGS, **more}


def run_relaties(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own program
        [PROGRAM, *arguments], env=build_environment(**settings), text=True, capture_output=True, check=False, timeout=120
    )


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find_free_port_pair() -> int:
    """Return a free port whose next port is free too, because the second worker serves its metrics there."""
    while True:
        port = find_free_port()
        with socket.socket() as probe, suppress(OSError, OverflowError):
            probe.bind(("127.0.0.1", port + 1))
            return port


@contextmanager
def run_server(*arguments: str, **settings: str) -> Iterator["ServerProcess"]:
    """Run a server and yield it once it answers. Stop it at the end as Ctrl-C does."""
    port = find_free_port()
    process = ServerProcess([str(PROGRAM), "serve", "--port", str(port), *arguments], port, settings)
    try:
        process.wait_for_output("answers at")
        yield process
    finally:
        process.stop(signal.SIGINT)


class ServerProcess:
    """A running `relaties serve` and its output. Its log is in the output too, unless a file is given."""

    def __init__(self, command: list[str], port: int, settings: Mapping[str, str], log: IO[str] | int = subprocess.STDOUT) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.port = port
        self._output_lines = list[str]()
        self._read_count = 0
        self._has_ended = False
        self._output_changed = Condition()
        self.process = subprocess.Popen(  # noqa: S603 our own program
            command, env=build_environment(**settings), text=True, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        self._reader = Thread(target=self._read_output, daemon=True)  # the server would block once the pipe is full
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self._output_lines)

    def wait_for_output(self, text: str) -> str:
        """Return the next output line that contains the text. Fail with the whole output if the program ends first."""
        with self._output_changed:
            while self._output_changed.wait_for(
                lambda: self._read_count < len(self._output_lines) or self._has_ended, TIMEOUT_S
            ) and self._read_count < len(self._output_lines):
                self._read_count += 1
                if text in self._output_lines[self._read_count - 1]:
                    return self._output_lines[self._read_count - 1]
        raise AssertionError(self.output)

    def stop(self, signal_number: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        self._reader.join()
        return self.process.wait(60)

    def _read_output(self) -> None:
        with self.process.stdout or nullcontext(()) as output:
            for line in output:
                with self._output_changed:
                    self._output_lines.append(line)
                    self._output_changed.notify_all()
        with self._output_changed:
            self._has_ended = True
            self._output_changed.notify_all()


def extract_token(output: str) -> str:
    match = re.search(r"rlt_[A-Za-z0-9_-]{43}", output)
    assert match, output
    return match.group()
