"""The files that only the owner of the data directory reads: the secret key and the demo's token."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from server.settings import Environment, Settings, SettingsError


def keys(settings: Settings) -> list[bytes]:
    """The secret keys: the first signs, all verify. In development one is made once and kept."""
    if settings.secret_key:
        return [key.strip().encode() for key in settings.secret_key.split(",") if key.strip()]
    if settings.env is Environment.PRODUCTION:
        raise SettingsError(
            "RELATIES_SECRET_KEY: needed in production. Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return [kept(settings.data_dir / "secret.key", lambda: secrets.token_urlsafe(48)).encode()]


def renewed(path: Path, secret: str) -> str:
    """Puts another secret in the place of the kept one."""
    path.unlink(missing_ok=True)
    return kept(path, lambda: secret)


def kept(path: Path, make: Callable[[], str]) -> str:
    """The text of a file that is made once, for its owner alone; two at once agree on the first."""
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text().strip()
