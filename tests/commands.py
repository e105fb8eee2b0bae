"""Running the program as a person does: as a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent
PROGRAM = BIN / "relaties"


def environment(**more: str) -> dict[str, str]:
    """Nothing of the machine's but where programs and the home are; settings as given."""
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": os.environ["HOME"], "PYTHONUNBUFFERED": "1", **more}


def relaties(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own program
        [PROGRAM, *arguments], env=environment(**settings), text=True, capture_output=True, check=False, timeout=120
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
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
    """A running `relaties serve` and what it has printed so far."""

    def __init__(self, command: list[str], port: int, settings: Mapping[str, str]) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.port = port
        self.printed = ""
        self.process = subprocess.Popen(  # noqa: S603 our own program
            command, env=environment(**settings), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )

    def wait(self, said: str) -> str:
        """The line with these words, once it is printed; a failure with all that was printed when the program ends first."""
        for line in self.process.stdout or ():
            self.printed += line
            if said in line:
                return line
        raise AssertionError(self.printed)

    def end(self, how: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.printed += (self.process.stdout.read() if self.process.stdout else "") or ""
        if self.process.stdout:
            self.process.stdout.close()
        return self.process.wait(60)


def token_in(printed: str) -> str:
    found = re.search(r"rlt_[A-Za-z0-9_-]{43}", printed)
    assert found, printed
    return found.group()
