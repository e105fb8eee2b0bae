"""Sign GraphiQL in to the demo without a login form."""

import secrets
from dataclasses import dataclass, field
from hmac import compare_digest


@dataclass(frozen=True)
class BrowserSignIn:
    """The demo's token, and the code that a browser exchanges for it.

    The code is part of the address that the server prints at startup. So only a reader of that output can sign in, and not another local
    process or a client behind a proxy on this machine. The code is in the URL fragment, which browsers never send to a server. Each start
    has a new code; all worker processes share it.
    """

    token: str = field(repr=False)
    code: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def fragment(self) -> str:
        return f"#code={self.code}"

    def token_for(self, code: str) -> str | None:
        """Return the token if the code is right. The comparison takes constant time, so its duration reveals nothing about the code."""
        return self.token if compare_digest(code.encode(), self.code.encode()) else None
