"""Convert database URLs. Every setting has the form that libpq and asyncpg accept."""

from urllib.parse import urlsplit, urlunsplit


def to_sqlalchemy_url(url: str) -> str:
    """Return the URL in the form of SQLAlchemy's asyncpg driver."""
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql+asyncpg"))


def with_database_name(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def without_password(url: str) -> str:
    """Return the URL without its password, for messages and logs."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{user}{parts.hostname or ''}{port}"))
