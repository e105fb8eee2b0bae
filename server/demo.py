"""The demo organization: loaded once, with a token that is kept in the data directory and printed at each start."""

from pathlib import Path

import asyncpg

from db import demo
from domain import members, tokens
from domain.scope import Actor, open_write_scope
from domain.tokens import NewToken
from server.output import bar
from server.place import Place, opened
from server.secrets import kept, renewed
from server.settings import Settings


async def loaded(settings: Settings, found: Place) -> str:
    """The demo's token. Loading shows how far it is; interrupted, it leaves nothing and begins anew next time."""
    path = settings.data_dir / "demo.token"
    secret = kept(path, tokens.new_secret)
    owner = await asyncpg.connect(found.owner)
    try:
        if not await demo.is_loaded(owner):
            with bar() as progress:
                task = progress.add_task("Loading the demo organization", total=None)
                await demo.load(
                    owner,
                    token_hash=tokens.hash_secret(secret),
                    progress=lambda what, done, total: progress.update(task, description=f"Loading {what}", completed=done, total=total),
                )
            return secret
    finally:
        await owner.close()
    return await _known(found, path, secret)


async def _known(found: Place, path: Path, secret: str) -> str:
    """The kept token; a new one where it was lost with the data directory, or revoked."""
    async with opened(found) as owner:
        if await tokens.authenticate(owner, secret):
            return secret
        actor = Actor.operator(demo.TENANT)
        async with open_write_scope(owner, actor, "demo") as work:
            made = await tokens.create(work, NewToken({"name": "Demo"}, await members.find_by_email(work, demo.OWNER)))
    return renewed(path, made.secret)
