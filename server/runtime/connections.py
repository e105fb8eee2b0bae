"""Limit the connections of a worker process: in total, and of one address.

When a limit is reached, the connection that has been silent for longest makes room: one that never sent a byte is worth less than one that
may be about to send a request. Admitting, closing and forgetting a connection takes constant time, so that a flood costs no more than its
size.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from server.ip_addresses import TrustedProxies, limit_key

REFUSAL_FACTOR = 3  # refused connections that may wait for their client to read the refusal, for each that is held


class Peer(Protocol):
    """A connection as the limits see it."""

    def refuse_connection(self, reason: "RefusalReason") -> None:
        """Answer with the reason and close soon; reset the connection in a flood."""
        ...


class RefusalReason(Enum):
    """Why a connection is refused; the value is for its client."""

    IN_TOTAL = "Too many connections at once. Try again in a moment."
    OF_ADDRESS = "Too many connections from your address at once. Close those that you do not use, or try again in a moment."
    FLOOD = ""  # even an answer would cost too much


@dataclass(eq=False, slots=True)
class _Group:
    """The connections of one address."""

    name: str
    count: int = 0
    silent_peers: OrderedDict[Peer, None] = field(default_factory=OrderedDict)


class ConnectionLimiter:
    """Count the open connections and decide which ones stay."""

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
        """Hold a new connection from a host, or return why not. If a limit is reached, first close the oldest silent connection."""
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

        A request that has arrived is safe: libuv accepts one connection in each iteration of the loop, and reads from the others before.
        """
        if not silent_peers:
            return False
        peer = next(iter(silent_peers))
        self.forget(peer)
        peer.refuse_connection(self._refuse(peer, reason))
        return True

    def _refuse(self, peer: Peer, reason: RefusalReason) -> RefusalReason:
        """Remember a refused connection until it is closed. A refusal is read by its client first, so refusals are bounded, too."""
        if len(self._refused_peers) >= REFUSAL_FACTOR * self._limit:
            return RefusalReason.FLOOD
        self._refused_peers.add(peer)
        return reason
