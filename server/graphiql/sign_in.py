"""How GraphiQL signs in to the demo by itself."""

import secrets
from dataclasses import dataclass, field
from hmac import compare_digest


@dataclass(frozen=True)
class BrowserSignIn:
    """The demo's token, and the code of this start that it is given for.

    The code is part of the address that is printed, so only a reader of what the server prints signs in by it: no other local process,
    and nobody behind a proxy on this machine. It stands in the fragment, which a browser sends to no server. All worker processes share it.
    """

    token: str = field(repr=False)
    code: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def fragment(self) -> str:
        return f"#code={self.code}"

    def token_for(self, code: str) -> str | None:
        """Return the token for the right code, in a time that reveals nothing about the code."""
        return self.token if compare_digest(code.encode(), self.code.encode()) else None
