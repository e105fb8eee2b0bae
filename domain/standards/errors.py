"""Errors of single values, without a path: `domain.core.validation` adds it."""


class WrongValue(ValueError):  # noqa: N818 of the value, not of the program
    """A value breaks a rule. Has the rule and a valid example."""

    def __init__(self, rule: str, example: str) -> None:
        super().__init__(f"{rule}, for example `{example}`.")
        self.example = example


class TooLong(ValueError):  # noqa: N818 of the value, not of the program
    """A text is too long to process. Raised before anything else, where only the limit of its field is known."""

    def __init__(self, max_length: int, length: int) -> None:
        super().__init__(f"has at most {max_length} characters; this has {length}")
