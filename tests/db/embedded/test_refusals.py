"""The embedded PostgreSQL: what it will not do, and how it says so."""

import os
import shutil
from pathlib import Path

from db.embedded import run_server
from db.embedded.data_directory import CHOOSE_OTHER_FOLDER
from tests.embedding import IS_ROOT, ask, mode, postmaster, quiet, refusal, servers


def test_a_folder_out_of_reach_is_refused(tmp_path: Path) -> None:
    """Before anything is made, one line names the folder that stops us and what to do."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700 if IS_ROOT else 0o500)
    home = closed / "home"

    line = refusal(home)

    assert line.endswith(f"{CHOOSE_OTHER_FOLDER}.")
    if IS_ROOT:
        stops = next(folder for folder in reversed(home.parents) if not mode(folder) & 0o001)
        assert f"cannot enter {stops} to reach {home}" in line
    else:
        assert line.startswith(f"{home} cannot be used: Permission denied")
    assert list(closed.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_refused(spot: Path) -> None:
    """What cannot be a folder is said to be none."""
    (spot / "home").touch()

    assert refusal(spot / "home").startswith(f"{spot / 'home'} cannot be used: Not a directory")


def test_a_folder_of_another_account_is_refused(copy: Path) -> None:
    """Nobody works in what another account made, root neither."""
    theirs = copy if IS_ROOT else Path("/usr")
    if IS_ROOT:
        os.chown(copy, 54321, -1)

    assert refusal(theirs).startswith(f"{theirs} belongs to the account {'54321' if IS_ROOT else 'root'}, not to ")


def test_data_of_another_account_are_refused(copy: Path) -> None:
    """Root does not hand the data of one account to another; for an ordinary user the folder itself is refused."""
    if IS_ROOT:
        os.chown(copy / "data", 54321, -1)
        assert refusal(copy).startswith(f"{copy / 'data'} belongs to the account 54321, not to ")
    else:
        assert refusal(Path("/")).startswith("/ belongs to the account root, not to ")


def test_another_major_version_is_refused(copy: Path) -> None:
    """Data of another PostgreSQL are left alone."""
    (copy / "data" / "PG_VERSION").write_text("16\n")

    assert refusal(copy).startswith(f"{copy / 'data'} is of PostgreSQL 16, and Relaties brings 18: ")


def test_lost_passwords_are_said_to_be_lost(copy: Path) -> None:
    """Without the passwords of a database no new ones are made, since they would not open it."""
    (copy / "passwords.json").unlink()

    assert refusal(copy).startswith(f"{copy / 'passwords.json'} is missing, ")
    assert not (copy / "passwords.json").exists()


def test_passwords_of_another_database_are_told(copy: Path) -> None:
    """Passwords that do not fit are named as the cause, and the server that was started to find out is stopped."""
    (copy / "passwords.json").write_text('{"owner": "other", "server": "other"}')

    assert refusal(copy).startswith(f"The passwords.json in {copy} is not of the database beside it: ")
    assert servers(copy) == []


def test_a_server_that_cannot_start_says_why(copy: Path) -> None:
    """The cause is taken from PostgreSQL's log."""
    with (copy / "data" / "postgresql.conf").open("a") as settings:
        settings.write("work_mem = nonsense\n")

    line = refusal(copy)

    assert "FATAL:" in line
    assert line.endswith(f"contains errors (see {copy / 'postgresql.log'})")


def test_another_container_is_kept_out(home: Path) -> None:
    """A server whose process cannot be seen from here is not taken for dead while its users live."""
    with run_server(home, notify=quiet) as embedded:
        (home / "users.lock").write_text("pid:[elsewhere]")
        before = postmaster(home)

        assert refusal(home).startswith(f"{home} is in use by another container: ")
        assert postmaster(home) == before
        assert ask(embedded.owner_url, "SELECT 1") == 1


def test_a_folder_with_other_files_keeps_its_mode(spot: Path, copy: Path) -> None:
    """Pointed at a folder of other things by mistake, we lock nobody out of it; one where all may write is refused."""
    (copy / "transition.lock").unlink()
    copy.chmod(0o755)
    with run_server(copy, notify=quiet):
        assert mode(copy) == 0o755

    spot.chmod(0o777)
    assert refusal(spot) == f"{spot} holds other files, and everyone may write there: {CHOOSE_OTHER_FOLDER}."


def test_a_broken_copy_of_the_binaries_is_not_used(copy: Path) -> None:
    """As root a copy that was broken off is made anew; an ordinary user needs none."""
    if IS_ROOT:
        shutil.rmtree(copy / "postgresql-18")
    (copy / "postgresql-18.new").mkdir()

    with run_server(copy, notify=quiet) as embedded:
        assert ask(embedded.owner_url, "SELECT 1") == 1
    assert (copy / "postgresql-18").exists() is IS_ROOT
    assert (copy / "postgresql-18.new").exists() is not IS_ROOT
