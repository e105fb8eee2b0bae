"""Check that `docs/reference` is what the code says: `make docs` writes it."""

import re
import tomllib
from pathlib import Path

import pytest

from domain.core.errors import UserErrorCode
from server.errors import ErrorCode
from server.settings import Settings
from tests.docs.reference import REFERENCE, TEMPLATES, generate_pages

SETTINGS = [Settings.variable(name) for name in Settings.model_fields]


@pytest.mark.parametrize("page", generate_pages().items(), ids=lambda page: page[0])
def test_page_is_current(page: tuple[str, str]) -> None:
    name, text = page
    assert (REFERENCE / name).read_text() == text, "Run `make docs` and commit the pages."


def test_every_page_is_generated() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == {path.name for path in TEMPLATES.iterdir()}


def test_table_of_settings_is_complete() -> None:
    documented = re.findall(r"^\| `(\w+)` \| .* \| (.*?) \|$", (REFERENCE / "settings.md").read_text(), re.MULTILINE)
    assert documented == [(name, field.description) for name, field in zip(SETTINGS, Settings.model_fields.values(), strict=True)]


def test_tables_of_codes_are_complete() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", (REFERENCE / "errors.md").read_text(), re.MULTILINE)
    assert documented == [*UserErrorCode, *ErrorCode]
    assert {*tomllib.loads((Path(__file__).parent / "errors.toml").read_text())} == {*ErrorCode}


def test_limits_show_the_defaults_of_settings() -> None:
    defaults = {Settings.variable(name): field.default for name, field in Settings.model_fields.items()}
    documented = re.findall(r"`(RELATIES_\w+)` \(([\d,]+)\)", (REFERENCE / "limits.md").read_text())
    assert len(documented) > 30
    assert documented == [(name, f"{defaults[name]:,.10g}") for name, _ in documented]
