"""Bind the port of the server."""

import socket

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
