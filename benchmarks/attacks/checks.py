"""Attacks that need no load: whether amounts can be recovered, whether a name breaks the command line, who is given the demo's token."""

import asyncio
import json
import os
import re
import subprocess
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http.client import HTTPConnection
from typing import Any

import asyncpg

from benchmarks.attacks.data import MOST_CENTS, Attackers
from benchmarks.load import Target
from benchmarks.place import Place
from benchmarks.queries import key_of
from benchmarks.servers import BIN, demo_running
from domain.organization.tokens import new_secret
from tests.builders import add_token

HOSTILE_NAME = "[/x] [link=https://evil.example]name[/link] \x1b[31m"
PLACES, PLACE_OF_INVOICES = 14, 7  # of the counts that a preview is made of
PREVIEW = "query ($id: ID!) { client(by: {id: $id}) { archivedAt deletionPreview { invoiceCount token amounts { currency } } } }"
SCOPED = 'mutation { tokenCreate(input: {name: "No figures", role: OWNER, scope: [CLIENTS_READ, CLIENTS_ARCHIVE]}) { secret } }'


@dataclass(frozen=True)
class Check:
    """What was tried, and what came of it."""

    name: str
    is_held: bool
    said: str

    def __str__(self) -> str:
        return f"{self.name:34} {'held' if self.is_held else 'MISSED'}  {self.said}"


async def digest(target: Target, found: Attackers) -> Check:
    """A token without FINANCE_READ gets a preview, and looks for the amounts that its digest is of."""
    name, began = "amounts from a preview's digest", time.perf_counter()
    api = Target("", target.port, found.tokens["OWNER"])
    answer: Any = await api.answer({"query": SCOPED})
    api = Target("", target.port, answer["data"]["tokenCreate"]["secret"])
    answer = await api.answer({"query": PREVIEW, "variables": {"id": found.ids["archived"]}})
    client, key = answer["data"]["client"], key_of(found.ids["archived"])
    sealed = {part for part in payload(client["deletionPreview"]["token"]) if isinstance(part, str)}
    for net, text in _candidates(client, key):
        if sha256(text).hexdigest() in sealed:
            return Check(name, is_held=False, said=f"recovered {net} in {time.perf_counter() - began:.1f} s")
    return Check(name, is_held=True, said=f"no sum up to {MOST_CENTS / 100:.2f} fits")


def payload(token: str) -> list[object]:
    """What the token carries behind its signature, where that is JSON."""
    opened = urlsafe_b64decode(token)
    found = re.search(rb"\[.*\]", opened, re.DOTALL)
    try:
        said = json.loads(found[0]) if found else []
    except ValueError:
        return []
    return said if isinstance(said, list) else []


def _candidates(client: dict[str, Any], key: str) -> Iterator[tuple[str, bytes]]:
    """What the preview was made of, with each amount that the client's only invoice may have been of; VAT is 21 percent."""
    counts = [key, str(datetime.fromisoformat(client["archivedAt"])), *[0] * PLACES]
    counts[2 + PLACE_OF_INVOICES] = client["deletionPreview"]["invoiceCount"]
    for unbilled in ("0.00", "0"):
        text = json.dumps([counts, [[key, "EUR", "@net", "@gross", unbilled]], []])
        before, between, after = re.split("@net|@gross", text)
        for cents in range(MOST_CENTS):
            gross = (cents * 121 + 50) // 100
            net = f"{cents // 100}.{cents % 100:02}"
            yield net, f"{before}{net}{between}{gross // 100}.{gross % 100:02}{after}".encode()


async def command_line(place: Place, found: Attackers) -> Check:
    """Commands that print names which a tenant has chosen: they must print them as they are."""
    owner = await asyncpg.connect(place.owner_url)
    try:
        member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 LIMIT 1", found.organization)
        await add_token(owner, found.organization, new_secret(), member_id=member, name=HOSTILE_NAME)
        await owner.execute("UPDATE relaties.organization SET name = $2 WHERE tenant_id = $1", found.organization, HOSTILE_NAME)
    finally:
        await owner.close()
    wrong = []
    for command in (["token", "list", "--organization", str(found.organization)], ["token", "create"]):
        printed = await asyncio.to_thread(_printed, place, command)
        if "Traceback" in printed or "\x1b[31m" in printed or not {"[/x]", "[link="} <= set(re.findall(r"\[/x\]|\[link=", printed)):
            wrong.append(" ".join(command[:2]))
    return Check("markup in names", not wrong, f"{', '.join(wrong)} failed or took it for markup" if wrong else "printed as it is")


def _printed(place: Place, command: list[str]) -> str:
    """What the program prints, its errors too."""
    settings = {"DATABASE_URL": place.runtime_url, "RELATIES_OWNER_URL": place.owner_url, "RELATIES_DATA_DIR": str(place.data_dir)}
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    done = subprocess.run(  # noqa: S603 our own program
        [BIN / "relaties", *command], env=kept | settings, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


def graphiql(place: Place) -> Check:
    """A program or a proxy on this machine that does not send the code of this start does not get the demo's token."""
    with demo_running(place) as server:
        asking = HTTPConnection("127.0.0.1", server.target.port, timeout=60)
        asking.request("GET", "/graphiql/config", headers={"Host": "127.0.0.1"})
        is_given = b"rlt_" in asking.getresponse().read()
        asking.close()
    return Check("/graphiql/config", not is_given, "gives the demo's token to any local process" if is_given else "gives no token")
