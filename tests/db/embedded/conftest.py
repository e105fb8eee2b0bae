"""Folders of the embedded server: empty, used, copied."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import run_server
from tests.embedding import IS_ROOT, folder, quiet


@pytest.fixture
def spot() -> Iterator[Path]:
    with folder() as made:
        yield made


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with a database, at rest: for all who leave it as it was."""
    with folder() as made:
        with run_server(made / "home", notify=quiet):
            pass
        yield made / "home"


@pytest.fixture
def copy(home: Path, spot: Path) -> Path:
    """A home of one's own, to be spoilt."""
    made = spot / "home"
    made.mkdir()
    if IS_ROOT:
        shutil.copytree(home / "postgresql-18", made / "postgresql-18", copy_function=os.link)
    subprocess.run(["/bin/cp", "-Rp", home / "data", home / "passwords.json", home / "transition.lock", made], check=True)  # noqa: S603
    return made
