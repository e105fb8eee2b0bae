"""Define the command `relaties` and its subcommands."""

import logging
import signal
import sys
import traceback
from typing import Annotated

import typer

from domain.core.errors import RuleViolation
from server.cli.admin import member, organization, token
from server.cli.database import DatabaseUrls, migrate_database, open_database
from server.cli.doctor import doctor
from server.cli.export import export_clients
from server.cli.jobs import jobs
from server.cli.options import CommandGroup, DataDirOption, load_settings
from server.documents.trusted import load_trusted_documents
from server.graphiql.sign_in import BrowserSignIn
from server.runtime.console import print_error_text, print_errors, print_lines, print_status, print_text, stderr_log_handler
from server.runtime.event_loop import run
from server.runtime.listen import bind
from server.runtime.startup import import_in_background
from server.settings import Environment, LogFormat, Settings, require_direct_url, unknown_variables
from server.startup_errors import StartupError

cli = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A GraphQL backend for client relations.",
)
demo = typer.Typer(no_args_is_help=True, help="Manage the demo organization.")
schema = typer.Typer(no_args_is_help=True, help="Show the GraphQL schema.")
for name, group in {"demo": demo, "organization": organization, "member": member, "token": token, "jobs": jobs, "schema": schema}.items():
    cli.add_typer(group, name=name)


def main() -> None:
    """Run a command. Print errors that the user can fix to standard error, one line for each reason, and exit with status 1."""
    logging.lastResort = stderr_log_handler()  # for messages before the server configures logging
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, signal.default_int_handler)  # raise KeyboardInterrupt, so that everything that was started is stopped
    try:
        cli(standalone_mode=True)
    except StartupError as error:
        _exit_with(*error.reasons)
    except RuleViolation as violation:
        _exit_with(*(f"{'.'.join(refusal.path)}: {refusal.message}" for refusal in violation.user_errors))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001 Python would print the message of an exception without escaping it
        print_error_text(traceback.format_exc().rstrip("\n"))
        sys.exit(1)


def _exit_with(*reasons: str) -> None:
    print_errors(*reasons)
    sys.exit(1)


@cli.command("serve")
def serve(
    host: Annotated[str | None, typer.Option(help="Address to serve on. Overrides RELATIES_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to serve on. Overrides RELATIES_PORT.", min=1, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Number of worker processes. Overrides RELATIES_WORKERS.", min=1, max=64)] = None,
    data_dir: DataDirOption = None,
    *,
    demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="Load the demo organization. Default: only without DATABASE_URL.")
    ] = None,
) -> None:
    """Serve until Ctrl-C. Without DATABASE_URL, start an embedded PostgreSQL, create its tables and load the demo."""
    # These imports are slow, and other commands do not need them.
    from server.observability.logging import configure_logging, log  # noqa: PLC0415

    settings = load_settings(data_dir, host=host, port=port, workers=workers)
    # They are loaded again later. Loading them here reports errors before anything starts.
    load_trusted_documents(settings.trusted_documents, settings.document_policy)
    if settings.job_workers:
        require_direct_url(settings)
    configure_logging(settings.effective_log_format)
    report_status = print_status if settings.effective_log_format is LogFormat.TEXT else log.info
    for name in unknown_variables():
        report_status(f"{name} is not a setting and is ignored. The changelog lists renamed settings.")
    with bind(settings) as listener, import_in_background("server.runtime.process"), open_database(settings, report_status) as urls:
        from server.runtime.process import run_server  # noqa: PLC0415 waits for the import in the background

        if urls.owner_url:
            report_status("Migrating the database")
        ready_lines, browser = run(_prepare(settings, urls, is_demo=urls.is_embedded if demo is None else demo))
        run_server(settings, urls.runtime_url, listener, ready_lines, browser)


@cli.command("worker")
def worker(
    data_dir: DataDirOption = None,
    parent_pid: Annotated[int | None, typer.Option("--parent-pid", hidden=True)] = None,
) -> None:
    """Run background jobs until Ctrl-C. `relaties serve` starts a job worker itself; this command runs another one."""
    # These imports are slow, and other commands do not need them.
    from server.jobs.process import lower_priority, run_worker  # noqa: PLC0415
    from server.observability.logging import configure_logging  # noqa: PLC0415

    settings = load_settings(data_dir)
    require_direct_url(settings)
    configure_logging(settings.effective_log_format)
    if parent_pid is not None:
        lower_priority()
    with open_database(settings, print_status) as urls:
        run(run_worker(settings, urls.runtime_url, parent_pid))


async def _prepare(settings: Settings, urls: DatabaseUrls, *, is_demo: bool) -> tuple[list[str], BrowserSignIn | None]:
    """Prepare the database. Return the lines to print once the server is ready, and the sign-in of GraphiQL."""
    if urls.owner_url:
        await migrate_database(urls)
    address = f"http://{settings.host}:{settings.port}"
    lines = [f"Relaties answers at {address}/graphql  (Ctrl-C stops it)"]
    token = await _load_demo(settings, urls) if is_demo else None
    browser = BrowserSignIn(token) if token and settings.has_graphiql and allows_browser_sign_in(settings, urls) else None
    if settings.has_graphiql:
        lines.append(f"GraphiQL: {address}/graphiql{browser.fragment if browser else ''}")
    if token:
        lines.append(f"Token of the demo organization: {token}")
    return lines, browser


def allows_browser_sign_in(settings: Settings, urls: DatabaseUrls) -> bool:
    """Return whether GraphiQL may sign in with the demo's token without a login: only where there is no real data."""
    return urls.is_embedded and settings.env is Environment.DEVELOPMENT


async def _load_demo(settings: Settings, urls: DatabaseUrls) -> str:
    """Load the demo and return its token. The import is slow, so it happens only here."""
    from server.cli.demo import load_demo  # noqa: PLC0415

    return await load_demo(settings, urls)


@cli.command("migrate")
def migrate(data_dir: DataDirOption = None) -> None:
    """Bring the tables up to date and create the server's role. Safe to repeat."""
    with open_database(load_settings(data_dir), print_status) as urls:
        run(migrate_database(urls))
    print_lines("The tables are up to date.")


@demo.command("load")
def demo_load(data_dir: DataDirOption = None) -> None:
    """Load the demo organization unless it is loaded, and print its token."""
    settings = load_settings(data_dir)
    with open_database(settings, print_status) as urls:
        run(migrate_database(urls))
        print_lines(run(_load_demo(settings, urls)))


@schema.command("print")
def schema_print() -> None:
    """Print the GraphQL schema."""
    from schema.build import build  # noqa: PLC0415

    print_text(build().as_str())


cli.command("export")(export_clients)
cli.command("doctor")(doctor)
