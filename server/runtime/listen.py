"""Bind the port of the server, and allow as many connections as the system does."""

import socket
import sys
from contextlib import suppress

from server.settings import Settings
from server.startup_errors import StartupError


def bind(settings: Settings) -> socket.socket:
    """Bind the port before anything else starts, so that a port in use is reported at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        advice = "Is Relaties running already? Another port: relaties serve --port 8001"
        raise StartupError(f"Cannot serve on {settings.host}:{settings.port}: {error.strerror}. {advice}") from error


def raise_open_file_limit() -> None:
    """Raise the limit of open files, thus connections, to the hard limit; programs start with fewer."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 not everywhere

        hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(ValueError, OSError):  # a limit of "none" is one that some systems give and do not take
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
