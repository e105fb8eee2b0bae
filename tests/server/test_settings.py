"""Settings: refused in one line that names the variable and never shows its value."""

from pathlib import Path

import pytest

from server.secret_keys import load_keys, read_or_create
from server.settings import Settings, SettingsError, read_settings
from tests.commands import relaties


@pytest.mark.parametrize(
    ("variable", "value"),
    [("RELATIES_PORT", "70000"), ("DATABASE_URL", "mysql://me:pw@host/db"), ("RELATIES_ENV", "staging"), ("RELATIES_SECRET_KEY", "pw")],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """Which and why; a password is not told."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert str(refused.value).startswith(f"{variable}: ")
    assert "\n" not in str(refused.value)
    assert "pw" not in str(refused.value)


def test_production_demands_a_secret_key(tmp_path: Path) -> None:
    """And says how to make one."""
    with pytest.raises(SettingsError, match=r"^RELATIES_SECRET_KEY: needed in production\. Make one: python3"):
        load_keys(Settings(env="production", data_dir=tmp_path))  # type: ignore[arg-type]


def test_secret_keys_are_rotated_by_a_comma(tmp_path: Path) -> None:
    """The first signs, all verify."""
    assert load_keys(Settings(secret_key=f"{'new' * 12}, {'old' * 12}", data_dir=tmp_path)) == [b"new" * 12, b"old" * 12]


def test_in_development_a_secret_key_is_made_once(tmp_path: Path) -> None:
    """For its owner alone to read."""
    mine = Settings(data_dir=tmp_path / "data")
    (key,) = load_keys(mine)
    assert len(key) == 64
    assert load_keys(mine) == [key]
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_kept_file_is_made_by_the_first(tmp_path: Path) -> None:
    """Whoever comes second takes what is there, and nothing else is left in the folder."""
    assert [read_or_create(tmp_path / "x", lambda text=text: text) for text in ("first", "second")] == ["first", "first"]  # type: ignore[misc]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_the_program_says_it_in_one_line(tmp_path: Path) -> None:
    """No trace, status 1."""
    done = relaties("serve", RELATIES_PORT="x", RELATIES_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("RELATIES_PORT: ")
    assert done.stderr.count("\n") == 1
