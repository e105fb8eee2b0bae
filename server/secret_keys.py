"""Read and create files that only the owner of the data directory can read: the secret key and the demo's token."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from server.settings import Environment, Settings, SettingsError


def load_keys(settings: Settings) -> list[bytes]:
    """Return the secret keys: the first signs, all verify. In development, create and store a key if none is set."""
    if settings.secret_key:
        return [key.strip().encode() for key in settings.secret_key.split(",") if key.strip()]
    if settings.env is Environment.PRODUCTION:
        raise SettingsError(
            "RELATIES_SECRET_KEY: required in production. Create one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return [read_or_create(settings.data_dir / "secret.key", lambda: secrets.token_urlsafe(48)).encode()]


def replace(path: Path, secret: str) -> str:
    """Replace the stored secret, and return the one that is stored then."""
    path.unlink(missing_ok=True)
    return read_or_create(path, lambda: secret)


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """Return the text of a file. If it does not exist, create it with the result of `make`, readable only by its owner.

    Of two processes at once, the first creates the file and both return its text.
    """
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    temporary_path = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(temporary_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
        os.link(temporary_path, path)
    except FileExistsError:
        pass
    finally:
        temporary_path.unlink(missing_ok=True)
    return path.read_text().strip()
