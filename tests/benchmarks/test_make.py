"""`make bench` measures with the optimized Python where there is one."""

import os
import subprocess
from pathlib import Path
from shutil import copy

import pytest

from tests.commands import environment

ROOT = Path(__file__).parents[2]
OPTIMIZED = "/usr/bin/python3.11"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout in which nothing is installed, with all that `make` looks at."""
    for name in ("Makefile", "pyproject.toml", *(f"requirements/{each}.txt" for each in ("uv", "run", "test"))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    return tmp_path


def dry_run(where: Path, *arguments: str, **settings: str) -> str:
    command = ["make", "--dry-run", *arguments]
    return subprocess.run(command, cwd=where, env=environment(**settings), text=True, capture_output=True, check=True).stdout  # noqa: S603


def test_bench_installs_with_the_optimized_python_where_it_exists(bare: Path) -> None:
    expected = OPTIMIZED if os.access(OPTIMIZED, os.X_OK) else "python3"
    assert f"{expected} -m venv .venv" in dry_run(bare, "bench")
    assert "python3 -m venv .venv" in dry_run(bare, "test")


def test_bench_takes_another_python_that_is_asked_for(bare: Path) -> None:
    """As an argument and from the environment."""
    assert "python3.12 -m venv .venv" in dry_run(bare, "bench", "PYTHON=python3.12")
    assert "python3.12 -m venv .venv" in dry_run(bare, "bench", PYTHON="python3.12")
