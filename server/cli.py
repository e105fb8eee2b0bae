"""The command line."""

import logging
import signal
import sys
import traceback
from typing import Annotated

import typer

from domain.errors import RuleViolation
from server.administration import member, organization, token
from server.browser import BrowserSignIn
from server.doctor import Finding, examined, numbers, proxies, revenue
from server.imports import meanwhile
from server.options import DataDir, chosen, run
from server.output import CommandGroup, bar, complain, complain_at_length, err, logs_to_stderr, out, out_document, say
from server.place import Place, migrated, place
from server.port import bound
from server.secrets import keys
from server.settings import Environment, LogForm, Settings, SettingsError
from server.startup_errors import StartupError
from server.trusted import TrustedError, trusted

cli = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A GraphQL backend for client relations.",
)
demo = typer.Typer(no_args_is_help=True, help="The demo organization.")
schema = typer.Typer(no_args_is_help=True, help="The GraphQL schema.")
for name, group in {"demo": demo, "organization": organization, "member": member, "token": token, "schema": schema}.items():
    cli.add_typer(group, name=name)


def main() -> None:
    """Runs a command. What a person can mend is one line a reason on the standard error, and status 1."""
    logging.lastResort = logs_to_stderr()  # what is logged before a server has set up its own log
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # so that whatever was started is stopped
    try:
        cli(standalone_mode=True)
    except StartupError as wrong:
        _stop(*wrong.reasons)
    except RuleViolation as refused:
        _stop(*(f"{'.'.join(refusal.path)}: {refusal.message}" for refusal in refused.user_errors))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001 Python would print the message of an exception as it is
        complain_at_length(traceback.format_exc().rstrip("\n"))
        sys.exit(1)


def _stop(*reasons: str) -> None:
    complain(*reasons)
    sys.exit(1)


@cli.command("serve")
def serve_(
    host: Annotated[str | None, typer.Option(help="Address to serve on. Instead of RELATIES_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to serve on. Instead of RELATIES_PORT.", min=1, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer. Instead of RELATIES_WORKERS.", min=1, max=64)] = None,
    data_dir: DataDir = None,
    *,
    demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="Load the demo organization. On unless DATABASE_URL is set.")
    ] = None,
) -> None:
    """Serve until Ctrl-C. Without DATABASE_URL an embedded PostgreSQL is started, its tables made, and the demo loaded."""
    from server import logs  # noqa: PLC0415 what serves takes long to import, which no other command should

    wanted = chosen(data_dir, host=host, port=port, workers=workers)
    trusted(wanted.trusted_documents, wanted.documents)  # read again later; what is wrong is said before anything is started
    logs.begin(wanted.log_form)
    tell = say if wanted.log_form is LogForm.TEXT else logs.log.info
    with bound(wanted) as taken, meanwhile("server.serving"), place(wanted, tell) as found:
        from server.serving import served  # noqa: PLC0415 imported by then, or soon

        if found.owner_url:
            tell("Bringing the tables up to date")
        ready, browser = run(_prepared(wanted, found, is_demo=found.is_embedded if demo is None else demo))
        served(wanted, found.runtime_url, taken, ready, browser)


async def _prepared(wanted: Settings, found: Place, *, is_demo: bool) -> tuple[list[str], BrowserSignIn | None]:
    """What is printed once the server answers, and how GraphiQL signs in."""
    if found.owner_url:
        await migrated(found)
    address = f"http://{wanted.host}:{wanted.port}"
    shown = [f"Relaties answers at {address}/graphql  (Ctrl-C stops it)"]
    token = await _demo(wanted, found) if is_demo else None
    browser = BrowserSignIn(token) if token and wanted.has_graphiql and is_for_browsers(wanted, found) else None
    if wanted.has_graphiql:
        shown.append(f"GraphiQL: {address}/graphiql{browser.fragment if browser else ''}")
    if token:
        shown.append(f"Token of the demo organization: {token}")
    return shown, browser


def is_for_browsers(settings: Settings, found: Place) -> bool:
    """Whether GraphiQL may sign in with the demo's token by itself: where nobody's own data can be."""
    return found.is_embedded and settings.env is Environment.DEVELOPMENT


async def _demo(wanted: Settings, found: Place) -> str:
    """Its token. What loads it is imported by who has it loaded."""
    from server.demo import loaded  # noqa: PLC0415

    return await loaded(wanted, found)


@cli.command("migrate")
def migrate(data_dir: DataDir = None) -> None:
    """Bring the tables up to date, and make the role of the server. Safe to repeat."""
    with place(chosen(data_dir), say) as found:
        run(migrated(found))
    out("The tables are up to date.")


@demo.command("load")
def demo_load(data_dir: DataDir = None) -> None:
    """Load the demo organization, once, and print its token."""
    wanted = chosen(data_dir)
    with place(wanted, say) as found:
        run(migrated(found))
        out(run(_demo(wanted, found)))


@schema.command("print")
def schema_print() -> None:
    """Print the GraphQL schema."""
    from schema.root import build  # noqa: PLC0415

    out_document(build().as_str())


@cli.command("doctor")
def doctor(
    data_dir: DataDir = None,
    *,
    rebuild_revenue: Annotated[
        bool, typer.Option("--rebuild-revenue", help="Count kept revenue anew where it is not what documents and payments come to.")
    ] = False,
) -> None:
    """Say what is wrong with settings, database, role, migrations and kept revenue, and what to do."""
    wanted = chosen(data_dir)
    with place(wanted, say) as found:
        wrong = run(_doctor(found, wanted, found.owner if rebuild_revenue else found.owner_url, is_mended=rebuild_revenue))
    if wrong:
        sys.exit(1)
    out("All is well.")


async def _doctor(found: Place, wanted: Settings, owner_url: str | None, *, is_mended: bool) -> int:
    seen = [_keys(wanted), *_trusted(wanted), *proxies(wanted)]
    if found.is_embedded:
        await migrated(found)
    direct = str(wanted.direct_url) if wanted.direct_url else None
    seen += [finding async for finding in examined(found.runtime_url, owner_url, direct, is_pooled=wanted.pooler)]
    if owner_url and not any(finding.wrong for finding in seen):
        seen += [await numbers(owner_url), await _revenue(owner_url, is_mended=is_mended)]
    for finding in seen:
        out(finding.line)
    return sum(1 for finding in seen if finding.wrong)


async def _revenue(owner_url: str, *, is_mended: bool) -> Finding:
    with bar(err) as shown:
        task = shown.add_task("Counting revenue", total=None)
        return await revenue(
            owner_url,
            lambda name, done: shown.update(task, description=f"Counting revenue of {name}", completed=done),
            is_mended=is_mended,
        )


def _trusted(wanted: Settings) -> list[Finding]:
    try:
        count = len({*trusted(wanted.trusted_documents, wanted.documents).values()})
    except TrustedError as wrong:
        return [Finding("trusted documents", str(wrong))]
    return [Finding(f"{count} trusted documents")] if count else []


def _keys(wanted: Settings) -> Finding:
    try:
        keys(wanted)
    except SettingsError as wrong:
        return Finding("secret key", str(wrong))
    return Finding("secret key" + (" for production" if wanted.env is Environment.PRODUCTION else ""))
