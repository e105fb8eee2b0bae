"""Invalid settings are reported in one line that names the variable and does not show its value."""

import socket
from pathlib import Path

import pytest

from server.secret_keys import load_keys, read_or_create
from server.settings import Settings, SettingsError, read_settings
from tests.support.processes import run_relaties


@pytest.mark.parametrize(
    ("variable", "value"),
    [("RELATIES_PORT", "70000"), ("DATABASE_URL", "mysql://me:pw@host/db"), ("RELATIES_ENV", "staging"), ("RELATIES_SECRET_KEY", "pw")],
)
def test_invalid_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """The error names the variable and the reason, and shows no password."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as raised_error:
        read_settings()
    assert str(raised_error.value).startswith(f"{variable}: ")
    assert "\n" not in str(raised_error.value)
    assert "pw" not in str(raised_error.value)


def test_production_requires_a_secret_key(tmp_path: Path) -> None:
    """The error says how to create one."""
    with pytest.raises(SettingsError, match=r"^RELATIES_SECRET_KEY: required in production\. Create one: python3"):
        load_keys(Settings(env="production", data_dir=tmp_path))  # type: ignore[arg-type]


def test_secret_keys_are_rotated_by_a_comma_separated_list(tmp_path: Path) -> None:
    """The first key signs, and all keys verify."""
    assert load_keys(Settings(secret_key=f"{'new' * 12}, {'old' * 12}", data_dir=tmp_path)) == [b"new" * 12, b"old" * 12]


def test_development_creates_a_secret_key_once(tmp_path: Path) -> None:
    """Only the owner of the file can read it."""
    mine = Settings(data_dir=tmp_path / "data")
    (key,) = load_keys(mine)
    assert len(key) == 64
    assert load_keys(mine) == [key]
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_stored_file_is_created_by_the_first_process(tmp_path: Path) -> None:
    """Later processes read the stored file, and nothing else is left in the folder."""
    assert [read_or_create(tmp_path / "x", lambda text=text: text) for text in ("first", "second")] == ["first", "first"]  # type: ignore[misc]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_invalid_setting_is_reported_in_one_line(tmp_path: Path) -> None:
    """The process exits with status 1 and prints no traceback."""
    result = run_relaties("serve", RELATIES_PORT="x", RELATIES_DATA_DIR=str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("RELATIES_PORT: ")
    assert result.stderr.count("\n") == 1


def test_unknown_variables_are_reported_at_startup(tmp_path: Path) -> None:
    """Only the names are reported, because a value may be a password."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        unknown = {"RELATIES_POINT": "hidden", "RELATIES_PORT": str(listener.getsockname()[1]), "RELATIES_DATA_DIR": str(tmp_path)}
        process = run_relaties("serve", **unknown)
    assert process.returncode == 1  # the port is in use
    assert "RELATIES_POINT is not a setting and is ignored. The changelog lists renamed settings." in process.stdout + process.stderr
    assert "hidden" not in process.stdout + process.stderr
    assert "RELATIES_PORT is not a setting" not in process.stdout + process.stderr
