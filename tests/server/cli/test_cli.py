"""The command line: what it makes, what it refuses in one line, and that it stops only what it started."""

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
    """Return the one line of a failed command."""
    assert (result.returncode, result.stdout) == (1, ""), result.stdout + result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.strip()


@pytest.fixture
async def settings(fresh_database: Callable[[], Awaitable[str]], tmp_path: Path) -> dict[str, str]:
    """A database of one's own with nothing in it."""
    url = await fresh_database()
    return {"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path)}


def viewer(server: ServerProcess, token: str) -> httpx.Response:
    return httpx.post(f"{server.address}/graphql", json=VIEWER, headers={"authorization": f"Bearer {token}"}, timeout=30)


def test_first_organization_to_first_answer(settings: dict[str, str]) -> None:
    """With one organization it need not be named; `--quiet` prints the token alone; a revoked one is listed as such."""
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
        (["member", "add", "Jan", "nowhere"], "email: An e-mail address has a name, an @ and a domain"),
        (["member", "add", "", "jan@x.example"], "name: `name` cannot be empty."),
        (["member", "add", "Jan", "an@x.example"], "an@x.example is a member already."),
        (["organization", "create", " "], "name: `name` cannot be empty."),
        (["organization", "create", "X", "--currency", "DEM"], "baseCurrency: A currency is a code of three letters"),
        (["token", "create"], "A token without a member needs a role."),
        (["token", "create", "--member", "nobody@x.example"], "No member has the address nobody@x.example."),
        (["token", "create", "--member", "an@x.example", "--role", "OWNER"], "An is VIEWER, so a token of theirs cannot be OWNER."),
        (["token", "create", "--role", "VIEWER", "--expires", "2020-01-01"], "A token expires in the future"),
        (["token", "revoke", "01890000-0000-7000-8000-000000000000"], "There is no such token. Look it up again: it may be gone."),
        (["organization", "create", "x" * 801], "name: `name` has at most 200 characters; this has 801."),
        (["organization", "create", MARKS], "name: A character has at most 30 combining marks"),
        (["member", "add", MARKS, "jan@x.example"], "name: A character has at most 30 combining marks"),
        (["token", "create", "--role", "VIEWER", "--name", MARKS], "name: A character has at most 30 combining marks"),
        (["token", "create", "--member", MARKS], "member: `member`: A character has at most 30 combining marks"),
        (["token", "create", "--member", "x" * 1017], "member: `member` has at most 254 characters."),
        (["token", "list", "--organization", MARKS], "`--organization`: A character has at most 30 combining marks"),
        (["token", "list", "--organization", "Other"], "Name one organization with `--organization`. There are: First ("),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_invalid_arguments_are_rejected_in_one_line_and_change_nothing(
    first_settings: dict[str, str], count_objects: Callable[[], Awaitable[list[int]]], arguments: list[str], says: str
) -> None:
    """Members, tokens and organizations stay as many as they were."""
    before = await count_objects()
    assert says in error_line(run_relaties(*arguments, **first_settings))
    assert await count_objects() == before


async def test_names_are_accepted_in_any_terminal_form(settings: dict[str, str]) -> None:
    """A Mac sends accents apart; what is pasted may have characters that cannot be seen."""
    run_relaties("organization", "create", "E\u0301e\u0301n\u200b", **settings)
    run_relaties("organization", "create", "Twee", **settings)
    assert extract_token(run_relaties("token", "create", "--organization", "\u00c9\u00e9n", "--role", "VIEWER", **settings).stdout)
    assert "VIEWER" in run_relaties("token", "list", "--organization", "E\u0301\u00e9n\ufeff", **settings).stdout
    run_relaties("member", "add", "Jan", "jan@x.example", "--organization", "\ufeffTwee", **settings)
    member = run_relaties("token", "create", "--organization", "Twee", "--member", "\u200bjan@x.example ", **settings)
    assert (member.returncode, member.stderr) == (0, "")


@pytest.fixture(scope="module")
async def first_settings(fresh_database: Callable[[], Awaitable[str]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return a database with one organization and one member."""
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
    """In plain words: an unreachable database, tables that are not there, a role that sees too much, an owner that may too little."""
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
    """Of every organization, in one line that names those that are wrong; what is right stays as it is."""
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
    """After bringing the tables up to date, and before it answers anybody. The role itself is left as it is."""
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
    """On the embedded database: the server goes on; each stops what it started when it is the last."""
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
    """Status 0, no trace of a failure."""
    port = find_free_port()
    server = ServerProcess([str(PROGRAM), "serve", "--port", str(port)], port, settings)
    server.wait_for_output("answers at")
    assert server.stop(number) == 0, server.output
    assert "Traceback" not in server.output


def test_port_in_use_is_reported_at_once(settings: dict[str, str]) -> None:
    """Before anything is started."""
    with run_server(**settings) as server:
        message = error_line(run_relaties("serve", "--port", str(server.port), **settings))
    assert message.startswith(f"Cannot serve on 127.0.0.1:{server.port}: ")
    assert message.endswith("use another port: `relaties serve --port 8001`.")


async def test_lost_demo_token_is_recreated(settings: dict[str, str]) -> None:
    """Lost with the data directory, or revoked: the next start prints one that works."""
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
    """The same as the file that is kept."""
    schema_path = Path(__file__).parents[3] / "schema" / "schema.graphql"
    assert run_relaties("schema", "print").stdout == schema_path.read_text()


def test_program_describes_itself() -> None:
    """As it is installed."""
    assert "Usage: relaties" in run_relaties("--help").stdout


def test_every_command_has_help() -> None:
    """In its help."""
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
