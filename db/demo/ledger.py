"""Generate the ledgers of the clients (projects, quotes, portals, registrations, invoices and payments) in batches to copy."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from db.demo import invoices, payments, portals, projects, quotes, registrations
from db.demo.clients import DemoClient
from db.demo.contacts import People
from db.demo.documents import DocumentBuilder
from db.demo.organization import DemoOrganization
from db.demo.plan import DocumentSlot, plan_documents
from db.demo.rng import Rng, split_by_weight
from db.demo.size import Size
from db.tables.organizations import Role

TableRows = tuple[str, Sequence[NamedTuple]]  # the name of a table, and rows for it
SECONDARY_TABLES = ("quote", "quote_line", "client_portal", "portal_project", "portal_access")
BATCH_ROWS = 10_000  # invoices and registrations of a batch: enough to copy efficiently, few enough to show progress


class ClientPlan(NamedTuple):
    """The plan of one client's ledger. Random numbers depend only on `client_index`, so that one client's data do not affect the others."""

    client_index: int
    client: DemoClient
    slots: list[DocumentSlot]
    codes: range  # the numbers in the codes of its projects
    registrations: int
    contact: str | None  # the name of the contact on its invoices
    quotes: list[quotes.QuoteSlot]
    viewers: portals.PortalPlan

    def rng(self, subject: str) -> Rng:
        return Rng(f"{subject} {self.client_index}")


def build_batches(organization: DemoOrganization, clients: list[DemoClient], people: People, size: Size) -> Iterator[list[TableRows]]:
    batch = _empty_batch()
    for client_plan in _client_plans(clients, people, size):
        _add(batch, organization, client_plan)
        if len(batch["invoice"]) + len(batch["registration"]) >= BATCH_ROWS:
            yield list(batch.items())
            batch = _empty_batch()
    yield list(batch.items())


def _empty_batch() -> dict[str, list[NamedTuple]]:
    """Return an empty batch. Each table comes after the tables that it refers to."""
    return {name: [] for name in ("project", *SECONDARY_TABLES, "invoice", "invoice_line", "registration", "payment", "payment_allocation")}


def _client_plans(clients: list[DemoClient], people: People, size: Size) -> Iterator[ClientPlan]:
    counts = split_by_weight(size.projects, [projects.project_weight(client) for client in clients])
    registration_counts = split_by_weight(size.registrations, [client.weight for client in clients])
    codes = [range(end - count + 1, end + 1) for count, end in zip(counts, accumulate(counts), strict=True)]
    quote_plans, viewers = quotes.plan_quotes(clients, size.quotes), portals.plan_portals(clients, people, counts, size.portals)
    plans = zip(clients, plan_documents(clients, size.invoices), quote_plans, viewers, strict=True)
    for n, (client, slots, quote_slots, viewers_of_client) in enumerate(plans):
        yield ClientPlan(
            n, client, slots, codes[n], registration_counts[n], people.invoice_names.get(client.row.id), quote_slots, viewers_of_client
        )


def _secondary_rows(client_plan: ClientPlan, client_projects: list[projects.DemoProject]) -> list[Sequence[NamedTuple]]:
    """Return the rows of `SECONDARY_TABLES`, in their order."""
    quote_rows = quotes.draw_quotes(client_plan.rng("quotes"), client_plan.client, client_plan.quotes, client_projects)
    return [*quote_rows, *portals.draw_portals(client_plan.rng("portals"), client_plan.client, client_plan.viewers, client_projects)]


def _add(batch: dict[str, list[NamedTuple]], organization: DemoOrganization, client_plan: ClientPlan) -> None:
    client, rng = client_plan.client, client_plan.rng("books")
    client_projects = projects.draw_projects(rng, client, client_plan.codes)
    drafts = registrations.draw_registrations(rng, client, client_projects, client_plan.registrations)
    documents = DocumentBuilder(rng, client, organization, client_projects).build(client_plan.slots, drafts)
    payment_rows, allocation_rows = payments.draw_payments(rng, client, documents)
    snapshot = invoices.take_snapshot(client, client_plan.contact)
    workers = [member.id for member in organization.members if member.role != Role.VIEWER]
    batch["project"] += [project.row for project in client_projects]
    for table, rows in zip(SECONDARY_TABLES, _secondary_rows(client_plan, client_projects), strict=True):
        batch[table] += rows
    batch["invoice"] += [invoices.invoice_record(client, document, snapshot) for document in documents]
    batch["invoice_line"] += [
        invoices.invoice_line_record(invoice, line, n) for invoice in documents for n, line in enumerate(invoice.lines, start=1)
    ]
    batch["registration"] += [registrations.registration_record(rng, client, draft, workers) for draft in drafts]
    batch["payment"] += payment_rows
    batch["payment_allocation"] += allocation_rows
