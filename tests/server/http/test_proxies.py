"""`X-Forwarded-For` is used if a trusted proxy sends it, and ignored otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.cli.doctor import check_proxies
from server.ip_addresses import TrustedProxies, parse_networks
from server.settings import SettingsError, read_settings
from tests.support.databases import runtime_url
from tests.support.processes import ServerProcess, run_relaties, run_server
from tests.support.raw_http import build_request, open_connection

PROXY = "127.0.0.9"
WRONG = "Authorization: Bearer rlt_" + "x" * 40
UNAUTHENTICATED, RATE_LIMITED = (401, "UNAUTHENTICATED"), (429, "RATE_LIMITED")


@pytest.fixture(scope="module")
def server(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a server on which an address may send three wrong tokens."""
    environment = {"RELATIES_TRUSTED_PROXIES": f"{PROXY}, 10.0.0.0/8", "RELATIES_MAX_AUTH_FAILURES": "3"}
    with run_server(DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path_factory.mktemp("data")), **environment) as process:
        yield process


async def send_wrong_token(server: ServerProcess, peer: str, *forwarded_for: str) -> tuple[int, str]:
    """Send a wrong token from the peer's address, and return the status and code of the error."""
    async with open_connection(server.port, peer) as client_connection:
        return (
            await client_connection.send_and_read(
                build_request("POST", "/graphql", WRONG, *(f"X-Forwarded-For: {each}" for each in forwarded_for))
            )
        ).code


async def test_untrusted_peer_cannot_name_another_client(server: ServerProcess) -> None:
    """A peer on the same machine is not trusted either. Wrong tokens count for the peer, and the log says once what to set."""
    codes = [await send_wrong_token(server, "127.0.0.1", f"192.0.2.{number}") for number in range(4)]
    assert codes == [UNAUTHENTICATED] * 3 + [RATE_LIMITED]
    assert [await send_wrong_token(server, "127.0.0.2", "192.0.2.1") for _ in range(4)] == [UNAUTHENTICATED] * 3 + [RATE_LIMITED]
    warnings = [line for line in server.output.splitlines() if "X-Forwarded-For" in line]
    assert len(warnings) == 1
    assert "RELATIES_TRUSTED_PROXIES=127.0.0.1" in warnings[0]
    assert "192.0.2" not in server.output


async def test_trusted_proxy_names_the_client(server: ServerProcess) -> None:
    """Each client has its own limit, whatever it writes into the header itself. IPv6 addresses count by their /64 network."""
    mine = ["192.0.2.1", "1.1.1.1, 192.0.2.1", "192.0.2.1:5000, 10.1.2.3", "junk, ::ffff:192.0.2.1"]
    assert [await send_wrong_token(server, PROXY, each) for each in mine] == [UNAUTHENTICATED] * 3 + [RATE_LIMITED]
    theirs = [("2001:db8::1",), ("[2001:db8::2]:443",), ("192.0.2.1", "2001:db8::3"), ("2001:db8::4", "10.0.0.1")]
    assert [await send_wrong_token(server, PROXY, *each) for each in theirs] == [UNAUTHENTICATED] * 3 + [RATE_LIMITED]
    assert await send_wrong_token(server, PROXY, "2001:db8:0:1::1") == UNAUTHENTICATED
    assert await send_wrong_token(server, PROXY) == UNAUTHENTICATED


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ([b"192.0.2.1"], "192.0.2.1"),
        ([b"198.51.100.1, 192.0.2.1"], "192.0.2.1"),
        ([b"192.0.2.1, 10.0.0.1,10.0.0.2"], "192.0.2.1"),
        ([b"198.51.100.1", b"192.0.2.1", b"10.0.0.1"], "192.0.2.1"),
        ([b"10.0.0.1"], "10.0.0.1"),
        ([b"unknown, 10.0.0.1"], "10.0.0.1"),
        ([b"192.0.2.1, unknown"], None),
        ([b"unknown"], None),
        ([b""], None),
        ([b"\xff\x00" * 5000], None),
        ([b"," * 10_000], None),
        ([b"10.0.0.1," * 1000 + b"10.0.0.2"], "10.0.0.1"),
        ([b"[2001:db8::1]:443"], "2001:db8::1"),
        ([b"fe80::1%" + b"x" * 1000], "fe80::1"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_client_is_the_last_untrusted_address(forwarded_for: list[bytes], client: str | None) -> None:
    """A client can write anything before its own address. Text that is not an address is ignored."""
    assert TrustedProxies(parse_networks("10.0.0.0/8")).find_client(forwarded_for) == client


@pytest.mark.parametrize(
    ("trusted_networks", "host", "is_trusted"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.0.0.0/8, 2001:db8::/32", "10.255.0.1", True),
        ("10.0.0.0/8, 2001:db8::/32", "2001:db8::1", True),
        ("10.0.0.0/8", "::ffff:10.0.0.1", True),
        ("::ffff:10.0.0.0/104", "10.0.0.1", True),
        ("::1", "127.0.0.1", False),
        ("0.0.0.0/0", "", False),
        ("", "127.0.0.1", False),
    ],
)
def test_which_peers_are_trusted(trusted_networks: str, host: str, *, is_trusted: bool) -> None:
    assert (host in TrustedProxies(parse_networks(trusted_networks))) == is_trusted


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/8", "10.0.0", "10.0.0.1;10.0.0.2", "*", "127.0.0.1:80"])
def test_wrong_trusted_proxies_are_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("RELATIES_TRUSTED_PROXIES", value)
    with pytest.raises(SettingsError, match=r"^RELATIES_TRUSTED_PROXIES: .*separate IP addresses and networks with commas"):
        read_settings()


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, None),
        ({"RELATIES_HOST": "localhost"}, None),
        ({"RELATIES_HOST": "0.0.0.0"}, "[note]  RELATIES_TRUSTED_PROXIES: not set. If a proxy forwards requests to 0.0.0.0, "),  # noqa: S104
        ({"RELATIES_HOST": "::"}, "[note]  RELATIES_TRUSTED_PROXIES: not set. If a proxy forwards requests to ::, "),
        (
            {"RELATIES_ENV": "production", "RELATIES_SECRET_KEY": "k" * 32},
            "[note]  RELATIES_TRUSTED_PROXIES: not set. If a proxy forwards requests to 127.0.0.1, ",
        ),
        ({"RELATIES_HOST": "0.0.0.0", "RELATIES_TRUSTED_PROXIES": "10.0.0.5,::1"}, "[ok]    trusted proxies 10.0.0.5/32, ::1/128"),  # noqa: S104
    ],
    ids=str,
)
def test_doctor_suggests_trusted_proxies(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], line: str | None) -> None:
    """It does so where a proxy is likely and the setting is empty."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    lines = [finding.line for finding in check_proxies(read_settings())]
    assert lines == [] if line is None else (len(lines) == 1 and lines[0].startswith(line))


def test_possibly_missing_proxy_is_no_failure(owner_url: str, tmp_path: Path) -> None:
    """The command prints a note and succeeds."""
    result = run_relaties("doctor", DATABASE_URL=runtime_url(owner_url), RELATIES_DATA_DIR=str(tmp_path), RELATIES_HOST="192.0.2.1")
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "No problems found.")
    assert sum(line.startswith("[note]  RELATIES_TRUSTED_PROXIES: not set.") for line in result.stdout.splitlines()) == 1
