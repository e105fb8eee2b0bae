"""The books of one client after the other: projects, quotes, portals, registrations, invoices and payments, in batches to copy."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from db.demo import invoices, payments, portals, projects, quotes, registrations
from db.demo.clients import Client
from db.demo.contacts import People
from db.demo.dice import Dice, shares
from db.demo.documents import Desk
from db.demo.organization import House
from db.demo.plan import Slot, plan
from db.demo.size import Size
from db.tables.organizations import Role

Table = tuple[str, Sequence[NamedTuple]]  # a table's name, and rows for it
BESIDE = ("quote", "quote_line", "client_portal", "portal_project", "portal_access")
BATCH = 10_000  # rows that the progress counts: enough to copy well, few enough to show it going on


class Order(NamedTuple):
    """What is to be made for one client; its own chance by its place, so that no other client's books depend on it."""

    place: int
    client: Client
    slots: list[Slot]
    codes: range
    registrations: int
    contact: str | None
    quotes: list[quotes.Slot]
    viewers: portals.Viewers

    def dice(self, subject: str) -> Dice:
        return Dice(f"{subject} {self.place}")


def batches(house: House, clients: list[Client], people: People, size: Size) -> Iterator[list[Table]]:
    batch = _empty()
    for order in _orders(clients, people, size):
        _add(batch, house, order)
        if len(batch["invoice"]) + len(batch["registration"]) >= BATCH:
            yield list(batch.items())
            batch = _empty()
    yield list(batch.items())


def _empty() -> dict[str, list[NamedTuple]]:
    """The tables in the order in which their rows point at each other."""
    return {name: [] for name in ("project", *BESIDE, "invoice", "invoice_line", "registration", "payment", "payment_allocation")}


def _orders(clients: list[Client], people: People, size: Size) -> Iterator[Order]:
    counts = shares(size.projects, [projects.weight(client) for client in clients])
    work = shares(size.registrations, [client.weight for client in clients])
    codes = [range(end - count + 1, end + 1) for count, end in zip(counts, accumulate(counts), strict=True)]
    offered, viewers = quotes.plan(clients, size.quotes), portals.plan(clients, people, counts, size.portals)
    planned = zip(clients, plan(clients, size.invoices), offered, viewers, strict=True)
    for n, (client, slots, offers, views) in enumerate(planned):
        yield Order(n, client, slots, codes[n], work[n], people.invoiced.get(client.row.id), offers, views)


def _beside(order: Order, own: list[projects.Project]) -> list[Sequence[NamedTuple]]:
    """The rows of the tables of that name, in their order."""
    offers = quotes.of_client(order.dice("quotes"), order.client, order.quotes, own)
    return [*offers, *portals.of_client(order.dice("portals"), order.client, order.viewers, own)]


def _add(batch: dict[str, list[NamedTuple]], house: House, order: Order) -> None:
    client, dice = order.client, order.dice("books")
    own = projects.of_client(dice, client, order.codes)
    done = registrations.of_client(dice, client, own, order.registrations)
    documents = Desk(dice, client, house, own).documents(order.slots, done)
    paid, allocated = payments.of_client(dice, client, documents)
    issued = invoices.snapshot(client, order.contact)
    workers = [member.id for member in house.members if member.role != Role.VIEWER]
    batch["project"] += [project.row for project in own]
    for table, rows in zip(BESIDE, _beside(order, own), strict=True):
        batch[table] += rows
    batch["invoice"] += [invoices.row(client, document, issued) for document in documents]
    batch["invoice_line"] += [invoices.line_row(made, line, n) for made in documents for n, line in enumerate(made.lines, start=1)]
    batch["registration"] += [registrations.row(dice, client, work, workers) for work in done]
    batch["payment"] += paid
    batch["payment_allocation"] += allocated
