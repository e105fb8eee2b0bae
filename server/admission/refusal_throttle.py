"""Limit the rate of refusals for one organization, or for one address without a valid token.

A refusal is cheap, but a client that repeats refused requests as fast as it can keeps a worker busy: 16 connections took all of its CPU,
with 4,000 refusals a second. Beyond a burst, each refusal is delayed, which blocks its connection for that time.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable

from server.ip_addresses import limit_key

BURST_S = 0.5  # refusals without a delay, in seconds of the rate: a web page may send many requests with an expired token
MAX_DELAY_S = 5.0
MAX_CALLERS = 10_000
ANONYMOUS = object()  # all addresses without a valid token together
ANONYMOUS_FACTOR = 5  # their shared rate is this many times the rate of one address


class RefusalThrottle:
    """Space the refusals of each caller evenly beyond a burst (generic cell rate algorithm)."""

    def __init__(self, per_second: int) -> None:
        self._interval = 1 / per_second
        self._next_due: OrderedDict[Hashable, float] = OrderedDict()  # when the next refusal of a caller is due, evenly spaced

    async def wait_for_caller(self, organization: Hashable | None, address: str) -> None:
        """Wait until the organization may get another refusal, or the address if it sent no valid token."""
        await (self.wait(organization) if organization else self.wait_anonymous(limit_key(address)))

    async def wait(self, caller: Hashable) -> None:
        """Wait until the caller, an organization or an address, may get another refusal."""
        await _sleep(self._delay(caller, self._interval))

    async def wait_anonymous(self, address: str) -> None:
        """Wait until an address without a valid token may get another refusal.

        All such addresses share a rate, since an attacker who guesses tokens may have thousands of addresses.
        """
        await _sleep(max(self._delay(address, self._interval), self._delay(ANONYMOUS, self._interval / ANONYMOUS_FACTOR)))

    def _delay(self, caller: Hashable, interval: float) -> float:
        now = asyncio.get_running_loop().time()
        due = max(self._next_due.get(caller, 0.0), now)
        self._next_due[caller] = due + interval
        self._next_due.move_to_end(caller)
        if len(self._next_due) > MAX_CALLERS:
            self._next_due.popitem(last=False)
        return due - now - BURST_S


async def _sleep(delay: float) -> None:
    if delay > 0:
        await asyncio.sleep(min(delay, MAX_DELAY_S))
