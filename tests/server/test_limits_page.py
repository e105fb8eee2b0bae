"""The page of limits: the defaults that it shows are those of the settings."""

import re
from pathlib import Path

from server.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
DEFAULTS = {Settings.variable(name): field.default for name, field in Settings.model_fields.items()}


def test_every_default_on_the_page_is_that_of_the_setting() -> None:
    shown = re.findall(r"`(RELATIES_\w+)` \(([\d,]+)\)", PAGE)
    assert len(shown) > 10
    assert shown == [(name, f"{DEFAULTS[name]:,.10g}") for name, _ in shown]


def test_the_readme_links_the_page() -> None:
    assert "docs/limits.md" in (Path(__file__).parents[2] / "README.md").read_text()
