"""What commands print and servers log: whatever others called things, a terminal shows it and does nothing else."""

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
from tests.builders import Tenant, add_token, tenant
from tests.commands import free_port, relaties
from tests.conftest import runtime_url

HOSTILE = {  # a name, and as it is shown
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
OVERRIDES = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # of the direction of a text, by their class
CLOSED = free_port()


@dataclass
class Done:
    status: int
    out: str
    err: str


class Run(Protocol):
    def __call__(self, *arguments: str, **settings: str) -> Done: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the program in this process; each way out of it goes through `main`."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)

    def command(*arguments: str, **settings: str) -> Done:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["relaties", *arguments])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        return Done(status, *capsys.readouterr())

    yield command
    for number, handler in before.items():
        signal.signal(number, handler)


@dataclass
class Place:
    """A database in which everything has a hostile name; the role of the server, too."""

    settings: dict[str, str]
    tenants: dict[str, Tenant] = field(default_factory=dict)
    tokens: dict[str, UUID] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def place(fresh_database: Callable[[], Awaitable[str]], tmp_path_factory: pytest.TempPathFactory) -> Place:
    url = await fresh_database()
    found = Place({"DATABASE_URL": runtime_url(url), "RELATIES_OWNER_URL": url, "RELATIES_DATA_DIR": str(tmp_path_factory.mktemp("out"))})
    owner = await asyncpg.connect(url)
    for name in HOSTILE:
        found.tenants[name] = org = await tenant(owner, name)
        await owner.execute("UPDATE relaties.member SET name = $2 WHERE tenant_id = $1", org.id, name)
        member = await owner.fetchval("SELECT id FROM relaties.member WHERE tenant_id = $1 AND role = 'OWNER'", org.id)
        found.tokens[name] = await add_token(owner, org.id, new_secret(), member_id=member, name=name)
        await org.add_invoice(await org.add_client(name), date(2026, 1, 10), "100.00")
    await owner.execute("DELETE FROM relaties.client_month")
    await owner.close()
    return found


def is_plain(text: str) -> bool:
    """Whether a terminal shows it, line by line, and does nothing else."""
    return UNSAFE.search(text.replace("\n", "")) is None


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 click's own
    """Every command there is."""
    root: Any = group or typer.main.get_command(cli)
    for name, each in root.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, (*path, name))
        else:
            yield (*path, name)


COMMANDS = [*commands()]


def test_every_unsafe_character_is_escaped() -> None:
    """Controls, separators of lines, surrogates, all that changes the direction of a text, and what is invisible; and nothing that is seen.

    The joiners and the formats within a symbol of shorthand or music stay as they are.
    """
    by_category = dict[str, list[str]]()
    for character in map(chr, range(sys.maxunicode + 1)):
        by_category.setdefault(unicodedata.category(character), []).append(character)
    unsafe = [character for category in ("Cc", "Cs", "Zl", "Zp") for character in by_category[category]]
    unsafe += [character for character in by_category["Cf"] if unicodedata.bidirectional(character) in {*OVERRIDES, "BN"}]
    unsafe = [character for character in unsafe if character not in "\u200c\u200d" and not 0x1BCA0 <= ord(character) <= 0x1D17A]
    assert len(unsafe) > 2_000
    assert [ascii(character) for character in unsafe if escape(character) == character] == []
    shown = "".join(character for category, all_ in by_category.items() if category[0] in "LMNPSZ" for character in all_)
    shown = re.sub("[\u2028\u2029]", "", shown)
    assert escape(shown) == shown


def test_json_keeps_its_value() -> None:
    """What is escaped in a line of the log is the same to a program."""
    for name in HOSTILE:
        written = escape_json(json.dumps({name: [name]}, ensure_ascii=False))
        assert is_plain(written)
        assert json.loads(written) == {name: [name]}


def test_there_is_no_other_way_to_print() -> None:
    """Of all modules one writes to the terminal, apart from the log's handler."""
    root = Path(server.__file__).parent.parent
    found = set()
    for path in (path for folder in ("db", "domain", "resolvers", "schema", "server") for path in (root / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if re.fullmatch(
                r"print|pprint|(typer|click)\.(echo|secho|style)|(rich\.)?print|Console|Table|sys\.std(out|err)\.write|TextColumn", name
            ):
                found.add(path.relative_to(root).as_posix())
    assert found == {"server/runtime/console.py"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_hostile_argument_is_quoted_as_text(run: Run, command: tuple[str, ...]) -> None:
    """Of every command: an option that there is not."""
    for name, shown in HOSTILE.items():
        done = run(*command, f"--{name}")
        assert (done.status, done.out) == (2, "")
        assert is_plain(done.err)
        wanted, found = (re.sub(r"[\s│]", "", each) for each in (f"--{shown.partition('=')[0]}", done.err))
        assert wanted in found.replace("\\x0d", "\\r").replace("\\x0a", "\\n").replace("\\x09", "\\t")  # as typer escapes some


@pytest.mark.parametrize("command", [each for each in COMMANDS if each != ("schema", "print")], ids=" ".join)
def test_a_hostile_address_is_quoted_as_text(run: Run, place: Place, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Of every command that needs a database: one that is not there, of a role with such a name."""
    needed = {"create": ["x"], "add": ["x", "x@x.example"], "revoke": [str(UUID(int=1))], "serve": ["--port", str(free_port())]}
    for name in HOSTILE:
        url = f"postgresql://{quote(name, safe='')}:pw@127.0.0.1:{CLOSED}/{quote(name, safe='')}"
        given = [] if command == ("token", "create") else needed.get(command[-1], [])
        done = run(*command, *given, DATABASE_URL=url, RELATIES_OWNER_URL=url, RELATIES_DATA_DIR=str(tmp_path))
        assert done.status == 1
        assert "cannot connect to" in done.out + done.err
        assert is_plain(done.out)
        assert is_plain(done.err)
    assert place.settings


@pytest.mark.parametrize("name", HOSTILE)
def test_tokens_of_a_hostile_organization_are_listed_made_and_revoked(run: Run, place: Place, name: str) -> None:
    """By the name as it is; every cell is the text that was stored, escaped."""
    of = ("--organization", name)
    listed = run("token", "list", *of, **place.settings)
    assert (listed.status, listed.err, is_plain(listed.out)) == (0, "", True)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in listed.out.splitlines() if line.startswith("│")]
    assert [row for row in rows if row[0] == str(place.tokens[name])] == [
        [str(place.tokens[name]), HOSTILE[name], HOSTILE[name], "", "", "", ""]
    ]
    assert len(rows) == 6
    made = run("token", "create", *of, "--role", "VIEWER", "--quiet", **place.settings)
    assert TOKEN_PATTERN.fullmatch(made.out.removesuffix("\n"))
    assert (made.status, made.err) == (0, "")
    assert run("token", "revoke", *of, str(place.tokens[name]), **place.settings) == Done(0, "Revoked.\n", "")


def test_organizations_are_named_as_text(run: Run, place: Place) -> None:
    """Where one is to be chosen: all of them in one line."""
    names = ", ".join(f"{HOSTILE[name]} ({org.id})" for name, org in place.tenants.items())
    for command in (["token", "list"], ["token", "create"], ["token", "revoke", str(UUID(int=1))], ["member", "add", "X", "x@x.example"]):
        done = run(*command, **place.settings)
        found = done.err.removeprefix("Say which organization with --organization. There are: ").removesuffix(".\n")
        assert (done.status, done.out, sorted(found.split(", "))) == (1, "", sorted(names.split(", ")))


@pytest.mark.parametrize("name", HOSTILE)
def test_refusals_quote_as_text(run: Run, place: Place, name: str) -> None:
    """What was given on the command line, and what the database has."""
    of = ("--organization", name)
    nobody = run("token", "create", *of, "--member", name, **place.settings)
    assert (nobody.status, nobody.out, is_plain(nobody.err), nobody.err.startswith("member: ")) == (1, "", True, True)
    owner = run("token", "create", *of, "--member", "viewer@test.example", "--role", "OWNER", **place.settings)
    assert owner == Done(1, "", f"role: {HOSTILE[name]} is VIEWER, so a token of theirs cannot be OWNER.\n")
    for command in (["organization", "create", name], ["member", "add", name, f"{name}@x.example", *of]):
        done = run(*command, **place.settings)
        assert (is_plain(done.out), is_plain(done.err), done.status in {0, 1}) == (True, True, True)


async def _renamed(url: str, name: str) -> str:
    """The address of the same database for a role of that name, made by the migrations."""
    found = f"postgresql://{quote(name, safe='')}:test@{url.rpartition('@')[2]}"
    await upgrade(url, found)
    return found


@pytest.fixture(scope="module")
async def role_url(place: Place) -> Any:  # noqa: ANN401 an async generator
    name = "\x1b[2J[/x]\u202e\nrole"
    owner = await asyncpg.connect(place.settings["RELATIES_OWNER_URL"])
    yield await _renamed(place.settings["RELATIES_OWNER_URL"], name)
    quoted = '"' + name + '"'
    await owner.execute(f"DROP OWNED BY {quoted}")
    await owner.execute(f"DROP ROLE {quoted}")
    await owner.close()


def test_doctor_names_everything_as_text(run: Run, place: Place, role_url: str) -> None:
    """The role, and the organizations whose revenue is wrong."""
    done = run("doctor", **{**place.settings, "DATABASE_URL": role_url})
    assert (done.status, done.err.strip(), is_plain(done.out)) == (1, "", True)
    assert "[ok]    role \\x1b[2J[/x]\\u202e\\nrole: ordinary, as it should be" in done.out.split("\n")
    (revenue,) = [line for line in done.out.split("\n") if line.startswith("[wrong] ")]
    assert all(f"1 of {shown}" in revenue for shown in HOSTILE.values())


def test_serve_and_migrate_name_settings_as_text(run: Run, place: Place) -> None:
    """A host that is none; a port in use; an error of the database's own."""
    for name in filter(str.isascii, HOSTILE):
        done = run("serve", "--host", name, "--port", str(free_port()), **place.settings)
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"Cannot serve on {HOSTILE[name]}:")
        assert is_plain(done.err)
    assert run("migrate", **place.settings) == Done(0, "The tables are up to date.\n", "")


def test_a_failure_of_the_program_is_shown_as_text(run: Run, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of an exception may hold anything."""

    async def fail(*_: object) -> None:
        raise ValueError("\x1b[2J[/x]\u202e")

    monkeypatch.setattr("server.cli.main.migrate_database", fail)
    done = run("migrate", **place.settings)
    assert (done.status, done.out, is_plain(done.err)) == (1, "", True)
    assert done.err.endswith("ValueError: \\x1b[2J[/x]\\u202e\n")


def test_on_a_terminal_our_colours_stay(place: Place) -> None:
    """In a process of its own, which takes its output for a terminal's: the table, the progress and the refusals are styled by us alone."""
    name = "\x1b[2J"
    table = relaties("token", "list", "--organization", name, FORCE_COLOR="1", **place.settings).stdout
    assert "\x1b[1m" in table
    assert ("\\x1b[2J" in table, name in table) == (True, False)
    refused = relaties("token", "list", "--organization", "?", FORCE_COLOR="1", **place.settings).stderr
    assert "\x1b[31m" in refused
    assert ("\\x1b[2J" in refused, name in refused) == (True, False)
    progress = relaties("doctor", FORCE_COLOR="1", **place.settings).stderr
    assert "Counting revenue of " in progress
    assert not [each for each in HOSTILE if not is_plain(each) and each in progress]


@pytest.mark.parametrize("form", LogFormat)
@pytest.mark.parametrize("colors", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_line_of_the_log_is_text(name: str, form: LogFormat, monkeypatch: pytest.MonkeyPatch, *, colors: bool) -> None:
    """The event, its arguments, keys, values, who logs and what failed; a line is one line but for a trace in the text for people."""

    class Odd:
        def __repr__(self) -> str:
            return name

    monkeypatch.setattr(sys.stderr, "isatty", lambda: colors, raising=False)
    told = {name: name, "odd": Odd(), "several": [name, Odd()], "level": name, "codes": (name,)}
    for failed in (None, RuntimeError(name)):
        info = (type(failed), failed, None) if failed else None
        record = logging.LogRecord(name, logging.WARNING, __file__, 1, "said %s", (name,), info)
        record.fields = told
        written = build_formatter(form).format(record)
        own = re.sub(r"\x1b\[\d+m", "", written) if colors and form is LogFormat.TEXT else written
        assert is_plain(own)
        assert ("\n" in own) is (failed is not None and form is LogFormat.TEXT)
        if form is LogFormat.JSON:
            assert json.loads(written)["event"] == f"said {name}"
        else:
            assert f"said {HOSTILE[name]}" in own
            assert (f"RuntimeError: {HOSTILE[name]}" in own) is (failed is not None)


def test_a_lone_surrogate_is_logged() -> None:
    """It has no UTF-8: the line is written all the same."""
    for form in LogFormat:
        written = build_formatter(form).format(logging.LogRecord("x", logging.WARNING, __file__, 1, "said %s", ("\udcff",), None))
        assert "\\udcff" in written
        written.encode()
