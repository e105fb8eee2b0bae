"""The port that is served on."""

import socket

from server.doctor import UnfitError
from server.settings import Settings


def bound(settings: Settings) -> socket.socket:
    """The port, taken before anything is started, so that a port in use is told at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as taken:
        advice = "Is Relaties running already? Another port: relaties serve --port 8001"
        raise UnfitError(f"Cannot serve on {settings.host}:{settings.port}: {taken.strerror}. {advice}") from taken
