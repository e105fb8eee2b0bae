"""Check and prepare the data directory of the embedded server, and choose the account that PostgreSQL runs as."""

from __future__ import annotations  # `pwd` does not exist on every system

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

if sys.platform != "win32":  # Windows gets a message from `open_data_directory` instead of an ImportError
    import pwd


from db.embedded.processes import run_as

MAJOR = "18"
CHOOSE_OTHER_FOLDER = "choose another folder with `--data-dir` or `RELATIES_DATA_DIR`"


class EmbeddedError(Exception):
    """An error for the person who started Relaties. The message says what is wrong and what to do."""


@dataclass(frozen=True)
class DataDirectory:
    """A data directory, and the account that PostgreSQL runs as: our own, or an ordinary one if we are root, which PostgreSQL refuses."""

    path: Path
    account: pwd.struct_passwd
    notify: Callable[[str], None]

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def log(self) -> Path:
        return self.path / "postgresql.log"


def open_data_directory(path: Path, notify: Callable[[str], None]) -> DataDirectory:
    if sys.platform not in {"linux", "darwin"}:
        raise EmbeddedError(
            "The embedded PostgreSQL runs only on Linux and macOS: set `DATABASE_URL` and `RELATIES_OWNER_URL` to use another server."
        )
    path = path.expanduser().resolve()
    if set('"$`\\\n') & set(str(path)):  # pg_ctl passes the path to a shell
        raise EmbeddedError(f"PostgreSQL does not support a character in {str(path)!r}: {CHOOSE_OTHER_FOLDER}.")
    account = _server_account(path / "data")
    _refuse_unreachable(path, account)
    _refuse_foreign(path, _account_by_uid(os.geteuid()))
    _refuse_foreign(path / "data", account)
    _refuse_other_major(path / "data")
    _prepare(path, 0o700 if os.geteuid() else 0o711)
    return DataDirectory(path, account, notify)


def _account_by_uid(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return pwd.struct_passwd((str(uid), "", uid, os.getegid(), "", "/", ""))


def _server_account(data: Path) -> pwd.struct_passwd:
    """Return our own account. If we are root, return the account that owns the data, or else the first suitable one."""
    if os.geteuid():
        return _account_by_uid(os.geteuid())
    accounts = [entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name]
    if not accounts:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`: start Relaties as another user."
        )
    owner = data.stat().st_uid if data.exists() else None
    return next((entry for entry in accounts if entry.pw_uid == owner), accounts[0])


def _refuse_unreachable(path: Path, account: pwd.struct_passwd) -> None:
    """Check, if we are root, that the account can enter the folder. A program that runs as the account checks it, because of ACLs."""
    if not os.geteuid():
        first_closed = 'for f; do [ -x "$f" ] || { printf %s "$f"; exit; }; done'
        folders = [folder for folder in reversed(path.parents) if folder.exists()]
        unreachable = run_as(account, "/bin/sh", "-c", first_closed, "sh", *folders).stdout
        if unreachable:
            raise EmbeddedError(
                f"PostgreSQL runs as the account {account.pw_name}, which cannot enter {unreachable} to reach {path}: "
                f"{CHOOSE_OTHER_FOLDER}."
            )


def _refuse_foreign(folder: Path, account: pwd.struct_passwd) -> None:
    if folder.exists() and folder.stat().st_uid != account.pw_uid:
        owner = _account_by_uid(folder.stat().st_uid).pw_name
        raise EmbeddedError(
            f"{folder} belongs to the account {owner}, not to {account.pw_name}: start as that account, or {CHOOSE_OTHER_FOLDER}."
        )


def _refuse_other_major(data: Path) -> None:
    if data.exists() and any(data.iterdir()):
        version_file = data / "PG_VERSION"
        major = version_file.read_text().strip() if version_file.exists() else "unknown"
        if major != MAJOR:
            raise EmbeddedError(
                f"{data} is of PostgreSQL {major}, but Relaties contains {MAJOR}: upgrade it with `pg_upgrade`, or {CHOOSE_OTHER_FOLDER}."
            )


def refuse_other_container(path: Path, users: IO[str], *, is_only_user: bool) -> None:
    """Refuse a directory that another container uses. Containers share file locks but not process ids, so its server would look dead."""
    namespace = str(Path("/proc/self/ns/pid").readlink()) if sys.platform == "linux" else "one"
    if not is_only_user and users.read() != namespace:
        raise EmbeddedError(f"{path} is in use by another container: run this command inside that one, or {CHOOSE_OTHER_FOLDER}.")
    Path(users.name).write_text(namespace)


def _prepare(path: Path, mode: int) -> None:
    """Create the folder with this mode, independent of the umask. A folder with other files keeps the rights that others have there."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
    is_ours = (path / "transition.lock").exists() or not any(path.iterdir())
    old_mode = stat.S_IMODE(path.stat().st_mode)
    if old_mode & stat.S_IWOTH and not is_ours:
        raise EmbeddedError(f"{path} has other files, and every account can write there: {CHOOSE_OTHER_FOLDER}.")
    path.chmod(mode if is_ours else old_mode | mode)


@contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise EmbeddedError(f"{path} cannot be used: {error.strerror or error} ({where}): fix that, or {CHOOSE_OTHER_FOLDER}.") from error


def create_private_file(path: Path) -> Path:
    path.touch(0o600)
    return path


def read_or_create_passwords(directory: Path, *, is_new: bool) -> tuple[str, str]:
    path, new_path = directory / "passwords.json", directory / "passwords.new"
    if not path.exists():
        if not is_new:
            raise EmbeddedError(f"{path} is missing, but the database needs it: restore it from a backup, or {CHOOSE_OTHER_FOLDER}.")
        create_private_file(new_path).write_text(json.dumps({"owner": secrets.token_urlsafe(), "server": secrets.token_urlsafe()}))
        new_path.rename(path)
    try:
        stored_passwords = json.loads(path.read_text())
        return str(stored_passwords["owner"]), str(stored_passwords["server"])
    except (ValueError, KeyError, TypeError):
        raise EmbeddedError(f"{path} does not contain the passwords: restore it from a backup, or {CHOOSE_OTHER_FOLDER}.") from None
