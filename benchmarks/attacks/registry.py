"""Collect all attacks, and run them in a separate process."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from multiprocessing.connection import Connection

import uvloop

from benchmarks.attacks import connections, documents, memory, values
from benchmarks.attacks.scenario import Attack, Scene

ATTACKS: dict[str, Attack] = {attack.name: attack for subject in (documents, values, connections, memory) for attack in subject.ATTACKS}
STARTED_MESSAGE = "begun"
LONGEST_S = 30  # extra time for attackers whose connections a busy server does not accept


def run_attacker_process(orders: Connection, tokens: Mapping[str, str], ids: Mapping[str, str]) -> None:
    """Run the attacks that are requested by name, port and seconds, until None arrives. Report the start and the answer counts of each."""
    while order := orders.recv():
        name, port, seconds = order
        orders.send(uvloop.run(_carry_out(ATTACKS[name], Scene(port, tokens, ids, 0), seconds, orders)))


async def _carry_out(attack: Attack, scene: Scene, seconds: float, orders: Connection) -> Counter[str]:
    if attack.prepare:
        await attack.prepare(scene)
        scene.answer_counts.clear()
    scene.deadline = time.perf_counter() + seconds
    orders.send(STARTED_MESSAGE)
    try:
        async with asyncio.timeout(seconds + LONGEST_S):
            await attack.execute(scene)
    except TimeoutError:
        scene.answer_counts["gave up"] += 1
    return scene.answer_counts
