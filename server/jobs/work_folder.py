"""A private folder for the local files of a job worker. They hold data of clients, so none outlives its worker.

A worker that is killed removes nothing. Each folder has a file that its worker locks for as long as it lives, and the system releases the
lock with the process: so a worker that starts removes the folders whose locks it can take.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.startup_errors import StartupError

LOCK = "lock"
PRIVATE = 0o700


@contextmanager
def open_work_folder() -> Iterator[Path]:
    """Create a folder, and remove it at the end. Remove those that dead workers have left."""
    parent = _prepare_parent(Path(tempfile.gettempdir()) / f"relaties-jobs-{os.geteuid()}")
    # Another worker that starts now must not take a folder without a lock for one that is left over.
    with _hold_lock(parent / LOCK):
        for folder in parent.iterdir():
            if folder.is_dir() and not _is_in_use(folder):
                shutil.rmtree(folder, ignore_errors=True)
        own_folder = Path(tempfile.mkdtemp(dir=parent))
        lock = os.open(own_folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield own_folder
    finally:
        shutil.rmtree(own_folder, ignore_errors=True)
        os.close(lock)


def _prepare_parent(parent: Path) -> Path:
    """Return the folder, which only this user can enter. Others can create one of this name in the folder for temporary files."""
    try:
        parent.mkdir(mode=PRIVATE, exist_ok=True)
        status = parent.lstat()
    except OSError as error:
        raise StartupError(f"{parent}: {error.strerror}. Set TMPDIR to a folder that this user can write to.") from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise StartupError(
            f"{parent}: must be a folder of this user that nobody else can enter. Remove it, or set TMPDIR to another folder."
        )
    return parent


@contextmanager
def _hold_lock(path: Path) -> Iterator[None]:
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _is_in_use(folder: Path) -> bool:
    """Return whether the worker of the folder lives, which then holds the lock."""
    with suppress(FileNotFoundError):
        lock = os.open(folder / LOCK, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
    return False
