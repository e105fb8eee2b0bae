"""Arguments with which the product's queries are explained on a large organization."""

from datetime import UTC, date, datetime
from uuid import UUID

from db.queries.revenue import partial_month_bounds
from tests.support.large_organization import LargeOrganization

FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
FILTERS: dict[str, object] = {
    "in_name": "%client%",
    "in_number": "%1%",
    "country": "NL",
    "kvk_number": "12345678",
    "vat_number": "NL123456782B01",
    "updated_since": datetime(2026, 1, 1, tzinfo=UTC),
}
BEGINNING: dict[str, object] = {"after_key": FIRST_ID, "after_id": FIRST_ID}


def query_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of every query by its name, for pages of 50."""
    return {name: arguments for build in BUILDERS for name, arguments in build(large_org).items()}


def _after_middle(large_org: LargeOrganization) -> dict[str, object]:
    after_key, after_id = large_org.middle
    return {"after_key": after_key, "after_id": after_id}


def _label_filter(large_org: LargeOrganization) -> dict[str, object]:
    return {f"labels_{kind}": large_org.labels[:2] for kind in ("any", "all", "none")}


def _client_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the queries of clients, their activity, previews and deletions."""
    of_clients: dict[str, object] = {"ids": large_org.clients}
    after = _after_middle(large_org)
    labels = _label_filter(large_org)
    return {
        "activity.of_clients": {**of_clients, "count": 26, "after_key": LAST_ID, "after_id": LAST_ID},
        "activity.of_contacts": {"ids": large_org.contacts, "count": 26},
        "activity.count_of_clients": of_clients,
        "activity.count_of_contacts": {"ids": large_org.contacts},
        "activity.by_id": of_clients,
        "clients.page": {"count": 51},
        "clients.page_after": {"count": 51, **after},
        "clients.page_active": {"count": 51, **after},
        "clients.page_active_by_number": {"count": 51},
        "clients.page_by_number": {"count": 51},
        "clients.page_filtered": {"count": 51, **after, **FILTERS, **labels},
        "clients.search": {"count": 51, "in_name": "%0012%", "in_number": "%0012%"},
        "clients.count": {},
        "clients.count_filtered": {**FILTERS, **labels},
        "clients.by_number": {"number": "77"},
        "clients.numbers": {"numbers": [f"{number:04}" for number in range(100)]},
        "clients.of_contacts": {"ids": large_org.contacts, "count": 26, **after},
        "clients.of_labels": {"ids": large_org.labels[:1], "count": 26},
        "clients.count_of_contacts": {"ids": large_org.contacts},
        "clients.count_of_labels": {"ids": large_org.labels},
        "clients.addresses": of_clients,
        "clients.by_id": of_clients,
        "previews.counts": of_clients,
        "previews.amounts": of_clients,
        "previews.orphans": of_clients,
        "deletions.payments": {"client": large_org.clients[0]},
    }


def _contact_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the queries of contacts, labels, portals and invoices."""
    of_clients: dict[str, object] = {"ids": large_org.clients}
    after = _after_middle(large_org)
    return {
        "contacts.of_clients": {**of_clients, "count": 26},
        "contacts.all_of_clients": {**of_clients, "size": 25},
        "contacts.of_clients_after": {**of_clients, "count": 26, "after_key": 1, "after_id": large_org.contacts[0]},
        "contacts.page": {"count": 51, "in_name": "%person 12%", **after},
        "contacts.count": {"in_name": "%person 12%"},
        "contacts.count_of_clients": of_clients,
        "contacts.invoice_contacts": of_clients,
        "contacts.by_id": {"ids": large_org.contacts},
        "client_finance.of_clients": of_clients,
        "invoices.of_clients": {**of_clients, "count": 26, "after_key": LAST_ID, "after_id": LAST_ID},
        "invoices.count_of_clients": of_clients,
        "invoices.by_id": of_clients,
        "labels.page": {"count": 51, "in_name": "%label%", **after},
        "labels.count": {"in_name": "%label%"},
        "monthly_balances.clients": {"count": 50, "after": FIRST_ID},
        "monthly_balances.count_clients": {},
        "monthly_balances.inconsistent": {**of_clients, "since": date.min},
        "portals.of_clients": {**of_clients, "count": 20},
        "portals.projects": {"ids": large_org.portals, "count": 100},
        "portals.contacts": {"ids": large_org.portals, "count": 100},
        "portals.by_id": {"ids": large_org.portals},
        "labels.of_clients": of_clients,
        **{
            f"labels.{name}": {"label": large_org.rare_label}
            for name in ("lock_clients", "lock_projects", "lock_registrations", "locked_uses")
        },
        "labels.by_id": {"ids": large_org.labels},
    }


def _settings_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the queries of the organization's settings."""
    own: dict[str, object] = {"ids": [large_org.tenant.id]}
    return {
        "layouts.page": {"count": 26, **BEGINNING},
        "layouts.counts": own,
        "layouts.by_id": own,
        "layouts.count_of_clients": own,
        "layouts.count_of_invoices": own,
        "members.page": {"count": 26, **BEGINNING},
        "members.counts": own,
        "members.by_id": own,
        "members.by_email": {"email": "owner@test.example"},
        "organizations.by_id": own,
        "organizations.issued_invoice": {},
        "tokens.all": {},
        "tokens.page": {"count": 26},
        "tokens.counts": own,
        "tokens.by_id": own,
        "vat_rates.page": {"count": 26, **BEGINNING},
        "vat_rates.counts": own,
        "vat_rates.by_id": own,
    }


def _job_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the queries of jobs, for the jobs of the organization's owner."""
    own: dict[str, object] = {"kinds": ["REVENUE_REBUILD"], "statuses": ["SUCCEEDED", "FAILED"], "member_id": large_org.member}
    return {
        "jobs.page": {"count": 26},
        "jobs.page_filtered": {"count": 26, **own, "after_key": LAST_ID, "after_id": LAST_ID},
        "jobs.page_of_token": {"count": 26, "token_id": large_org.token},
        "jobs.count": {},
        "jobs.count_filtered": own,
        "jobs.by_id": {"ids": large_org.jobs},
        "jobs.due": {},
        "jobs.count_unfinished": {},
        "jobs.requester": {"job": large_org.jobs[0]},
        "jobs.with_figures": {"ids": large_org.jobs},
        "jobs.with_files": {"kind": "REVENUE_REBUILD", "since": datetime(2026, 1, 1, tzinfo=UTC)},
    }


def _file_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the queries of files."""
    of_jobs: dict[str, object] = {"ids": large_org.jobs}
    return {
        "files.by_id": {"ids": large_org.files},
        "files.of_jobs": of_jobs,
        "files.part": {"file": large_org.files[0], "part": 0},
        "files.total_bytes": {},
        "files.lock_of_jobs": of_jobs,
        "files.lock_expired": {},
    }


def _project_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the queries of projects and quotes."""
    of_clients: dict[str, object] = {"ids": large_org.clients}
    return {
        "projects.of_clients": {**of_clients, "count": 26},
        "projects.of_clients_archived": {**of_clients, "count": 26, "after_key": LAST_ID, "after_id": LAST_ID},
        "projects.count_of_clients": of_clients,
        "projects.count_of_clients_active": of_clients,
        "projects.count_of_registrations": {"ids": large_org.projects},
        "projects.count_of_invoice_lines": {"ids": large_org.projects},
        "projects.count_of_quote_lines": {"ids": large_org.projects},
        "projects.financial": {"ids": large_org.projects},
        "projects.by_id": {"ids": large_org.projects},
        "quotes.of_clients": {**of_clients, "count": 26, "after_key": LAST_ID, "after_id": LAST_ID},
        "quotes.count_of_clients": of_clients,
        "quotes.lines": {"ids": large_org.quotes, "count": 100},
        "quotes.by_id": {"ids": large_org.quotes},
    }


def _registration_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the queries of registrations."""
    of_clients: dict[str, object] = {"ids": large_org.clients}
    member = {"member_id": large_org.member, "since": date(2022, 2, 1), "until": date(2022, 12, 31)}
    registration_filter: dict[str, object] = {"kind": "TIME", "status": "OPEN", "is_billable": True, **member}
    return {
        "registrations.page": {"count": 26},
        "registrations.page_filtered": {"count": 26, **registration_filter, **BEGINNING, "after_key": date(2022, 6, 1)},
        "registrations.of_clients": {**of_clients, "count": 26, "after_key": date(2026, 6, 1), "after_id": LAST_ID},
        "registrations.of_projects": {"ids": large_org.projects, "count": 26, **registration_filter},
        "registrations.count": {},
        "registrations.count_filtered": registration_filter,
        "registrations.count_of_clients": of_clients,
        "registrations.count_of_projects": {"ids": large_org.projects, **registration_filter},
        "registrations.financial": {"ids": large_org.registrations},
        "registrations.labels": {"ids": large_org.registrations},
        "registrations.by_id": {"ids": large_org.registrations},
    }


def _revenue_arguments(large_org: LargeOrganization) -> dict[str, dict[str, object]]:
    """Return the arguments of the queries of revenue."""
    of_clients: dict[str, object] = {"ids": large_org.clients}
    labels = _label_filter(large_org)
    year: dict[str, object] = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}
    partial_months: dict[str, object] = {
        "start": date(2025, 12, 11),
        "end": date(2026, 3, 10),
        **partial_month_bounds(date(2025, 12, 11), date(2026, 3, 10)),
    }
    return {
        "revenue.by_client": {**of_clients, **year},
        "revenue.by_client_partial_months": {**of_clients, **partial_months},
        "revenue.total_by_client": {**of_clients, **year},
        "revenue.total_by_client_partial_months": {**of_clients, **partial_months},
        "revenue.of_all": year,
        "revenue.of_all_partial_months": partial_months,
        "revenue.of_filtered": {**FILTERS, **labels, **year},
        "revenue.of_filtered_partial_months": {**FILTERS, **labels, **partial_months},
    }


BUILDERS = (
    _client_arguments,
    _contact_arguments,
    _job_arguments,
    _file_arguments,
    _settings_arguments,
    _project_arguments,
    _registration_arguments,
    _revenue_arguments,
)
