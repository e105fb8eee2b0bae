"""Why a command cannot go on, for the person who gave it."""


class StartupError(Exception):
    """What a person can mend: one clear sentence a reason."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons
