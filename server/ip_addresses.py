"""Parse IP addresses: group them for the limits, and find the client behind trusted proxies."""

import logging
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

log = logging.getLogger("relaties")
Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
SUBSCRIBER_BITS = 64  # an IPv6 subscriber owns at least a /64 and can use any address in it
MAPPED_BITS = 96  # the prefix of IPv4-mapped IPv6, ::ffff:0:0/96
MAX_HOPS = 20


def parse_address(text: str) -> Address | None:
    """Return the address without its zone; IPv4 for IPv4-mapped IPv6; None for anything else."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def limit_key(host: str) -> str:
    """Return the key under which limits count a host: its IPv4 address or its IPv6 /64 network. Unknown hosts share one key."""
    address = parse_address(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), SUBSCRIBER_BITS), strict=False))
    return "" if address is None else str(address)


def parse_networks(text: str) -> list[Network]:
    """Parse a comma-separated list of addresses and networks. Raises `ValueError` with a message for the operator."""
    return [_parse_network(each.strip()) for each in text.split(",") if each.strip()]


def _parse_network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError("separate IP addresses and networks with commas, such as `10.0.0.5, 192.168.0.0/16, 2001:db8::/32`") from None
    mapped_address = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped_address is None or network.prefixlen < MAPPED_BITS:
        return network
    return IPv4Network((mapped_address, network.prefixlen - MAPPED_BITS))  # peers are compared as IPv4


class TrustedProxies:
    """Peers whose `X-Forwarded-For` header is trusted. A worker process warns once about another peer that sends it."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = networks
        self._has_warned = False

    def __contains__(self, host: str) -> bool:
        address = parse_address(host) if self._networks else None
        return address is not None and self._is_trusted(address)

    def find_client(self, forwarded_for: Sequence[bytes]) -> str | None:
        """Return the client that a trusted proxy names in its `X-Forwarded-For` headers, or None if it names no address.

        Each proxy appends its own peer, so the last address that is not a trusted proxy is the client. The client itself can write any
        addresses before that.
        """
        hops = b",".join(forwarded_for).decode("latin-1").rsplit(",", MAX_HOPS)
        client = None
        for hop in reversed(hops[-MAX_HOPS:]):
            address = parse_address(_strip_port(hop.strip()))
            if address is None:
                break
            client = str(address)
            if not self._is_trusted(address):
                break
        return client

    def warn_once(self, host: str) -> None:
        """Log that a peer that is not trusted sent the header, with the setting that would trust it."""
        if self._has_warned:
            return
        self._has_warned = True
        log.warning(
            "X-Forwarded-For from %s is ignored, because this address is not in RELATIES_TRUSTED_PROXIES. If it is your proxy, set "
            "RELATIES_TRUSTED_PROXIES=%s. Until then, all its clients share the limits of one address.",
            host,
            host,
        )

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _strip_port(hop: str) -> str:
    """Return the host of `192.0.2.1:80`, `[2001:db8::1]:80` or `[2001:db8::1]`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, _, port = hop.partition(":")
    return host if port.isdigit() and "." in host else hop
