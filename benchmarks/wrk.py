"""wrk as the load: 16 keep-alive connections of one thread, one body, for whole seconds. To loopback alone."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import CONNECTIONS, Target

SCRIPT = Path(__file__).with_suffix(".lua")
PATIENCE_S = 30


@dataclass(frozen=True)
class Heard:
    """What wrk tells of a window."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rps(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True)
class Wrk:
    """A way to ask: each connection asks again as soon as it is answered. An answer has so many bytes at least."""

    target: Target
    body: Path
    seconds: int
    least: int

    def run(self) -> Heard:
        """A window. One answer that is no success ends the measurement."""
        options = [f"-c{CONNECTIONS}", "-t1", f"-d{self.seconds}s", f"--timeout={PATIENCE_S}s", f"--script={SCRIPT}"]
        told = {"PATH": os.environ["PATH"], "WRK_BODY": str(self.body)} | ({"WRK_TOKEN": self.target.token} if self.target.token else {})
        command = ["wrk", *options, f"http://127.0.0.1:{self.target.port}{self.target.path}"]
        done = subprocess.run(command, env=told, capture_output=True, text=True, check=True)  # noqa: S603
        return heard(done.stdout, self.target.name, self.least)


def heard(said: str, server: str, least: int) -> Heard:
    """Of what it prints, the last line is ours. An answer of errors alone is a success to HTTP, but shorter."""
    told = json.loads(said.strip().splitlines()[-1])
    if told["failed"] or told["bytes"] < told["requests"] * least:
        raise RuntimeError(f"{server}: of {told['requests']} requests {told['failed']} failed, the others had {told['bytes']} bytes")
    return Heard(told["requests"], told["micros"] / 10**6, told["p50"] / 1000, told["p99"] / 1000)
