"""Names that others chose cannot control the terminal: commands and logs show them with escapes."""

import ast
import json
import logging
import re
import signal
import sys
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

import asyncpg
import pytest
import typer

import server
from db.migrations import upgrade
from domain.organization.tokens import TOKEN_PATTERN, new_secret
from server.cli.main import cli, main
from server.observability.escaping import UNSAFE, escape, escape_json
from server.observability.logging import build_formatter
from server.settings import LogFormat
from tests.support.builders import Tenant, add_token, create_tenant
from tests.support.databases import runtime_url
from tests.support.processes import find_free_port, run_relaties

HOSTILE = {  # a name, and how it is shown
    "[/x]": "[/x]",
    "[link=https://evil]x[/link]": "[link=https://evil]x[/link]",
    "[red]:smile:": "[red]:smile:",
    "{task.description}%s": "{task.description}%s",
    "\x1b[2J": "\\x1b[2J",
    "\x1b]8;;https://evil\x07x": "\\x1b]8;;https://evil\\x07x",
    "\x9b2J\x85": "\\x9b2J\\x85",
    "a\r\nb\tc": "a\\r\\nb\\tc",
    "\u202eevil\u2066\u200f": "\\u202eevil\\u2066\\u200f",
    "a\u2028b\u2029c": "a\\u2028b\\u2029c",
    "\ufeff\U000e0041\x7f": "\\ufeff\\U000e0041\\x7f",
    "שלום é 👩‍👩‍👧": "שלום é 👩‍👩‍👧",
}
OVERRIDES = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # classes of characters that change the direction of text
CLOSED_PORT = find_free_port()


@dataclass
class CommandResult:
    status: int
    out: str
    err: str


class RunCommand(Protocol):
    def __call__(self, *arguments: str, **settings: str) -> CommandResult: ...


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[RunCommand]:
    """Run the program in this process, by `main`, as the installed command does."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)

    def command(*arguments: str, **settings: str) -> CommandResult:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["relaties", *arguments])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        return CommandResult(status, *capsys.readouterr())

    yield command
    for number, handler in before.items():
        signal.signal(number, handler)


@dataclass
class HostileDatabase:
    """A database in which every name is hostile, including that of the server's role."""

    settings: dict[str, str]
    tenants: dict[str, Tenant] = field(default_factory=dict)
    tokens: dict[str, UUID] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def hostile_database(fresh_database: Callable[[], Awaitable[str]], tmp_path_factory: pytest.TempPathFactory) -> HostileDatabase:
    url = await fresh_database()
    database_settings = HostileDatabase(
        {"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path_factory.mktemp("out"))}
    )
    owner = await asyncpg.connect(url)
    for name in HOSTILE:
        database_settings.tenants[name] = org = await create_tenant(owner, name)
        await owner.execute("UPDATE relaties.member SET name = $2 WHERE tenant_id = $1", org.id, name)
        member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", org.id)
        database_settings.tokens[name] = await add_token(owner, org.id, new_secret(), member_id=member, name=name)
        await org.add_invoice(await org.add_client(name), date(2026, 1, 10), "100.00")
    await owner.execute("DELETE FROM relaties.client_month")
    await owner.close()
    return database_settings


def is_plain(text: str) -> bool:
    """Return whether the text contains no characters that control a terminal."""
    return UNSAFE.search(text.replace("\n", "")) is None


def all_commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 click's own
    """Yield the path of every command."""
    root: Any = group or typer.main.get_command(cli)
    for name, each in root.commands.items():
        if hasattr(each, "commands"):
            yield from all_commands(each, (*path, name))
        else:
            yield (*path, name)


COMMANDS = [*all_commands()]


def test_every_unsafe_character_is_escaped() -> None:
    """Control characters, line separators, surrogates, marks of direction and invisible characters are escaped; visible characters are not.

    Joiners, and format characters of shorthand and musical symbols, are not escaped either.
    """
    by_category = dict[str, list[str]]()
    for character in map(chr, range(sys.maxunicode + 1)):
        by_category.setdefault(unicodedata.category(character), []).append(character)
    unsafe = [character for category in ("Cc", "Cs", "Zl", "Zp") for character in by_category[category]]
    unsafe += [character for character in by_category["Cf"] if unicodedata.bidirectional(character) in {*OVERRIDES, "BN"}]
    unsafe = [character for character in unsafe if character not in "\u200c\u200d" and not 0x1BCA0 <= ord(character) <= 0x1D17A]
    assert len(unsafe) > 2_000
    assert [ascii(character) for character in unsafe if escape(character) == character] == []
    selection = "".join(character for category, all_ in by_category.items() if category[0] in "LMNPSZ" for character in all_)
    selection = re.sub("[\u2028\u2029]", "", selection)
    assert escape(selection) == selection


def test_json_keeps_its_value() -> None:
    """A program that reads an escaped log line gets the original value."""
    for name in HOSTILE:
        escaped_line = escape_json(json.dumps({name: [name]}, ensure_ascii=False))
        assert is_plain(escaped_line)
        assert json.loads(escaped_line) == {name: [name]}


def test_only_one_module_prints() -> None:
    """Apart from the log handler, only that module writes to the terminal."""
    root = Path(server.__file__).parent.parent
    printing_modules = set()
    for path in (path for folder in ("db", "domain", "resolvers", "schema", "server") for path in (root / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if re.fullmatch(
                r"print|pprint|(typer|click)\.(echo|secho|style)|(rich\.)?print|Console|Table|sys\.std(out|err)\.write|TextColumn", name
            ):
                printing_modules.add(path.relative_to(root).as_posix())
    assert printing_modules == {"server/runtime/console.py"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_hostile_argument_is_escaped(run_command: RunCommand, command: tuple[str, ...]) -> None:
    """Every command gets an unknown option."""
    for name, shown_name in HOSTILE.items():
        result = run_command(*command, f"--{name}")
        assert (result.status, result.out) == (2, "")
        assert is_plain(result.err)
        expected, actual = (re.sub(r"[\s│]", "", each) for each in (f"--{shown_name.partition('=')[0]}", result.err))
        assert expected in actual.replace("\\x0d", "\\r").replace("\\x0a", "\\n").replace("\\x09", "\\t")  # typer escapes some itself


@pytest.mark.parametrize("command", [each for each in COMMANDS if each != ("schema", "print")], ids=" ".join)
def test_hostile_address_is_escaped(
    run_command: RunCommand, hostile_database: HostileDatabase, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Every command that needs a database gets an unreachable one, with a hostile role name."""
    required_arguments = {
        "create": ["x"],
        "add": ["x", "x@x.example"],
        **{name: [str(UUID(int=1))] for name in ("revoke", "show", "cancel")},
        "serve": ["--port", str(find_free_port())],
        "export": ["--format", "csv", "--output", str(tmp_path / "clients.csv")],
    }
    for name in HOSTILE:
        url = f"postgresql://{quote(name, safe='')}:pw@127.0.0.1:{CLOSED_PORT}/{quote(name, safe='')}"
        arguments = [] if command == ("token", "create") else required_arguments.get(command[-1], [])
        result = run_command(*command, *arguments, DATABASE_URL=url, RELATIES_OWNER_URL=url, RELATIES_DATA_DIR=str(tmp_path))
        assert result.status == 1
        assert "cannot connect to" in result.out + result.err
        assert is_plain(result.out)
        assert is_plain(result.err)
    assert hostile_database.settings


@pytest.mark.parametrize("name", HOSTILE)
def test_tokens_of_a_hostile_organization_are_escaped(run_command: RunCommand, hostile_database: HostileDatabase, name: str) -> None:
    """The organization is selected by its stored name, and every cell shows the stored text with escapes."""
    organization_option = ("--organization", name)
    listed = run_command("token", "list", *organization_option, **hostile_database.settings)
    assert (listed.status, listed.err, is_plain(listed.out)) == (0, "", True)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in listed.out.splitlines() if line.startswith("│")]
    assert [row for row in rows if row[0] == str(hostile_database.tokens[name])] == [
        [str(hostile_database.tokens[name]), HOSTILE[name], HOSTILE[name], "", "", "", ""]
    ]
    assert len(rows) == 6
    result = run_command("token", "create", *organization_option, "--role", "VIEWER", "--quiet", **hostile_database.settings)
    assert TOKEN_PATTERN.fullmatch(result.out.removesuffix("\n"))
    assert (result.status, result.err) == (0, "")
    assert run_command(
        "token", "revoke", *organization_option, str(hostile_database.tokens[name]), **hostile_database.settings
    ) == CommandResult(0, "The token is revoked.\n", "")


def test_organization_names_are_escaped(run_command: RunCommand, hostile_database: HostileDatabase) -> None:
    """They occur in the error that lists all organizations to choose from, which is one line."""
    names = ", ".join(f"{HOSTILE[name]} ({org.id})" for name, org in hostile_database.tenants.items())
    for command in (["token", "list"], ["token", "create"], ["token", "revoke", str(UUID(int=1))], ["member", "add", "X", "x@x.example"]):
        result = run_command(*command, **hostile_database.settings)
        names_text = result.err.removeprefix("Pass a name or id as `--organization`. Organizations: ").removesuffix(".\n")
        assert (result.status, result.out, sorted(names_text.split(", "))) == (1, "", sorted(names.split(", ")))


@pytest.mark.parametrize("name", HOSTILE)
def test_error_messages_are_escaped(run_command: RunCommand, hostile_database: HostileDatabase, name: str) -> None:
    """The messages contain text from the command line and from the database."""
    organization_option = ("--organization", name)
    nobody = run_command("token", "create", *organization_option, "--member", name, **hostile_database.settings)
    assert (nobody.status, nobody.out, is_plain(nobody.err), nobody.err.startswith("member: ")) == (1, "", True, True)
    owner = run_command(
        "token", "create", *organization_option, "--member", "viewer@test.example", "--role", "OWNER", **hostile_database.settings
    )
    assert owner == CommandResult(1, "", f"role: {HOSTILE[name]} is VIEWER, so their token cannot be OWNER. Choose a lower `role`.\n")
    for command in (["organization", "create", name], ["member", "add", name, f"{name}@x.example", *organization_option]):
        result = run_command(*command, **hostile_database.settings)
        assert (is_plain(result.out), is_plain(result.err), result.status in {0, 1}) == (True, True, True)


async def url_for_role(url: str, name: str) -> str:
    """Create a role of that name by the migrations, and return the URL of the same database for it."""
    role_address = f"postgresql://{quote(name, safe='')}:test@{url.rpartition('@')[2]}"
    await upgrade(url, role_address)
    return role_address


@pytest.fixture(scope="module")
async def role_url(hostile_database: HostileDatabase) -> Any:  # noqa: ANN401 an async generator
    name = "\x1b[2J[/x]\u202e\nrole"
    owner = await asyncpg.connect(hostile_database.settings["RELATIES_OWNER_URL"])
    yield await url_for_role(hostile_database.settings["RELATIES_OWNER_URL"], name)
    quoted_name = '"' + name + '"'
    await owner.execute(f"DROP OWNED BY {quoted_name}")
    await owner.execute(f"DROP ROLE {quoted_name}")
    await owner.close()


def test_doctor_escapes_names(run_command: RunCommand, hostile_database: HostileDatabase, role_url: str) -> None:
    """The output contains the role, and the organizations whose revenue is wrong."""
    result = run_command("doctor", **{**hostile_database.settings, "DATABASE_URL": role_url})
    assert (result.status, result.err.strip(), is_plain(result.out)) == (1, "", True)
    assert "[ok]    role \\x1b[2J[/x]\\u202e\\nrole has no special rights" in result.out.split("\n")
    (revenue,) = [line for line in result.out.split("\n") if line.startswith("[wrong] ")]
    assert all(f"1 of {shown_name}" in revenue for shown_name in HOSTILE.values())


def test_serve_and_migrate_escape_settings(run_command: RunCommand, hostile_database: HostileDatabase) -> None:
    """The outputs concern an invalid host, a port in use, and an error of the database."""
    for name in filter(str.isascii, HOSTILE):
        result = run_command("serve", "--host", name, "--port", str(find_free_port()), **hostile_database.settings)
        assert (result.status, result.out) == (1, "")
        assert result.err.startswith(f"Cannot serve on {HOSTILE[name]}:")
        assert is_plain(result.err)
    assert run_command("migrate", **hostile_database.settings) == CommandResult(0, "The tables are up to date.\n", "")


def test_exception_message_is_escaped(run_command: RunCommand, hostile_database: HostileDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("\x1b[2J[/x]\u202e")

    monkeypatch.setattr("server.cli.main.migrate_database", fail)
    result = run_command("migrate", **hostile_database.settings)
    assert (result.status, result.out, is_plain(result.err)) == (1, "", True)
    assert result.err.endswith("ValueError: \\x1b[2J[/x]\\u202e\n")


def test_terminal_keeps_our_colors(hostile_database: HostileDatabase) -> None:
    """A child process treats its output as a terminal. The styles of tables, progress and errors come only from the program."""
    name = "\x1b[2J"
    table = run_relaties("token", "list", "--organization", name, FORCE_COLOR="1", **hostile_database.settings).stdout
    assert "\x1b[1m" in table
    assert ("\\x1b[2J" in table, name in table) == (True, False)
    error_output = run_relaties("token", "list", "--organization", "?", FORCE_COLOR="1", **hostile_database.settings).stderr
    assert "\x1b[31m" in error_output
    assert ("\\x1b[2J" in error_output, name in error_output) == (True, False)
    progress = run_relaties("doctor", FORCE_COLOR="1", **hostile_database.settings).stderr
    assert "Counting revenue of " in progress
    assert not [each for each in HOSTILE if not is_plain(each) and each in progress]


@pytest.mark.parametrize("form", LogFormat)
@pytest.mark.parametrize("colors", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_log_line_is_escaped(name: str, form: LogFormat, monkeypatch: pytest.MonkeyPatch, *, colors: bool) -> None:
    """This covers the event, its arguments and fields, the logger's name and the error. Only a trace in text format has several lines."""

    class Odd:
        def __repr__(self) -> str:
            return name

    monkeypatch.setattr(sys.stderr, "isatty", lambda: colors, raising=False)
    fields = {name: name, "odd": Odd(), "several": [name, Odd()], "level": name, "codes": (name,)}
    for error in (None, RuntimeError(name)):
        info = (type(error), error, None) if error else None
        record = logging.LogRecord(name, logging.WARNING, __file__, 1, "message %s", (name,), info)
        record.fields = fields
        line = build_formatter(form).format(record)
        own = re.sub(r"\x1b\[\d+m", "", line) if colors and form is LogFormat.TEXT else line
        assert is_plain(own)
        assert ("\n" in own) is (error is not None and form is LogFormat.TEXT)
        if form is LogFormat.JSON:
            assert json.loads(line)["event"] == f"message {name}"
        else:
            assert f"message {HOSTILE[name]}" in own
            assert (f"RuntimeError: {HOSTILE[name]}" in own) is (error is not None)


def test_a_lone_surrogate_is_logged() -> None:
    """A lone surrogate cannot be encoded in UTF-8, so it is written as an escape."""
    for form in LogFormat:
        line = build_formatter(form).format(logging.LogRecord("x", logging.WARNING, __file__, 1, "message %s", ("\udcff",), None))
        assert "\\udcff" in line
        line.encode()
