"""The folder of the embedded server: who may use it, what it holds, and whom PostgreSQL runs as in it."""

from __future__ import annotations  # the names of `pwd` are not there on every system

import json
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

if sys.platform != "win32":  # so that another system gets a sentence instead of an ImportError
    import pwd


from db.embedded.processes import run_as

MAJOR = "18"
CONNECTIONS = 60
ELSEWHERE = "choose another folder with --data-dir or RELATIES_DATA_DIR"


class EmbeddedError(Exception):
    """One clear line for the person who started us: what is wrong and what to do."""


@dataclass(frozen=True)
class Place:
    """A folder, and the account that PostgreSQL runs as in it: ours, or as root an ordinary one, since PostgreSQL refuses root."""

    home: Path
    account: pwd.struct_passwd
    say: Callable[[str], None]
    connections: int

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgresql.log"


def opened(home: Path, say: Callable[[str], None], connections: int = CONNECTIONS) -> Place:
    if sys.platform not in {"linux", "darwin"}:
        raise EmbeddedError("The built-in PostgreSQL runs on Linux and macOS only: give the address of a PostgreSQL server of your own.")
    home = home.expanduser().resolve()
    if set('"$`\\\n') & set(str(home)):  # pg_ctl hands the path to a shell
        raise EmbeddedError(f"PostgreSQL cannot cope with a character in {str(home)!r}: {ELSEWHERE}.")
    account = _account(home / "data")
    _refuse_unreachable(home, account)
    _refuse_foreign(home, _who(os.geteuid()))
    _refuse_foreign(home / "data", account)
    _refuse_other_major(home / "data")
    _prepare(home, 0o700 if os.geteuid() else 0o711)
    return Place(home, account, say, connections)


def _who(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return pwd.struct_passwd((str(uid), "", uid, os.getegid(), "", "/", ""))


def _account(data: Path) -> pwd.struct_passwd:
    """Ours; as root the one that owns the data already, else the first there is."""
    if os.geteuid():
        return _who(os.geteuid())
    found = [entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name]
    if not found:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and there is no account postgres or nobody: start Relaties as another user."
        )
    owner = data.stat().st_uid if data.exists() else None
    return next((entry for entry in found if entry.pw_uid == owner), found[0])


def _refuse_unreachable(home: Path, account: pwd.struct_passwd) -> None:
    """Asked of the system as that account: modes alone do not tell (access lists)."""
    if not os.geteuid():
        first_closed = 'for f; do [ -x "$f" ] || { printf %s "$f"; exit; }; done'
        folders = [folder for folder in reversed(home.parents) if folder.exists()]
        closed = run_as(account, "/bin/sh", "-c", first_closed, "sh", *folders).stdout
        if closed:
            raise EmbeddedError(
                f"PostgreSQL runs as the account {account.pw_name}, which cannot enter {closed} to reach {home}: {ELSEWHERE}."
            )


def _refuse_foreign(folder: Path, account: pwd.struct_passwd) -> None:
    if folder.exists() and folder.stat().st_uid != account.pw_uid:
        owner = _who(folder.stat().st_uid).pw_name
        raise EmbeddedError(f"{folder} belongs to the account {owner}, not to {account.pw_name}: start as who made it, or {ELSEWHERE}.")


def _refuse_other_major(data: Path) -> None:
    if data.exists() and any(data.iterdir()):
        known = data / "PG_VERSION"
        major = known.read_text().strip() if known.exists() else "unknown"
        if major != MAJOR:
            raise EmbeddedError(
                f"{data} is of PostgreSQL {major}, and Relaties brings {MAJOR}: upgrade it with pg_upgrade, or {ELSEWHERE}."
            )


def refuse_other_container(home: Path, users: IO[str], *, is_alone: bool) -> None:
    """Locks reach across containers, process numbers do not: a server that we cannot see would be taken for dead, its data spoilt."""
    ours = str(Path("/proc/self/ns/pid").readlink()) if sys.platform == "linux" else "one"
    if not is_alone and users.read() != ours:
        raise EmbeddedError(f"{home} is in use by another container: run this command inside that one, or {ELSEWHERE}.")
    Path(users.name).write_text(ours)


def _prepare(home: Path, mode: int) -> None:
    """The folder with its mode, whatever the umask. One that held other files before keeps its own, lest others are locked out."""
    missing = [folder for folder in (home, *home.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
    is_ours = (home / "transition.lock").exists() or not any(home.iterdir())
    before = stat.S_IMODE(home.stat().st_mode)
    if before & stat.S_IWOTH and not is_ours:
        raise EmbeddedError(f"{home} holds other files, and everyone may write there: {ELSEWHERE}.")
    home.chmod(mode if is_ours else before | mode)


@contextmanager
def in_words(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or home
        raise EmbeddedError(f"{home} cannot be used: {error.strerror or error} ({where}): mend that, or {ELSEWHERE}.") from error


def private(path: Path) -> Path:
    path.touch(0o600)
    return path


def passwords(home: Path, *, is_new: bool) -> tuple[str, str]:
    path, new = home / "passwords.json", home / "passwords.new"
    if not path.exists():
        if not is_new:
            raise EmbeddedError(f"{path} is missing, and the database beside it asks for it: put it back from a backup, or {ELSEWHERE}.")
        private(new).write_text(json.dumps({"owner": secrets.token_urlsafe(), "server": secrets.token_urlsafe()}))
        new.rename(path)
    try:
        kept = json.loads(path.read_text())
        return str(kept["owner"]), str(kept["server"])
    except (ValueError, KeyError, TypeError):
        raise EmbeddedError(f"{path} does not hold the passwords any more: put it back from a backup, or {ELSEWHERE}.") from None
