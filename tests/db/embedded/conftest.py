"""Fixtures for folders of the embedded server: an empty one, one with a database, and a copy of that."""

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
    """Create a folder with a database whose server is stopped, for tests that leave it unchanged."""
    with create_accessible_folder() as folder_path:
        with run_server(folder_path / "home", notify=ignore_output):
            pass
        yield folder_path / "home"


@pytest.fixture
def home_copy(home: Path, temp_folder: Path) -> Path:
    """Copy the folder, for tests that damage it."""
    copied_home = temp_folder / "home"
    copied_home.mkdir()
    if IS_ROOT:
        shutil.copytree(home / "postgresql-18", copied_home / "postgresql-18", copy_function=os.link)
    subprocess.run(["/bin/cp", "-Rp", home / "data", home / "passwords.json", home / "transition.lock", copied_home], check=True)  # noqa: S603
    return copied_home
