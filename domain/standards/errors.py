"""Define the errors of single values. They have no path: `domain.core.validation` adds it."""


class WrongValue(ValueError):  # noqa: N818 an error in the input, not in the program
    """A value breaks a rule. The message has the rule and a valid example."""

    def __init__(self, rule: str, example: str) -> None:
        super().__init__(f"{rule}, for example `{example}`.")
        self.example = example


class TooLong(ValueError):  # noqa: N818 an error in the input, not in the program
    """A text is too long to process. Raised before any other check; the message is completed with the name of the field."""

    def __init__(self, max_length: int, length: int) -> None:
        super().__init__(f"must have at most {max_length} characters; this has {length}")
