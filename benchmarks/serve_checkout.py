"""Serve one checkout of relaties for `benchmarks.checkouts`, with data of its own, until standard input ends.

This file is run by the interpreter of the checkout that is measured, and imports the packages of that checkout. So that it can serve older
ones, it uses only what they all have: `demonstration` and `SIZES`, `ours_running` and `RAISED`, and the builders of the large data.

    PYTHONPATH=CHECKOUT CHECKOUT/.venv/bin/python serve_checkout.py --size small --tenants 100 --clients 200 [--keep FOLDER]
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.place import SIZES, Place, demonstration
from benchmarks.servers import RAISED, ours_running
from db.tables import Role
from tests.builders import tenant
from tests.large import ASKED, fill

NO_CROWD = {"in_crowd": 0}  # of contacts at one client: the organizations are to cost the same


async def load_tenants(place: Place, count: int, clients: int) -> list[str]:
    """Fill so many organizations, unless an earlier run has, and return a token of each."""
    stored = place.data_dir / "tokens.json"
    tokens: list[str] = json.loads(stored.read_text()) if stored.exists() else []
    owner = await asyncpg.connect(place.owner_url)
    try:
        for number in range(len(tokens), count):
            organization = await tenant(owner, f"Organization {number}")
            await fill(owner, organization, clients, ASKED, **NO_CROWD)
            tokens.append(organization.tokens[Role.OWNER])
            stored.write_text(json.dumps(tokens))
        await owner.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await owner.close()
    return tokens[:count]


def main(given: argparse.Namespace) -> None:
    with demonstration(given.keep, SIZES[given.size]) as place:
        tokens = asyncio.run(load_tenants(place, given.tenants, given.clients)) if given.tenants else []
        with ours_running(place, RELATIES_COMPILED_EXECUTOR="true", **RAISED) as server:
            target, process = server[:2]
            ready: dict[str, Any] = {"port": target.port, "pid": process.pid, "owner_url": place.owner_url}
            print(json.dumps(ready | {"token": place.token, "tokens": tokens}), flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--tenants", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--keep", type=Path)
    main(parser.parse_args())
