"""The commands create what they should, report mistakes in one line, and stop only the servers that they started."""

import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from typer.testing import CliRunner

from db import demo
from db.engine.urls import with_database_name
from server.cli.main import cli
from tests.support.builders import create_tenant
from tests.support.databases import runtime_url
from tests.support.demo_data import SMALL_SIZE
from tests.support.processes import PROGRAM, ServerProcess, extract_token, find_free_port, run_relaties, run_server

MARKS = "a" + "\u0300" * 31
VIEWER = {"query": "{ viewer { organization { name } member { email } permissions } }"}


def error_line(result: "subprocess.CompletedProcess[str]") -> str:
    """Return the only line that a failed command printed."""
    assert (result.returncode, result.stdout) == (1, ""), result.stdout + result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.strip()


@pytest.fixture
async def settings(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> dict[str, str]:
    """Return the settings for an empty database."""
    url = await fresh_database()
    return {"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path)}


def viewer(server: ServerProcess, token: str) -> httpx.Response:
    return httpx.post(f"{server.address}/graphql", json=VIEWER, headers={"authorization": f"Bearer {token}"}, timeout=30)


def test_first_organization_to_first_answer(settings: dict[str, str]) -> None:
    """With one organization, `--organization` is not needed. `--quiet` prints only the token, and a revoked token no longer works."""
    assert "none yet" in error_line(run_relaties("token", "create", "--role", "VIEWER", **settings))
    run_relaties("organization", "create", "Één & Twee", "--currency", "USD", **settings)
    run_relaties("member", "add", "Jan", "jan@x.example", "--role", "FINANCE", **settings)
    quiet = run_relaties("token", "create", "--member", "JAN@x.example", "--quiet", **settings).stdout
    assert quiet == f"{extract_token(quiet)}\n"
    narrow = extract_token(run_relaties("token", "create", "--member", "jan@x.example", "--scope", "FINANCE_READ", **settings).stdout)
    with run_server(**settings) as server:
        viewer_data = viewer(server, quiet.strip()).json()["data"]["viewer"]
        assert viewer_data["organization"] == {"name": "Één & Twee"}
        assert viewer_data["member"] == {"email": "jan@x.example"}
        assert "CLIENTS_ARCHIVE" not in viewer_data["permissions"]
        assert viewer(server, narrow).json()["data"]["viewer"]["permissions"] == ["FINANCE_READ"]
    listed = run_relaties("token", "list", **settings).stdout
    assert (listed.count("Jan"), listed.count("FINANCE_READ"), extract_token(quiet)[4:] in listed) == (2, 1, False)
    key = next(word for word in listed.split() if word.count("-") == 4)
    assert run_relaties("token", "revoke", key, **settings).stdout == "The token is revoked.\n"
    with run_server(**settings) as server:
        assert sorted(viewer(server, token).status_code for token in (quiet.strip(), narrow)) == [200, 401]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["member", "add", "Jan", "nowhere"], "email: An e-mail address must have a name, an @ and a domain"),
        (["member", "add", "", "jan@x.example"], "name: `name` cannot be empty."),
        (["member", "add", "Jan", "an@x.example"], "Another member has the e-mail address an@x.example. Use another address."),
        (["organization", "create", " "], "name: `name` cannot be empty."),
        (["organization", "create", "X", "--currency", "DEM"], "baseCurrency: A currency must be a three-letter code"),
        (["token", "create"], "A token without a member needs a role. Pass `role`."),
        (["token", "create", "--member", "nobody@x.example"], "No member has the e-mail address nobody@x.example. Check the address."),
        (
            ["token", "create", "--member", "an@x.example", "--role", "OWNER"],
            "An is VIEWER, so their token cannot be OWNER. Choose a lower `role`.",
        ),
        (["token", "create", "--role", "VIEWER", "--expires", "2020-01-01"], "`expiresAt` must be in the future"),
        (
            ["token", "revoke", "01890000-0000-7000-8000-000000000000"],
            "There is no token with this ID. It may have been deleted: look it up again.",
        ),
        (["organization", "create", "x" * 801], "name: `name` must have at most 200 characters; this has 801."),
        (["organization", "create", MARKS], "name: A character must have at most 30 combining marks"),
        (["member", "add", MARKS, "jan@x.example"], "name: A character must have at most 30 combining marks"),
        (["token", "create", "--role", "VIEWER", "--name", MARKS], "name: A character must have at most 30 combining marks"),
        (["token", "create", "--member", MARKS], "member: `member`: A character must have at most 30 combining marks"),
        (["token", "create", "--member", "x" * 1017], "member: `member` must have at most 254 characters."),
        (["token", "list", "--organization", MARKS], "`--organization`: A character must have at most 30 combining marks"),
        (["token", "list", "--organization", "Other"], "Pass a name or id as `--organization`. Organizations: First ("),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_invalid_arguments_are_rejected_in_one_line_and_change_nothing(
    first_settings: dict[str, str], count_objects: Callable[[], Awaitable[list[int]]], arguments: list[str], says: str
) -> None:
    """The numbers of members, tokens and organizations stay the same."""
    before = await count_objects()
    assert says in error_line(run_relaties(*arguments, **first_settings))
    assert await count_objects() == before


async def test_names_are_accepted_in_any_terminal_form(settings: dict[str, str]) -> None:
    """Terminals of macOS send accents as separate characters, and pasted text may contain invisible ones."""
    run_relaties("organization", "create", "E\u0301e\u0301n\u200b", **settings)
    run_relaties("organization", "create", "Twee", **settings)
    assert extract_token(run_relaties("token", "create", "--organization", "\u00c9\u00e9n", "--role", "VIEWER", **settings).stdout)
    assert "VIEWER" in run_relaties("token", "list", "--organization", "E\u0301\u00e9n\ufeff", **settings).stdout
    run_relaties("member", "add", "Jan", "jan@x.example", "--organization", "\ufeffTwee", **settings)
    member = run_relaties("token", "create", "--organization", "Twee", "--member", "\u200bjan@x.example ", **settings)
    assert (member.returncode, member.stderr) == (0, "")


@pytest.fixture(scope="module")
async def first_settings(fresh_database: Callable[[], Awaitable[str]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the settings for a database with one organization and one member."""
    url = await fresh_database()
    environment = {"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path_factory.mktemp("cli"))}
    run_relaties("organization", "create", "First", **environment)
    run_relaties("member", "add", "An", "an@x.example", "--role", "VIEWER", **environment)
    return environment


@pytest.fixture
async def count_objects(first_settings: dict[str, str]) -> AsyncIterator[Callable[[], Awaitable[list[int]]]]:
    """Return a function that counts organizations, members and tokens."""
    owner = await asyncpg.connect(first_settings["RELATIES_OWNER_URL"])

    async def count() -> list[int]:
        return [await owner.fetchval(f"SELECT count(*) FROM relaties.{table}") for table in ("organization", "member", "api_token")]

    yield count
    await owner.close()


async def test_doctor_reports_problems_and_advice(settings: dict[str, str], admin: asyncpg.Connection, server_url: str) -> None:
    """It reports an unreachable database, missing tables, a role that bypasses row-level security, and an owner without privileges."""
    well = run_relaties("doctor", **settings)
    assert (well.returncode, well.stdout.splitlines()[-1]) == (0, "No problems found.")
    nowhere = run_relaties("doctor", **{**settings, "DATABASE_URL": f"postgresql://me:pw@127.0.0.1:{find_free_port()}/x"})
    assert nowhere.returncode == 1
    assert "[wrong] DATABASE_URL: cannot connect to postgresql://me@127.0.0.1:" in nowhere.stdout
    assert "pw" not in nowhere.stdout
    empty = f"relaties_empty_{find_free_port()}"
    await admin.execute(f"CREATE DATABASE {empty}")
    bare = run_relaties("doctor", **{**settings, "DATABASE_URL": runtime_url(with_database_name(server_url, empty))})
    assert "[wrong] The tables do not exist. Set RELATIES_OWNER_URL and run `relaties migrate`." in bare.stdout
    await admin.execute(f"DROP DATABASE {empty} WITH (FORCE)")
    weak = run_relaties("doctor", **{**settings, "RELATIES_OWNER_URL": settings["DATABASE_URL"]})
    assert "[wrong] RELATIES_OWNER_URL: role relaties_test needs CREATEROLE and BYPASSRLS" in weak.stdout
    weak = run_relaties("migrate", **{**settings, "RELATIES_OWNER_URL": settings["DATABASE_URL"]})
    assert "permission denied for database" in error_line(weak)
    assert error_line(weak).endswith("The role needs CREATEROLE and BYPASSRLS.")
    direct = run_relaties("doctor", **{**settings, "RELATIES_DIRECT_URL": f"postgresql://me:pw@127.0.0.1:{find_free_port()}/x"})
    assert "[wrong] RELATIES_DIRECT_URL: cannot connect to" in direct.stdout


async def test_doctor_compares_and_rebuilds_monthly_balances(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> None:
    """It does so for each organization, in one line that counts the wrong ones. Correct balances stay untouched."""
    url = await fresh_database()
    owner = await asyncpg.connect(url)
    orgs = [await create_tenant(owner, name) for name in ("Een", "Twee")]
    for org in orgs:
        for client in [await org.add_client(f"Client {index}") for index in range(3)]:
            await org.add_invoice(client, date(2026, 1, 1), "100.00")
    settings = {"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path)}
    assert "[ok]    revenue of 6 clients" in run_relaties("doctor", **settings).stdout.splitlines()
    change = "UPDATE relaties.client_month SET invoiced = 1 WHERE client_id = ANY ($1)"
    await owner.execute(change, orgs[1].clients[:2])
    row_query = "SELECT xmin::text FROM relaties.client_month WHERE client_id <> ALL ($1)"
    others = await owner.fetch(row_query, orgs[1].clients[:2])
    result = run_relaties("doctor", **settings)
    message = "Stored revenue differs from invoices and payments for clients: 2 of Twee."
    advice = "To rebuild it, run `relaties doctor --rebuild-revenue`."
    assert (result.returncode, result.stdout.splitlines()[-1], result.stderr.strip()) == (1, f"[wrong] {message} {advice}", "")
    alone = {name: value for name, value in settings.items() if name != "RELATIES_OWNER_URL"}
    assert "[ok]    revenue" not in run_relaties("doctor", **alone).stdout
    assert error_line(run_relaties("doctor", "--rebuild-revenue", **alone)).startswith("RELATIES_OWNER_URL: required by this command")
    result_after = run_relaties("doctor", "--rebuild-revenue", **settings)
    assert (result_after.returncode, result_after.stdout.splitlines()[-2:]) == (
        0,
        ["[ok]    revenue of 6 clients, rebuilt: 2 of Twee", "No problems found."],
    )
    assert "[ok]    revenue of 6 clients" in run_relaties("doctor", **settings).stdout.splitlines()
    assert await owner.fetch(row_query, orgs[1].clients[:2]) == others
    await owner.close()


async def test_serve_refuses_a_role_that_sees_too_much(settings: dict[str, str], admin: asyncpg.Connection) -> None:
    """It refuses after the migration and before it answers requests. The role itself is not changed."""
    own = "SELECT count(*) FROM pg_db_role_setting WHERE setrole = current_user::regrole"
    result = run_relaties("serve", "--port", str(find_free_port()), **{**settings, "DATABASE_URL": settings["RELATIES_OWNER_URL"]})
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].startswith("DATABASE_URL: role ")
    assert await admin.fetchval(own) == 0
    nowhere = {**settings, "DATABASE_URL": f"postgresql://me@127.0.0.1:{find_free_port()}/x"}
    nowhere.pop("RELATIES_OWNER_URL")
    assert error_line(run_relaties("serve", "--port", str(find_free_port()), **nowhere)).startswith("DATABASE_URL: cannot connect to")
    assert error_line(run_relaties("token", "list", **nowhere)).startswith("RELATIES_OWNER_URL: required by this command")


def test_a_command_beside_a_running_server_stops_nothing(postgres_dir: Path) -> None:
    """With the embedded database the server keeps running. The last process to use the database stops it."""
    home = postgres_dir / "beside"
    alone = run_relaties("organization", "create", "Alone", "--data-dir", str(home))
    assert alone.returncode == 0, alone.stderr
    assert find_servers(home) == 0
    with run_server("--no-demo", "--data-dir", str(home)) as server:
        token = run_relaties("token", "create", "--role", "VIEWER", "--quiet", "--data-dir", str(home)).stdout.strip()
        assert viewer(server, token).json()["data"]["viewer"]["organization"] == {"name": "Alone"}
        assert find_servers(home) == 1
    assert find_servers(home) == 0


def find_servers(home: Path) -> int:
    return sum(str(home / "data") in (process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_a_server_cleanly(settings: dict[str, str], number: signal.Signals) -> None:
    """It exits with status 0 and prints no traceback."""
    port = find_free_port()
    server = ServerProcess([str(PROGRAM), "serve", "--port", str(port)], port, settings)
    server.wait_for_output("answers at")
    assert server.stop(number) == 0, server.output
    assert "Traceback" not in server.output


def test_port_in_use_is_reported_at_once(settings: dict[str, str]) -> None:
    """The error comes before anything is started."""
    with run_server(**settings) as server:
        message = error_line(run_relaties("serve", "--port", str(server.port), **settings))
    assert message.startswith(f"Cannot serve on 127.0.0.1:{server.port}: ")
    assert message.endswith("use another port: `relaties serve --port 8001`.")


async def test_lost_demo_token_is_recreated(settings: dict[str, str]) -> None:
    """The token file was lost with the data folder, or the token was revoked: the next start prints a valid token."""
    owner = await asyncpg.connect(settings["RELATIES_OWNER_URL"])
    await demo.load(owner, token_hash=bytes(32), progress=lambda *_: None, size=SMALL_SIZE)
    first = extract_token(run_relaties("demo", "load", **settings).stdout)
    assert extract_token(run_relaties("demo", "load", **settings).stdout) == first
    await owner.execute("UPDATE relaties.api_token SET revoked_at = now()")
    await owner.close()
    with run_server("--demo", **settings) as server:
        second = extract_token(server.wait_for_output("Token of the demo"))
        assert viewer(server, second).json()["data"]["viewer"]["organization"] == {"name": "Noorderlicht Advies"}
    assert second != first


def test_the_schema_is_printed() -> None:
    """The output equals the committed file."""
    schema_path = Path(__file__).parents[3] / "schema" / "schema.graphql"
    assert run_relaties("schema", "print").stdout == schema_path.read_text()


def test_program_describes_itself() -> None:
    assert "Usage: relaties" in run_relaties("--help").stdout


def test_every_command_has_help() -> None:
    for command in (
        [],
        ["serve"],
        ["migrate"],
        ["demo", "load"],
        ["organization", "create"],
        ["member", "add"],
        ["token", "create"],
        ["doctor"],
    ):
        result = CliRunner().invoke(cli, [*command, "--help"], prog_name="relaties")
        assert result.exit_code == 0
        assert " ".join(["Usage: relaties", *command]) in result.stdout
