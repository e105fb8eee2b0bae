"""Serve one checkout of relaties for `benchmarks.checkouts`, with its own data, until standard input ends.

`benchmarks.checkouts` runs this file of the measured checkout, with the interpreter of that checkout. The options and the printed line are
the interface between checkouts of different ages, so they must not change.

    PYTHONPATH=CHECKOUT CHECKOUT/.venv/bin/python serve_checkout.py --size small --tenants 100 --clients 200 [--keep FOLDER]
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.demo_database import SIZES, DemoDatabase, run_demo_database
from benchmarks.servers import RAISED_LIMITS, run_relaties
from db.tables import Role
from tests.support.builders import create_tenant
from tests.support.large_organization import OVERVIEW_STATEMENTS, fill_organization

NO_CROWD = {"in_crowd": 0}  # no client with very many contacts, so that all organizations cost the same


async def load_organizations(database: DemoDatabase, count: int, clients: int) -> list[str]:
    """Create and fill this many organizations, unless an earlier run has done so, and return a token of each."""
    token_file = database.data_dir / "tokens.json"
    tokens: list[str] = json.loads(token_file.read_text()) if token_file.exists() else []
    owner = await asyncpg.connect(database.owner_url)
    try:
        for number in range(len(tokens), count):
            organization = await create_tenant(owner, f"Organization {number}")
            await fill_organization(owner, organization, clients, OVERVIEW_STATEMENTS, **NO_CROWD)
            tokens.append(organization.tokens[Role.OWNER])
            token_file.write_text(json.dumps(tokens))
        await owner.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await owner.close()
    return tokens[:count]


def main(options: argparse.Namespace) -> None:
    with run_demo_database(options.keep, SIZES[options.size]) as database:
        tokens = asyncio.run(load_organizations(database, options.tenants, options.clients)) if options.tenants else []
        with run_relaties(database, RELATIES_COMPILED_EXECUTOR="true", **RAISED_LIMITS) as server:
            target, process = server[:2]
            ready: dict[str, Any] = {"port": target.port, "pid": process.pid, "owner_url": database.owner_url}
            print(json.dumps(ready | {"token": database.token, "tokens": tokens}), flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--tenants", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--keep", type=Path)
    main(parser.parse_args())
