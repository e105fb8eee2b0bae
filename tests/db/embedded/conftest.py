"""Folders of the embedded server: empty, used, copied."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import run_server
from tests.support.embedded import IS_ROOT, create_accessible_folder, ignore_output


@pytest.fixture
def temp_folder() -> Iterator[Path]:
    with create_accessible_folder() as folder_path:
        yield folder_path


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with a database, at rest: for all who leave it as it was."""
    with create_accessible_folder() as folder_path:
        with run_server(folder_path / "home", notify=ignore_output):
            pass
        yield folder_path / "home"


@pytest.fixture
def home_copy(home: Path, temp_folder: Path) -> Path:
    """Copy the home, for tests that damage it."""
    copied_home = temp_folder / "home"
    copied_home.mkdir()
    if IS_ROOT:
        shutil.copytree(home / "postgresql-18", copied_home / "postgresql-18", copy_function=os.link)
    subprocess.run(["/bin/cp", "-Rp", home / "data", home / "passwords.json", home / "transition.lock", copied_home], check=True)  # noqa: S603
    return copied_home
