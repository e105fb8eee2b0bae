"""Errors that stop a command, for the person who runs it."""


class StartupError(Exception):
    """An error that a person can fix: one clear sentence for each reason."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons
