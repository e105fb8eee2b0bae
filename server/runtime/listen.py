"""Bind the port of the server, and raise the limit of open files."""

import socket
import sys
from contextlib import suppress

from server.settings import Settings
from server.startup_errors import StartupError


def bind(settings: Settings) -> socket.socket:
    """Bind the port. Call this before anything else starts, so that a port in use is reported at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        advice = "If Relaties is running already, stop it, or use another port: `relaties serve --port 8001`."
        raise StartupError(f"Cannot serve on {settings.host}:{settings.port}: {error.strerror}. {advice}") from error


def raise_open_file_limit() -> None:
    """Raise the limit of open files, which also limits connections, to the hard limit. Programs start with a lower limit."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 the module does not exist on Windows

        hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(ValueError, OSError):  # some systems report an unlimited hard limit but reject it as a soft limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
