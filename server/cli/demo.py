"""Load the demo organization once. Its token is stored in the data directory and printed at each start."""

from pathlib import Path

import asyncpg

from db import demo
from domain.core.scope import Actor, open_write_scope
from domain.organization import members, tokens
from domain.organization.tokens import NewToken
from server.cli.database import DatabaseUrls, connect_as_owner
from server.runtime.console import progress_bar
from server.secret_keys import read_or_create, replace
from server.settings import Settings


async def load_demo(settings: Settings, urls: DatabaseUrls) -> str:
    """Load the demo unless it is loaded already, and return its token. An interrupted load leaves no data and can be repeated."""
    path = settings.data_dir / "demo.token"
    secret = read_or_create(path, tokens.new_secret)
    owner = await asyncpg.connect(urls.required_owner_url)
    try:
        if not await demo.is_loaded(owner):
            with progress_bar() as bar:
                task = bar.add_task("Loading the demo organization", total=None)
                await demo.load(
                    owner,
                    token_hash=tokens.hash_secret(secret),
                    progress=lambda label, count, total: bar.update(task, description=f"Loading {label}", completed=count, total=total),
                )
            return secret
    finally:
        await owner.close()
    return await _verify_or_replace(urls, path, secret)


async def _verify_or_replace(urls: DatabaseUrls, path: Path, secret: str) -> str:
    """Return the stored token if it is still valid; otherwise replace it with a new one."""
    async with connect_as_owner(urls) as owner:
        if await tokens.authenticate(owner, secret):
            return secret
        actor = Actor.operator(demo.TENANT)
        async with open_write_scope(owner, actor, "demo") as write_scope:
            owner_id = await members.find_by_email(write_scope, demo.OWNER_EMAIL)
            new_token = await tokens.create(write_scope, NewToken({"name": "Demo"}, owner_id))
    return replace(path, new_token.secret)
