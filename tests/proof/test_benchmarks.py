"""Every benchmark runs on the current code. The runs are too short for useful figures, but equal responses are still checked."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import build_environment

pytestmark = pytest.mark.proof
ROOT = Path(__file__).parents[2]
SHORT = {
    "compare": ["--size", "tiny", "--peers", "all", "--seconds", "1", "--turns", "1", "--unsaved"],
    "checkouts": ["--against", str(ROOT), "--size", "tiny", "--tenants", "2", "--turns", "1", "--only", "Q1"],
    "executors": ["--rounds", "1", "--each", "1"],
    "large": ["--clients", "500"],
    "stages": ["--seconds", "0.3"],
    "jobs": ["--clients", "1000", "--seconds", "0.5"],
    "exports": ["--clients", "1000", "--seconds", "0.5"],
    "downloads": ["--seconds", "0.5"],
    "memory": ["--requests", "200", "--documents", "20"],
    "growth": ["--of", "clients", "--divide", "100"],
    "points": ["--size", "tiny", "--seconds", "0.01", "--long", "0.5", "--saved", "0"],
    "attack": ["--tolerant", "--seconds", "0.3", "--only", "deep nesting", "bulk upserts of 100"],
}


@pytest.mark.parametrize("name", SHORT)
def test_benchmark_runs(name: str) -> None:
    """It runs to its end, which prints the load of the machine. The peers are installed in the same way as by `make bench`."""
    if name == "compare":
        subprocess.run([ROOT / "benchmarks" / "peers" / "install"], env=build_environment(), check=True, timeout=600)  # noqa: S603
    command = [sys.executable, "-m", f"benchmarks.{name}", *SHORT[name]]
    patience = 1800 if name == "compare" else 600  # nine servers, four queries, twice: a window takes at least 3 s
    result = subprocess.run(command, cwd=ROOT, env=build_environment(), capture_output=True, text=True, check=False, timeout=patience)  # noqa: S603
    assert result.returncode == 0, result.stdout + result.stderr
    assert "load average" in result.stdout
