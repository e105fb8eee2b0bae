"""Running the program as a person does: as a process of its own."""

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

from tests.nobody import WAYS

BIN = Path(sys.executable).parent
PROGRAM = BIN / "relaties"
PATIENCE_S = 120


def environment(**more: str) -> dict[str, str]:
    """Nothing of the machine's but where programs and the home are; settings as given."""
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": os.environ["HOME"], "PYTHONUNBUFFERED": "1", **WAYS, **more}


def relaties(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own program
        [PROGRAM, *arguments], env=environment(**settings), text=True, capture_output=True, check=False, timeout=120
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_pair_of_ports() -> int:
    """Return a free port whose next one is free too: the second worker serves its metrics there."""
    while True:
        port = free_port()
        with socket.socket() as probe, suppress(OSError, OverflowError):
            probe.bind(("127.0.0.1", port + 1))
            return port


@contextmanager
def serving(*arguments: str, **settings: str) -> Iterator["Serving"]:
    """A server that answers; stopped as by Ctrl-C at the end."""
    port = free_port()
    started = Serving([str(PROGRAM), "serve", "--port", str(port), *arguments], port, settings)
    try:
        started.wait("answers at")
        yield started
    finally:
        started.end(signal.SIGINT)


class Serving:
    """A running `relaties serve` and what it has printed so far; its log apart from that, where a file is given for it."""

    def __init__(self, command: list[str], port: int, settings: Mapping[str, str], log: IO[str] | int = subprocess.STDOUT) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.port = port
        self._lines = list[str]()
        self._seen = 0
        self._is_over = False
        self._read = Condition()
        self.process = subprocess.Popen(  # noqa: S603 our own program
            command, env=environment(**settings), text=True, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        self._reader = Thread(target=self._follow, daemon=True)  # a pipe that nobody empties would stop the server
        self._reader.start()

    @property
    def printed(self) -> str:
        return "".join(self._lines)

    def wait(self, said: str) -> str:
        """The line with these words, once it is printed; a failure with all that was printed when the program ends first."""
        with self._read:
            while self._read.wait_for(lambda: self._seen < len(self._lines) or self._is_over, PATIENCE_S) and self._seen < len(self._lines):
                self._seen += 1
                if said in self._lines[self._seen - 1]:
                    return self._lines[self._seen - 1]
        raise AssertionError(self.printed)

    def end(self, how: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        self._reader.join()
        return self.process.wait(60)

    def _follow(self) -> None:
        with self.process.stdout or nullcontext(()) as printed:
            for line in printed:
                with self._read:
                    self._lines.append(line)
                    self._read.notify_all()
        with self._read:
            self._is_over = True
            self._read.notify_all()


def token_in(printed: str) -> str:
    found = re.search(r"rlt_[A-Za-z0-9_-]{43}", printed)
    assert found, printed
    return found.group()
