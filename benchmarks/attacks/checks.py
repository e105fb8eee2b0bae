"""Check attacks that need no load: recovering amounts, markup in names on the command line, and access to the demo's token."""

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
from benchmarks.demo_database import DemoDatabase
from benchmarks.load import Target
from benchmarks.queries import decode_key
from benchmarks.servers import BIN, run_demo
from domain.organization.tokens import new_secret
from tests.support.builders import add_token

HOSTILE_NAME = "[/x] [link=https://evil.example]name[/link] \x1b[31m"
COUNT_POSITIONS, INVOICE_POSITION = 14, 7  # the number of counts in a preview, and the index of the invoices
PREVIEW = "query ($id: ID!) { client(by: {id: $id}) { archivedAt deletionPreview { invoiceCount token amounts { currency } } } }"
SCOPED_TOKEN = 'mutation { tokenCreate(input: {name: "No figures", role: OWNER, scope: [CLIENTS_READ, CLIENTS_ARCHIVE]}) { secret } }'  # noqa: S105 no secret


@dataclass(frozen=True)
class Check:
    """The result of a check."""

    name: str
    is_held: bool
    result: str

    def __str__(self) -> str:
        return f"{self.name:34} {'held' if self.is_held else 'MISSED'}  {self.result}"


async def check_digest(target: Target, attackers: Attackers) -> Check:
    """Check that a preview for a token without FINANCE_READ has no digest from which amounts can be recovered by trying values."""
    name, began = "amounts from a preview's digest", time.perf_counter()
    api = Target("", target.port, attackers.tokens["OWNER"])
    answer: Any = await api.post({"query": SCOPED_TOKEN})
    api = Target("", target.port, answer["data"]["tokenCreate"]["secret"])
    answer = await api.post({"query": PREVIEW, "variables": {"id": attackers.ids["archived"]}})
    client, key = answer["data"]["client"], decode_key(attackers.ids["archived"])
    signed_parts = {part for part in decode_payload(client["deletionPreview"]["token"]) if isinstance(part, str)}
    for net, text in _candidate_contents(client, key):
        if sha256(text).hexdigest() in signed_parts:
            return Check(name, is_held=False, result=f"recovered {net} in {time.perf_counter() - began:.1f} s")
    return Check(name, is_held=True, result=f"no amount up to {MOST_CENTS / 100:.2f} matches")


def decode_payload(token: str) -> list[object]:
    """Return the JSON list in the token after its signature, or an empty list if there is none."""
    decoded = urlsafe_b64decode(token)
    match = re.search(rb"\[.*\]", decoded, re.DOTALL)
    try:
        parts = json.loads(match[0]) if match else []
    except ValueError:
        return []
    return parts if isinstance(parts, list) else []


def _candidate_contents(client: dict[str, Any], key: str) -> Iterator[tuple[str, bytes]]:
    """Yield the possible contents of the preview, for each amount that the client's only invoice may have. VAT is 21 percent."""
    counts = [key, str(datetime.fromisoformat(client["archivedAt"])), *[0] * COUNT_POSITIONS]
    counts[2 + INVOICE_POSITION] = client["deletionPreview"]["invoiceCount"]
    for unbilled in ("0.00", "0"):
        text = json.dumps([counts, [[key, "EUR", "@net", "@gross", unbilled]], []])
        before, between, after = re.split("@net|@gross", text)
        for cents in range(MOST_CENTS):
            gross = (cents * 121 + 50) // 100
            net = f"{cents // 100}.{cents % 100:02}"
            yield net, f"{before}{net}{between}{gross // 100}.{gross % 100:02}{after}".encode()


async def check_command_line(database: DemoDatabase, attackers: Attackers) -> Check:
    """Check that commands print names chosen by a tenant literally, without markup or terminal sequences."""
    owner = await asyncpg.connect(database.owner_url)
    try:
        member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 LIMIT 1", attackers.organization)
        await add_token(owner, attackers.organization, new_secret(), member_id=member, name=HOSTILE_NAME)
        await owner.execute("UPDATE relaties.organization SET name = $2 WHERE tenant_id = $1", attackers.organization, HOSTILE_NAME)
    finally:
        await owner.close()
    wrong = []
    for command in (["token", "list", "--organization", str(attackers.organization)], ["token", "create"]):
        output = await asyncio.to_thread(_run_command, database, command)
        if "Traceback" in output or "\x1b[31m" in output or not {"[/x]", "[link="} <= set(re.findall(r"\[/x\]|\[link=", output)):
            wrong.append(" ".join(command[:2]))
    return Check("markup in names", not wrong, f"{', '.join(wrong)} failed or interpreted the markup" if wrong else "printed literally")


def _run_command(database: DemoDatabase, command: list[str]) -> str:
    """Return the output of the program, including its errors."""
    settings = {"DATABASE_URL": database.runtime_url, "RELATIES_OWNER_URL": database.owner_url, "RELATIES_DATA_DIR": str(database.data_dir)}
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    result = subprocess.run(  # noqa: S603 our own program
        [BIN / "relaties", *command], env=environment | settings, capture_output=True, text=True, check=False, timeout=60
    )
    return result.stdout + result.stderr


def check_graphiql(database: DemoDatabase) -> Check:
    """Check that a local program or proxy that does not know the code of this start does not get the demo's token."""
    with run_demo(database) as server:
        connection = HTTPConnection("127.0.0.1", server.target.port, timeout=60)
        connection.request("GET", "/graphiql/config", headers={"Host": "127.0.0.1"})
        is_given = b"rlt_" in connection.getresponse().read()
        connection.close()
    return Check("/graphiql/config", not is_given, "gives the demo's token to any local process" if is_given else "gives no token")
