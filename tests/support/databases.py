"""The database role that the server uses in tests, and the URLs for it."""

RUNTIME, PASSWORD = "relaties_test", "test"


def runtime_url(owner_url: str) -> str:
    """Return the URL of the same database for the role of the server."""
    host = owner_url.rpartition("@")[2]
    return f"postgresql://{RUNTIME}:{PASSWORD}@{host}"
