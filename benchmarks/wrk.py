"""Generate load with wrk: one thread with 16 keep-alive connections to loopback, for whole seconds.

wrk sends the bodies of a file one after the other. A marker in a body is replaced by a unique number, so that no body is sent twice.
"""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from benchmarks.load import CONNECTIONS, Target

SCRIPT = Path(__file__).with_suffix(".lua")
PATIENCE_S = 30
RUN_DIGITS, REQUEST_DIGITS = 20, 12
MARKER = "number-of-the-request".ljust(RUN_DIGITS + REQUEST_DIGITS, "-")


def new_run_number() -> str:
    """Return a number that no earlier run had, with the width that the script expects."""
    return f"{time.time_ns():0{RUN_DIGITS}}"


def fill_marker(body: str, run: str, request: int) -> str:
    """Return the body as the script sends it."""
    return body.replace(MARKER, f"{run}{request:0{REQUEST_DIGITS}}")


@dataclass(frozen=True)
class WrkResult:
    """The result of a window, as reported by wrk."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rps(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True)
class Wrk:
    """A load on a server: each connection sends its next request as soon as the last one is answered.

    `bodies` is a file with a body in each line, and `sizes` are the minimum sizes of their answers in bytes.
    """

    target: Target
    bodies: Path
    seconds: int
    sizes: Sequence[int]

    def execute(self) -> WrkResult:
        """Run one window. Raises `RuntimeError` if a single answer failed."""
        options = [f"-c{CONNECTIONS}", "-t1", f"-d{self.seconds}s", f"--timeout={PATIENCE_S}s", f"--script={SCRIPT}"]
        settings = {"PATH": os.environ["PATH"], "WRK_BODIES": str(self.bodies), "WRK_MARKER": MARKER, "WRK_RUN": new_run_number()}
        if self.target.token:
            settings["WRK_TOKEN"] = self.target.token
        command = ["wrk", *options, f"http://127.0.0.1:{self.target.port}{self.target.path}"]
        result = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)  # noqa: S603
        return parse_output(result.stdout, self.target.name, self.sizes)


def parse_output(output: str, server: str, sizes: Sequence[int]) -> WrkResult:
    """Parse the last line of the output, which our script prints.

    Check the number of bytes: an answer that has only errors is a success for HTTP, but shorter.
    """
    figures = json.loads(output.strip().splitlines()[-1])
    if figures["failed"] or figures["bytes"] < least_bytes(figures["requests"], sizes):
        raise RuntimeError(
            f"{server}: of {figures['requests']} requests {figures['failed']} failed, the others had {figures['bytes']} bytes"
        )
    return WrkResult(figures["requests"], figures["micros"] / 10**6, figures["p50"] / 1000, figures["p99"] / 1000)


def least_bytes(answers: int, sizes: Sequence[int]) -> int:
    """Return the minimum total size of this many answers, if requests went through `sizes` in order.

    When the time is over, each connection may wait for one more answer. wrk also calls the script once without sending the request.
    """
    asked_for = sorted(islice(cycle(sizes), answers + CONNECTIONS + 1))
    return sum(asked_for[:answers])
