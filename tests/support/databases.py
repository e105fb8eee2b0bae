"""The role of the server in test databases, and the addresses that use it."""

RUNTIME, PASSWORD = "relaties_test", "test"


def runtime_url(owner_url: str) -> str:
    """Return the address of the same database for the role of the server."""
    host = owner_url.rpartition("@")[2]
    return f"postgresql://{RUNTIME}:{PASSWORD}@{host}"
