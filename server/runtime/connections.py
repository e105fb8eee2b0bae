"""Limit the connections of a worker process, in total and per address.

When a limit is reached, the oldest connection that never sent a byte is closed, because a new connection is more likely to send a request.
Admitting, closing and forgetting a connection take constant time, so the work for a flood grows only with its size.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from server.ip_addresses import TrustedProxies, limit_key

REFUSAL_FACTOR = 3  # maximum refused connections that wait for their client to read the refusal, per allowed connection


class Peer(Protocol):
    """Connection that the limiter can refuse."""

    def refuse_connection(self, reason: "RefusalReason") -> None:
        """Send the reason and close the connection soon. Reset it in a flood."""
        ...


class RefusalReason(Enum):
    """Reason for which a connection is refused. The value is the message for its client."""

    IN_TOTAL = "Too many connections at once. Try again in a moment."
    OF_ADDRESS = "Too many connections from your address at once. Close unused connections, or try again in a moment."
    FLOOD = ""  # no response, since even that would cost too much


@dataclass(eq=False, slots=True)
class _Group:
    """Connections of one address."""

    name: str
    count: int = 0
    silent_peers: OrderedDict[Peer, None] = field(default_factory=OrderedDict)


class ConnectionLimiter:
    """Count the open connections, and decide which ones to refuse."""

    def __init__(self, limit: int, limit_per_address: int, proxies: TrustedProxies) -> None:
        self._limit = limit
        self._limit_per_address = limit_per_address
        self.proxies = proxies
        self._group_by_peer: dict[Peer, _Group] = {}
        self._silent_peers: OrderedDict[Peer, None] = OrderedDict()  # oldest first
        self._groups: dict[str, _Group] = {}
        self._refused_peers: set[Peer] = set()

    def __len__(self) -> int:
        return len(self._group_by_peer)

    def admit(self, peer: Peer, host: str) -> RefusalReason | None:
        """Admit a new connection from a host and return None, or return the reason to refuse it.

        If a limit is reached, close the oldest silent connection to make room.
        """
        name = limit_key(host)
        group = self._groups.get(name) or _Group(name)
        is_full = group.count >= self._limit_per_address and host not in self.proxies
        if is_full and not self._make_room(group.silent_peers, RefusalReason.OF_ADDRESS):
            return self._refuse(peer, RefusalReason.OF_ADDRESS)
        if len(self._group_by_peer) >= self._limit and not self._make_room(self._silent_peers, RefusalReason.IN_TOTAL):
            return self._refuse(peer, RefusalReason.IN_TOTAL)
        group.count += 1
        self._groups[name] = self._group_by_peer[peer] = group
        self._silent_peers[peer] = group.silent_peers[peer] = None
        return None

    def mark_active(self, peer: Peer) -> None:
        """Record that the first bytes of a connection have arrived."""
        if peer in self._silent_peers:
            del self._silent_peers[peer], self._group_by_peer[peer].silent_peers[peer]

    def forget(self, peer: Peer) -> None:
        """Record that a connection is closed."""
        self._refused_peers.discard(peer)
        if peer not in self._group_by_peer:
            return
        self.mark_active(peer)
        group = self._group_by_peer.pop(peer)
        group.count -= 1
        if not group.count:
            del self._groups[group.name]

    def _make_room(self, silent_peers: OrderedDict[Peer, None], reason: RefusalReason) -> bool:
        """Close the oldest connection that has sent nothing. Return whether there was one.

        No request that has arrived is lost: in each iteration, libuv reads from the open connections before it accepts a new one.
        """
        if not silent_peers:
            return False
        peer = next(iter(silent_peers))
        self.forget(peer)
        peer.refuse_connection(self._refuse(peer, reason))
        return True

    def _refuse(self, peer: Peer, reason: RefusalReason) -> RefusalReason:
        """Remember a refused connection until it is closed. Beyond the limit of refused connections, return `FLOOD`.

        A refused connection stays open until its client has read the refusal, so their number needs a limit, too.
        """
        if len(self._refused_peers) >= REFUSAL_FACTOR * self._limit:
            return RefusalReason.FLOOD
        self._refused_peers.add(peer)
        return reason
