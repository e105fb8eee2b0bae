"""The embedded PostgreSQL in use: it requires a password, loses no data, and leaves no process or temporary file behind."""

import json
import os
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import asyncpg
import pytest

from db.embedded import EmbeddedServer, run_server
from db.embedded.processes import defer_signals
from tests.support.embedded import IS_ROOT, fetch_value, find_servers, ignore_output, permission_bits, read_postmaster_pid, run_user_process


def test_first_start_creates_everything(temp_folder: Path) -> None:
    """The user gets a message about each step, and the folder has only the files that are needed later."""
    messages: list[str] = []
    home = temp_folder / "deeper" / "home"

    with run_server(home, notify=messages.append) as embedded:
        encoding = fetch_value(embedded.owner_url, "SHOW server_encoding")
        upper = fetch_value(embedded.owner_url, "SELECT upper('é')")

    assert messages == [f"Creating a database in {home}", "Starting PostgreSQL 18"]
    assert (encoding, upper) == ("UTF8", "É")
    files = {"data", "passwords.json", "postgresql.log", "transition.lock", "users.lock"}
    assert {path.name for path in home.iterdir()} == files | ({"postgresql-18"} if IS_ROOT else set())
    assert find_servers(home) == []


def test_data_survive_a_restart(home: Path) -> None:
    with run_server(home, notify=ignore_output) as embedded:
        fetch_value(embedded.owner_url, "CREATE TABLE stored (word text)", "INSERT INTO stored VALUES ('here')")

    with run_server(home, notify=ignore_output) as embedded:
        assert fetch_value(embedded.owner_url, "SELECT word FROM stored") == "here"


@pytest.mark.parametrize("password", ["wrong", None])
def test_connections_require_the_password(home: Path, password: str | None) -> None:
    """Other accounts of the machine can reach only a loopback port, which requires the password."""
    with run_server(home, notify=ignore_output) as embedded:
        right = f":{json.loads((home / 'passwords.json').read_text())['owner']}@"
        url = embedded.owner_url.replace(right, f":{password}@" if password else "@")

        assert url != embedded.owner_url
        with pytest.raises(asyncpg.InvalidPasswordError):
            fetch_value(url, "SELECT 1")
        assert fetch_value(embedded.owner_url, "SHOW unix_socket_directories") == ""
        assert fetch_value(embedded.owner_url, "SHOW listen_addresses") == "127.0.0.1"
        assert fetch_value(embedded.owner_url, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules") == "scram-sha-256"


def test_secrets_are_readable_by_their_owner_only(home: Path) -> None:
    """Other accounts can read no file, and cannot list the folder."""
    with run_server(home, notify=ignore_output) as embedded:
        passwords = json.loads((home / "passwords.json").read_text())

    assert embedded.owner_url.startswith(f"postgresql://relaties_owner:{passwords['owner']}@127.0.0.1:")
    assert embedded.runtime_url.startswith(f"postgresql://relaties_server:{passwords['server']}@127.0.0.1:")
    assert passwords["owner"] != passwords["server"]
    modes = {path.name: permission_bits(path) for path in home.iterdir() if path.is_file()} | {"data": permission_bits(home / "data")}
    assert modes == dict.fromkeys(("passwords.json", "postgresql.log", "transition.lock", "users.lock"), 0o600) | {"data": 0o700}
    assert permission_bits(home) == (0o711 if IS_ROOT else 0o700)


def test_last_user_stops_the_server(home: Path) -> None:
    """The server keeps running for the second user when the first one leaves."""
    with ExitStack() as last:
        with run_server(home, notify=ignore_output) as first:
            second = last.enter_context(run_server(home, notify=ignore_output))
            assert second == first
        assert fetch_value(second.owner_url, "SELECT 1") == 1
        assert find_servers(home) != []

    assert find_servers(home) == []


def test_concurrent_users_share_one_server(temp_folder: Path) -> None:
    """If several users start at the same time, one creates the database and all use it."""
    home = temp_folder / "home"
    urls: list[EmbeddedServer] = []

    def use() -> None:
        with run_server(home, notify=ignore_output) as embedded:
            urls.append(embedded)
            fetch_value(embedded.owner_url, "SELECT 1")

    threads = [Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(urls) == 3
    assert find_servers(home) == []


def test_orphaned_server_is_adopted(home: Path) -> None:
    """After a SIGKILL, the next user gets the running server, and stops it at the end."""
    with run_user_process(home) as killed_user:
        before = read_postmaster_pid(home)
        killed_user.kill()

    with run_server(home, notify=ignore_output) as embedded:
        assert read_postmaster_pid(home) == before
        assert fetch_value(embedded.owner_url, "SELECT 1") == 1
    assert find_servers(home) == []


def test_dead_server_is_restarted(home: Path) -> None:
    """If the server is killed while it has a user, the next user starts it again."""
    with run_server(home, notify=ignore_output) as embedded:
        fetch_value(embedded.owner_url, "CREATE TABLE recovered (word text)", "INSERT INTO recovered VALUES ('here')")
        os.kill(read_postmaster_pid(home), signal.SIGKILL)
        with run_server(home, notify=ignore_output) as again:
            assert fetch_value(again.owner_url, "SELECT word FROM recovered") == "here"

    assert find_servers(home) == []


@pytest.mark.parametrize("text", ["{pid}\n{data}\n1\n1\n", "", "rubbish\n"])
def test_stale_process_id_is_detected(home: Path, text: str) -> None:
    """A stale process id that another program has by now neither prevents the start nor harms that program."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as other:
        (home / "data" / "postmaster.pid").write_text(text.format(pid=other.pid, data=home / "data"))

        with run_server(home, notify=ignore_output) as embedded:
            assert fetch_value(embedded.owner_url, "SELECT 1") == 1

        assert other.poll() is None
        other.terminate()
    assert find_servers(home) == []


def test_own_process_id_in_the_file_is_detected(home: Path) -> None:
    """In a new container, process ids start from 1 again, so a stale id can be our own."""
    (home / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'data'}\n1\n1\n")

    with run_server(home, notify=ignore_output) as embedded:
        assert fetch_value(embedded.owner_url, "SELECT 1") == 1
    assert find_servers(home) == []


def test_killed_setup_is_restarted(temp_folder: Path) -> None:
    """The next start does not use the incomplete database of a first start that was killed."""
    home = temp_folder / "home"
    with run_user_process(home, expected_line=f"Creating a database in {home}\n") as killed_user:
        killed_user.kill()
    assert not (home / "data").exists()

    with run_server(home, notify=ignore_output) as embedded:
        assert fetch_value(embedded.owner_url, "SELECT current_database()") == "relaties"
    assert [path.name for path in home.iterdir() if path.suffix == ".new"] == []
    assert find_servers(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_the_server(home: Path, number: signal.Signals) -> None:
    """The signals of Ctrl-C, of a stop by the system and of a closed terminal all stop the server."""
    with run_user_process(home) as user:
        user.send_signal(number)
        assert user.wait(30) == 0

    assert find_servers(home) == []
    assert not (home / "data" / "postmaster.pid").exists()


def test_signal_during_setup_leaves_nothing(temp_folder: Path) -> None:
    """Ctrl-C during the creation of the database removes the incomplete files."""
    home = temp_folder / "home"
    with run_user_process(home, expected_line=f"Creating a database in {home}\n") as user:
        user.send_signal(signal.SIGINT)
        assert user.wait(30) == 0

    assert [path.name for path in home.iterdir() if path.suffix == ".new"] == []
    assert find_servers(home) == []


def test_second_interrupt_waits_for_the_stop(home: Path) -> None:
    """A Ctrl-C during the stop takes effect when the server has stopped."""
    messages: list[str] = []
    before = signal.getsignal(signal.SIGINT)

    def use() -> None:
        with defer_signals():
            signal.raise_signal(signal.SIGINT)
            with run_server(home, notify=ignore_output):
                messages.append("used")
            messages.append("stopped")

    with pytest.raises(KeyboardInterrupt):
        use()

    assert messages == ["used", "stopped"]
    assert signal.getsignal(signal.SIGINT) is before
    assert find_servers(home) == []


def test_the_environment_does_not_reach_the_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variables that all programs of PostgreSQL read have no effect."""
    for name, value in {"PGDATA": "/", "PGPORT": "1", "PGHOST": "nowhere", "PGSSLMODE": "require", "PGUSER": "me"}.items():
        monkeypatch.setenv(name, value)

    with run_server(home, notify=ignore_output) as embedded:
        assert find_servers(home) != []
        assert fetch_value(f"{embedded.owner_url}?sslmode=disable", "SELECT current_user") == "relaties_owner"


def test_failure_of_the_user_stops_the_server_and_is_raised(home: Path) -> None:
    with pytest.raises(RuntimeError, match="the user's own"), run_server(home, notify=ignore_output):
        raise RuntimeError("the user's own")

    assert find_servers(home) == []
