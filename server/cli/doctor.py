"""Check an installation: settings, database and stored data. Report each problem with its fix."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from db.engine.database import Database
from db.migrations import duplicate_keys
from domain.organization import organizations
from domain.reports import monthly_balances
from server.cli.database import DatabaseUrls, migrate_database, open_database
from server.cli.options import DataDirOption, load_settings
from server.database_checks import SMALL_POOL, Finding, run_checks
from server.documents.trusted import TrustedDocumentsError, load_trusted_documents
from server.ip_addresses import parse_address
from server.runtime.console import error_console, print_lines, print_status, progress_bar
from server.runtime.event_loop import run
from server.secret_keys import load_keys
from server.settings import Environment, Settings, SettingsError

ProgressCallback = Callable[[str, int], None]  # takes the organization's name and the number of its clients checked so far


def doctor(
    data_dir: DataDirOption = None,
    *,
    rebuild_revenue: Annotated[
        bool, typer.Option("--rebuild-revenue", help="Rebuild stored revenue that differs from invoices and payments.")
    ] = False,
) -> None:
    """Check settings, database, roles, migrations and stored revenue. Report each problem with its fix."""
    settings = load_settings(data_dir)
    with open_database(settings, print_status) as urls:
        owner_url = urls.required_owner_url if rebuild_revenue else urls.owner_url
        problem_count = run(_run_doctor(urls, settings, owner_url, should_rebuild=rebuild_revenue))
    if problem_count:
        sys.exit(1)
    print_lines("No problems found.")


async def _run_doctor(urls: DatabaseUrls, settings: Settings, owner_url: str | None, *, should_rebuild: bool) -> int:
    findings = [_check_secret_key(settings), *_check_trusted_documents(settings), *check_proxies(settings)]
    if urls.is_embedded:
        await migrate_database(urls)
    direct_url = str(settings.direct_url) if settings.direct_url else None
    findings += [finding async for finding in run_checks(urls.runtime_url, owner_url, direct_url, is_pooled=settings.pooler)]
    if owner_url and not any(finding.problem for finding in findings):
        findings += [await check_unique_keys(owner_url), await _check_revenue_with_progress(owner_url, should_rebuild=should_rebuild)]
    for finding in findings:
        print_lines(finding.line)
    return sum(1 for finding in findings if finding.problem)


async def _check_revenue_with_progress(owner_url: str, *, should_rebuild: bool) -> Finding:
    with progress_bar(error_console) as progress:
        task = progress.add_task("Counting revenue", total=None)
        return await check_revenue(
            owner_url,
            lambda name, count: progress.update(task, description=f"Counting revenue of {name}", completed=count),
            should_rebuild=should_rebuild,
        )


def _check_trusted_documents(settings: Settings) -> list[Finding]:
    try:
        count = len({*load_trusted_documents(settings.trusted_documents, settings.document_policy).values()})
    except TrustedDocumentsError as error:
        return [Finding("trusted documents", str(error))]
    return [Finding(f"{count} trusted documents")] if count else []


def _check_secret_key(settings: Settings) -> Finding:
    try:
        load_keys(settings)
    except SettingsError as error:
        return Finding("secret key", str(error))
    return Finding("secret key" + (" for production" if settings.env is Environment.PRODUCTION else ""))


def check_proxies(settings: Settings) -> list[Finding]:
    """Return a note if the server may be behind a proxy but trusts none. Only the running server sees its peers, and it logs them.

    In production, a server on a loopback address is reachable only through a proxy. On any other address, a proxy is possible.
    """
    if settings.trusted_proxies:
        return [Finding(f"trusted proxies {', '.join(map(str, settings.trusted_proxies))}")]
    is_loopback = settings.host == "localhost" or ((address := parse_address(settings.host)) is not None and address.is_loopback)
    if is_loopback and settings.env is Environment.DEVELOPMENT:
        return []
    note = (
        f"RELATIES_TRUSTED_PROXIES: not set. If a proxy forwards requests to {settings.host}, set this to its address. Until then, its "
        "X-Forwarded-For is ignored, and all its clients share the limits of one address."
    )
    return [Finding("trusted proxies", note=note)]


async def check_unique_keys(owner_url: str) -> Finding:
    """Report clients and labels whose number or name differs from that of an older one only in what lookups ignore."""
    async with await Database.connect(owner_url, SMALL_POOL) as database:
        rows = await duplicate_keys.list_all(database)
    if not rows:
        return Finding("numbers of clients and names of labels are unique")
    # `ascii` shows the characters in which the two differ, which may be invisible on a screen.
    row_list = "; ".join(f"{row.kind} {row.id} of {row.organization}: {row.text!a}" for row in rows)
    more = f" Only the first {duplicate_keys.MAX_ROWS} are shown." if len(rows) == duplicate_keys.MAX_ROWS else ""
    return Finding(
        "numbers",
        f"These cannot be found by number or name, because an older client or label has the same in another form: {row_list}.{more} "
        "Change one of each pair with `clientUpdate` or `labelUpdate`.",
    )


async def check_revenue(owner_url: str, on_progress: ProgressCallback, *, should_rebuild: bool = False) -> Finding:
    """Check that the stored monthly balances match invoices and payments. With `should_rebuild`, rebuild those that do not."""
    wrong_counts, total_clients = dict[str, int](), 0
    async with await Database.connect(owner_url, SMALL_POOL) as database:
        for organization in await organizations.everywhere(database):
            client_count = 0
            async for clients, wrong_count in monthly_balances.verify_balances(database, organization.id, is_repairing=should_rebuild):
                client_count, wrong_counts[organization.name] = client_count + clients, wrong_counts.get(organization.name, 0) + wrong_count
                on_progress(organization.name, client_count)
            total_clients += client_count
    summary = ", ".join(f"{count} of {name}" for name, count in wrong_counts.items() if count)
    if summary and not should_rebuild:
        advice = "run `relaties doctor --rebuild-revenue`"
        return Finding("revenue", f"Stored revenue differs from invoices and payments for clients: {summary}. To rebuild it, {advice}.")
    return Finding(f"revenue of {total_clients} clients" + (f", rebuilt: {summary}" if summary else ""))
