"""`make bench` measures with an optimized Python if there is one."""

import os
import subprocess
from pathlib import Path
from shutil import copy

import pytest

from tests.support.processes import build_environment

ROOT = Path(__file__).parents[2]
OPTIMIZED_PYTHON = "/usr/bin/python3.11"


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """Return a checkout with the files that `make` reads, but without installed packages."""
    for name in ("Makefile", "pyproject.toml", *(f"requirements/{each}.txt" for each in ("uv", "run", "test"))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    return tmp_path


def run_make_dry(where: Path, *arguments: str, **settings: str) -> str:
    command = ["make", "--dry-run", *arguments]
    return subprocess.run(command, cwd=where, env=build_environment(**settings), text=True, capture_output=True, check=True).stdout  # noqa: S603


def test_bench_installs_with_the_optimized_python_where_it_exists(bare_checkout: Path) -> None:
    expected = OPTIMIZED_PYTHON if os.access(OPTIMIZED_PYTHON, os.X_OK) else "python3"
    assert f"{expected} -m venv .venv" in run_make_dry(bare_checkout, "bench")
    assert "python3 -m venv .venv" in run_make_dry(bare_checkout, "test")


def test_bench_accepts_another_python_as_argument_or_from_the_environment(bare_checkout: Path) -> None:
    assert "python3.12 -m venv .venv" in run_make_dry(bare_checkout, "bench", "PYTHON=python3.12")
    assert "python3.12 -m venv .venv" in run_make_dry(bare_checkout, "bench", PYTHON="python3.12")
