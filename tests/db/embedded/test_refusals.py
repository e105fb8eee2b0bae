"""Folders that the embedded PostgreSQL refuses to use, and the messages that say why."""

import os
import shutil
from pathlib import Path

from db.embedded import run_server
from db.embedded.data_directory import CHOOSE_OTHER_FOLDER
from tests.support.embedded import IS_ROOT, fetch_value, find_servers, ignore_output, permission_bits, read_postmaster_pid, startup_error


def test_unreachable_folder_is_rejected(tmp_path: Path) -> None:
    """The message names the closed folder, and nothing is created."""
    closed_folder = tmp_path / "closed"
    closed_folder.mkdir(mode=0o700 if IS_ROOT else 0o500)
    home = closed_folder / "home"

    line = startup_error(home)

    assert line.endswith(f"{CHOOSE_OTHER_FOLDER}.")
    if IS_ROOT:
        first_closed = next(folder for folder in reversed(home.parents) if not permission_bits(folder) & 0o001)
        assert f"cannot enter {first_closed} to reach {home}" in line
    else:
        assert line.startswith(f"{home} cannot be used: Permission denied")
    assert list(closed_folder.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_refused(temp_folder: Path) -> None:
    (temp_folder / "home").touch()

    assert startup_error(temp_folder / "home").startswith(f"{temp_folder / 'home'} cannot be used: Not a directory")


def test_a_folder_of_another_account_is_refused(home_copy: Path) -> None:
    """Root does not use the folder of another account, either."""
    theirs = home_copy if IS_ROOT else Path("/usr")
    if IS_ROOT:
        os.chown(home_copy, 54321, -1)

    assert startup_error(theirs).startswith(f"{theirs} belongs to the account {'54321' if IS_ROOT else 'root'}, not to ")


def test_data_of_another_account_are_refused(home_copy: Path) -> None:
    """Root does not use data that neither its server's account nor root owns. For an ordinary user, the folder itself is refused."""
    if IS_ROOT:
        os.chown(home_copy / "data", 54321, -1)
        assert startup_error(home_copy).startswith(f"{home_copy / 'data'} belongs to the account 54321, not to ")
    else:
        assert startup_error(Path("/")).startswith("/ belongs to the account root, not to ")


def test_other_major_version_is_rejected(home_copy: Path) -> None:
    (home_copy / "data" / "PG_VERSION").write_text("16\n")

    assert startup_error(home_copy).startswith(f"{home_copy / 'data'} is of PostgreSQL 16, but Relaties contains 18: ")


def test_missing_passwords_are_reported(home_copy: Path) -> None:
    """No new passwords are created, since the database would not accept them."""
    (home_copy / "passwords.json").unlink()

    assert startup_error(home_copy).startswith(f"{home_copy / 'passwords.json'} is missing, ")
    assert not (home_copy / "passwords.json").exists()


def test_passwords_of_another_database_are_reported(home_copy: Path) -> None:
    """The server, which had to be started to check the passwords, is stopped again."""
    (home_copy / "passwords.json").write_text('{"owner": "other", "server": "other"}')

    assert startup_error(home_copy).startswith(f"The passwords in {home_copy / 'passwords.json'} do not match the database: ")
    assert find_servers(home_copy) == []


def test_server_that_cannot_start_reports_why(home_copy: Path) -> None:
    """The reason comes from PostgreSQL's log."""
    with (home_copy / "data" / "postgresql.conf").open("a") as settings:
        settings.write("work_mem = nonsense\n")

    line = startup_error(home_copy)

    assert "FATAL:" in line
    assert line.endswith(f"contains errors (see {home_copy / 'postgresql.log'})")


def test_data_used_by_another_container_are_rejected(home: Path) -> None:
    """A server whose process is invisible here is not treated as dead while it has users."""
    with run_server(home, notify=ignore_output) as embedded:
        (home / "users.lock").write_text("pid:[elsewhere]")
        before = read_postmaster_pid(home)

        assert startup_error(home).startswith(f"{home} is in use by another container: ")
        assert read_postmaster_pid(home) == before
        assert fetch_value(embedded.owner_url, "SELECT 1") == 1


def test_a_folder_with_other_files_keeps_its_mode(temp_folder: Path, home_copy: Path) -> None:
    """Other accounts can still use a folder that was chosen by mistake. A folder where every account can write is refused."""
    (home_copy / "transition.lock").unlink()
    home_copy.chmod(0o755)
    with run_server(home_copy, notify=ignore_output):
        assert permission_bits(home_copy) == 0o755

    temp_folder.chmod(0o777)
    assert startup_error(temp_folder) == f"{temp_folder} has other files, and every account can write there: {CHOOSE_OTHER_FOLDER}."


def test_a_broken_copy_of_the_binaries_is_not_used(home_copy: Path) -> None:
    """Root replaces a broken copy. An ordinary user needs no copy."""
    if IS_ROOT:
        shutil.rmtree(home_copy / "postgresql-18")
    (home_copy / "postgresql-18.new").mkdir()

    with run_server(home_copy, notify=ignore_output) as embedded:
        assert fetch_value(embedded.owner_url, "SELECT 1") == 1
    assert (home_copy / "postgresql-18").exists() is IS_ROOT
    assert (home_copy / "postgresql-18.new").exists() is not IS_ROOT
