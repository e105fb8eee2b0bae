"""Text that is looked for within keys."""

from dataclasses import dataclass

from db.keys import name_key


def within(text: str) -> str:
    """A pattern that finds the text anywhere; what LIKE takes for more than itself is taken for itself."""
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return f"%{text}%"


@dataclass(frozen=True)
class Search:
    """A text within names; without one, every name."""

    text: str | None = None

    @property
    def pattern(self) -> str | None:
        return None if self.text is None else within(name_key(self.text))
