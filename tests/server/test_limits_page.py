"""The defaults on the page of limits are those of the settings."""

import re
from pathlib import Path

from server.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
DEFAULTS = {Settings.variable(name): field.default for name, field in Settings.model_fields.items()}


def test_every_default_on_the_page_equals_the_setting() -> None:
    documented = re.findall(r"`(RELATIES_\w+)` \(([\d,]+)\)", PAGE)
    assert len(documented) > 10
    assert documented == [(name, f"{DEFAULTS[name]:,.10g}") for name, _ in documented]


def test_the_readme_links_the_page() -> None:
    assert "docs/limits.md" in (Path(__file__).parents[2] / "README.md").read_text()
