"""All queries and commands of the product, by the names of their golden files."""

from db.engine.statement import Query
from db.queries import (
    activity,
    client_finance,
    clients,
    contacts,
    deletions,
    files,
    invoices,
    job_messages,
    jobs,
    labels,
    layouts,
    members,
    monthly_balances,
    organizations,
    portals,
    previews,
    projects,
    quotes,
    registrations,
    revenue,
    snapshots,
    tokens,
    vat_rates,
)
from db.sql import search

EVERY = tuple(name for name in clients.CONDITIONS if not name.startswith("not_"))
OF_ALL = tuple(registrations.CONDITIONS)
OWN_JOBS = ("kinds", "statuses", "member_id")
SIDES = ("tail", "head")
QUERIES: dict[str, Query] = {  # type: ignore[type-arg]
    "activity.of_clients": activity.of_clients.build_query(is_ascending=False, is_next=True),
    "activity.of_contacts": activity.of_contacts.build_query(is_ascending=False, is_next=False),
    "activity.count_of_clients": activity.OF_CLIENT,
    "activity.count_of_contacts": activity.OF_CONTACT,
    "activity.by_id": activity.BY_ID,
    "clients.page": clients._page(clients.ClientSortField.NAME, (), is_ascending=True, is_next=False),  # noqa: SLF001
    "clients.page_after": clients._page(clients.ClientSortField.NAME, (), is_ascending=True, is_next=True),  # noqa: SLF001
    "clients.page_active": clients._page(clients.ClientSortField.NAME, ("not_is_archived",), is_ascending=True, is_next=True),  # noqa: SLF001
    "clients.page_active_by_number": clients._page(clients.ClientSortField.NUMBER, ("not_is_archived",), is_ascending=True, is_next=False),  # noqa: SLF001
    "clients.page_by_number": clients._page(clients.ClientSortField.NUMBER, (), is_ascending=False, is_next=False),  # noqa: SLF001
    "clients.page_filtered": clients._page(clients.ClientSortField.NUMBER, EVERY, is_ascending=False, is_next=True),  # noqa: SLF001
    "clients.search": clients._page(clients.ClientSortField.NAME, ("search",), is_ascending=True, is_next=False),  # noqa: SLF001
    "clients.count": clients._count(()),  # noqa: SLF001
    "clients.count_filtered": clients._count(EVERY),  # noqa: SLF001
    "clients.by_number": clients.BY_NUMBER,
    "clients.numbers": clients.NUMBERS,
    "clients.by_id": clients.BY_ID,
    "previews.counts": previews.COUNTS,
    "previews.amounts": previews.AMOUNTS,
    "previews.orphans": previews.ORPHANS,
    "contacts.of_clients": contacts._page_per_client(is_ascending=True, is_next=False),  # noqa: SLF001
    "contacts.all_of_clients": contacts._all_per_client(),  # noqa: SLF001
    "contacts.of_clients_after": contacts._page_per_client(is_ascending=False, is_next=True),  # noqa: SLF001
    "clients.of_contacts": clients.of_contacts.build_query(is_ascending=True, is_next=True),
    "clients.count_of_contacts": clients.OF_CONTACT,
    "clients.count_of_labels": clients.OF_LABEL,
    "clients.of_labels": clients.of_labels.build_query(is_ascending=True, is_next=False),
    "clients.addresses": clients.ADDRESSES,
    "contacts.page": search.build_page(contacts.BY_NAME, is_searched=True, is_ascending=True, is_next=True),
    "contacts.count": search.build_count(contacts.BY_NAME, is_searched=True),
    "contacts.count_of_clients": contacts.OF_CLIENT,
    "contacts.invoice_contacts": contacts.INVOICE_CONTACTS,
    "contacts.by_id": contacts.BY_ID,
    "deletions.payments": deletions.PAYMENTS,
    "client_finance.of_clients": client_finance.OF_CLIENTS,
    "files.by_id": files.BY_ID,
    "files.of_jobs": files.OF_JOBS,
    "files.part": files.PART,
    "files.total_bytes": files.TOTAL_BYTES,
    "files.lock_of_jobs": files.LOCK_OF_JOBS,
    "files.lock_expired": files.LOCK_EXPIRED,
    "invoices.of_clients": invoices.of_clients.build_query(is_ascending=False, is_next=True),
    "invoices.count_of_clients": invoices.OF_CLIENT,
    "invoices.by_id": invoices.BY_ID,
    "jobs.page": jobs._page((), is_ascending=False, is_next=False),  # noqa: SLF001
    "jobs.page_filtered": jobs._page(OWN_JOBS, is_ascending=False, is_next=True),  # noqa: SLF001
    "jobs.page_of_token": jobs._page(("token_id",), is_ascending=False, is_next=False),  # noqa: SLF001
    "jobs.count": jobs._count(()),  # noqa: SLF001
    "jobs.count_filtered": jobs._count(OWN_JOBS),  # noqa: SLF001
    "jobs.by_id": jobs.BY_ID,
    "jobs.due": jobs.DUE,
    "jobs.count_unfinished": jobs.UNFINISHED_COUNT,
    "jobs.requester": jobs.REQUESTER,
    "jobs.with_figures": jobs.WITH_FIGURES,
    "jobs.with_files": jobs.WITH_FILES,
    "labels.page": search.build_page(labels.BY_NAME, is_searched=True, is_ascending=True, is_next=True),
    "labels.count": search.build_count(labels.BY_NAME, is_searched=True),
    "layouts.page": layouts.page.build_query(is_ascending=True, is_next=True),
    "layouts.counts": layouts.OF_ORGANIZATION,
    "layouts.by_id": layouts.BY_ID,
    "layouts.count_of_clients": layouts.CLIENT_COUNTS,
    "layouts.count_of_invoices": layouts.INVOICE_COUNTS,
    "monthly_balances.clients": monthly_balances.CLIENTS,
    "monthly_balances.count_clients": monthly_balances.CLIENT_COUNT,
    "monthly_balances.inconsistent": monthly_balances.INCONSISTENT,
    "members.page": members.page.build_query(is_ascending=True, is_next=True),
    "members.counts": members.OF_ORGANIZATION,
    "members.by_id": members.BY_ID,
    "members.by_email": members.BY_EMAIL,
    "portals.of_clients": portals.OF_CLIENTS,
    "portals.projects": portals.PROJECTS,
    "portals.contacts": portals.CONTACTS,
    "portals.by_id": portals.BY_ID,
    "projects.of_clients": projects._page_per_client(is_ascending=False, is_next=False),  # noqa: SLF001
    "projects.of_clients_archived": projects._page_per_client(is_archived=True, is_ascending=False, is_next=True),  # noqa: SLF001
    "projects.count_of_clients": projects._count_per_client(None),  # noqa: SLF001
    "projects.count_of_clients_active": projects._count_per_client(is_archived=False),  # noqa: SLF001
    "projects.financial": projects.FINANCIAL,
    "projects.by_id": projects.BY_ID,
    **{f"projects.count_of_{kind}s".replace(" ", "_"): query for kind, query in projects.USE_COUNTS.items()},
    "quotes.of_clients": quotes.of_clients.build_query(is_ascending=False, is_next=True),
    "quotes.count_of_clients": quotes.OF_CLIENT,
    "quotes.lines": quotes.LINES,
    "quotes.by_id": quotes.BY_ID,
    "labels.of_clients": labels.OF_CLIENTS,
    "labels.by_id": labels.BY_ID,
    "labels.locked_uses": labels.LOCKED_USES,
    **{f"labels.lock_{kind}": query for kind, query in labels.LOCKS.items()},
    "organizations.by_id": organizations.BY_ID,
    "organizations.issued_invoice": organizations.ISSUED_INVOICE,
    "registrations.page": registrations._page((), is_ascending=False, is_next=False),  # noqa: SLF001
    "registrations.page_filtered": registrations._page(OF_ALL, is_ascending=True, is_next=True),  # noqa: SLF001
    "registrations.of_clients": registrations._page_per_parent("client_id", (), is_ascending=False, is_next=True),  # noqa: SLF001
    "registrations.of_projects": registrations._page_per_parent("project_id", OF_ALL, is_ascending=False, is_next=False),  # noqa: SLF001
    "registrations.count": registrations._count(()),  # noqa: SLF001
    "registrations.count_filtered": registrations._count(OF_ALL),  # noqa: SLF001
    "registrations.count_of_clients": registrations._count_of_each("client_id", ()),  # noqa: SLF001
    "registrations.count_of_projects": registrations._count_of_each("project_id", OF_ALL),  # noqa: SLF001
    "registrations.financial": registrations.FINANCIAL,
    "registrations.labels": registrations.LABELS,
    "registrations.by_id": registrations.BY_ID,
    "revenue.by_client": revenue._by_client((), has_currencies=True),  # noqa: SLF001
    "revenue.by_client_partial_months": revenue._by_client(SIDES, has_currencies=True),  # noqa: SLF001
    "revenue.total_by_client": revenue._by_client((), has_currencies=False),  # noqa: SLF001
    "revenue.total_by_client_partial_months": revenue._by_client(SIDES, has_currencies=False),  # noqa: SLF001
    "revenue.of_all": revenue._for_all_clients((), ()),  # noqa: SLF001
    "revenue.of_all_partial_months": revenue._for_all_clients((), SIDES),  # noqa: SLF001
    "revenue.of_filtered": revenue._for_all_clients(EVERY, ()),  # noqa: SLF001
    "revenue.of_filtered_partial_months": revenue._for_all_clients(EVERY, SIDES),  # noqa: SLF001
    "tokens.all": tokens.ALL_TOKENS,
    "tokens.page": tokens.page.build_query(is_ascending=False, is_next=False),
    "tokens.counts": tokens.OF_ORGANIZATION,
    "tokens.by_id": tokens.BY_ID,
    "vat_rates.page": vat_rates.page.build_query(is_ascending=True, is_next=True),
    "vat_rates.counts": vat_rates.OF_ORGANIZATION,
    "vat_rates.by_id": vat_rates.BY_ID,
}

COMMANDS = {
    **{f"deletions.{name.replace(' ', '_')}": command for name, command in deletions.DELETIONS.items()},
    "deletions.unused_payments": deletions.DELETE_UNUSED_PAYMENTS,
    "deletions.orphaned_contacts": deletions.DELETE_CONTACTS,
    "deletions.erase_history": deletions.ERASE_HISTORY,
    "deletions.lift_guard": deletions.LIFT_GUARD,
    "deletions.lock_invoices": deletions.LOCK_INVOICES,
    "deletions.lock_contacts": deletions.LOCK_CONTACTS,
    "files.insert": files.INSERT,
    "files.insert_part": files.INSERT_PART,
    "files.lock_quota": files.LOCK_QUOTA,
    "files.delete_parts": files.DELETE_PARTS,
    "files.delete": files.DELETE,
    "labels.mark_clients_updated": labels.MARK_CLIENTS_UPDATED,
    "jobs.claim": jobs.CLAIM,
    "jobs.record_chunk": jobs.RECORD_CHUNK,
    "jobs.record_run": jobs.RECORD_RUN,
    "jobs.release": jobs.RELEASE,
    "job_messages.lock": job_messages.LOCK,
    "snapshots.lock_exclusive": snapshots.LOCK_EXCLUSIVE,
    "snapshots.lock_shared": snapshots.LOCK_SHARED,
    "monthly_balances.lock_clients": monthly_balances.LOCK_CLIENTS,
    "monthly_balances.delete": monthly_balances.DELETE_BALANCES,
    "monthly_balances.insert": monthly_balances.INSERT_BALANCES,
}
ALL = {**QUERIES, **COMMANDS}
