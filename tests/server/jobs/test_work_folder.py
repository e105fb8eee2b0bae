"""The private folder of a job worker is removed with it, and those of dead workers when another one starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.jobs.work_folder import open_work_folder
from server.startup_errors import StartupError

KILLED_WORKER = """
import os, signal
from server.jobs.work_folder import open_work_folder
with open_work_folder() as folder:
    (folder / "clients").write_text("Jansen")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that has those of all workers."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path / f"relaties-jobs-{os.geteuid()}"


def folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()]


def test_folder_is_private_and_removed_at_the_end(parent: Path) -> None:
    with open_work_folder() as folder:
        (folder / "clients").write_text("x")
        assert folders(parent) == [folder]
        assert [path.stat().st_mode & 0o777 for path in (parent, folder)] == [0o700, 0o700]
    assert folders(parent) == []


def test_folder_of_a_killed_worker_is_removed_and_that_of_a_living_one_kept(parent: Path) -> None:
    with open_work_folder() as living:
        (living / "clients").write_text("x")
        killed = subprocess.run([sys.executable, "-c", KILLED_WORKER], check=False)  # noqa: S603 our own program
        assert (killed.returncode, len(folders(parent))) == (-9, 2)
        with open_work_folder() as other:
            assert sorted(folders(parent)) == sorted([living, other])
            assert (living / "clients").read_text() == "x"


def test_folder_that_others_could_have_made_is_refused(parent: Path, tmp_path: Path) -> None:
    """A link would lead the files elsewhere, and others could read a folder that they can enter."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    parent.symlink_to(elsewhere)
    with pytest.raises(StartupError, match="nobody else can enter"), open_work_folder():
        pass
    parent.unlink()
    parent.mkdir(mode=0o755)
    parent.chmod(0o755)
    with pytest.raises(StartupError, match="nobody else can enter"), open_work_folder():
        pass
    assert [*elsewhere.iterdir()] == [*parent.iterdir()] == []


def test_folder_for_temporary_files_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(StartupError, match="Set TMPDIR"), open_work_folder():
        pass
