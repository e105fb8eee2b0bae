"""The contacts of the clients, most of one client and some of several, and the documents that they receive."""

from collections import deque
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import DemoClient
from db.demo.organization import TENANT
from db.demo.rng import TODAY, Rng
from db.tables.contacts import ContactRole, Recipient
from db.tables.keys import name_key

SEATS = (0, 2, 3, 4, 4, 5, 5, 6, 7, 8)  # the maximum numbers of contacts, by which clients differ; on average enough for all contacts
JOBS = {
    "nl": (
        "Directeur",
        "Projectleider",
        "Boekhouder",
        "Inkoper",
        "Officemanager",
        "HR-adviseur",
        "Facilitair manager",
        "Bestuurssecretaris",
    ),
    "fr": ("Directrice", "Chef de projet", "Comptable", "Acheteur", "Secrétaire de direction"),
    "en": ("Managing director", "Project manager", "Bookkeeper", "Buyer"),
    "de": ("Geschäftsführer", "Projektleiterin", "Buchhalterin", "Einkäufer"),
}
DEPARTMENTS = (None, None, None, "Directie", "Financiën", "Inkoop", "Projecten")
FURTHER_ROLES = ((), (), (ContactRole.QUOTE,), (ContactRole.QUOTE, ContactRole.PORTAL), (ContactRole.PORTAL,))
INVOICE_ROLES = (
    (ContactRole.INVOICE,),
    (ContactRole.INVOICE, ContactRole.REMINDER),
    (ContactRole.INVOICE, ContactRole.REMINDER, ContactRole.STATEMENT),
)


class ContactRecord(NamedTuple):
    id: UUID
    created_at: datetime
    updated_at: datetime
    first_name: str | None
    last_name: str
    name_key: str
    job_title: str | None
    email: str | None
    phone: str | None
    mobile: str | None
    language: str
    is_active: bool
    version: int = 1
    tenant_id: UUID = TENANT


class ClientContactRecord(NamedTuple):
    client_id: UUID
    contact_id: UUID
    created_at: datetime
    position: int
    department: str | None
    is_invoice_contact: bool
    is_primary: bool
    recipient: str
    is_active: bool
    roles: list[str]
    tenant_id: UUID = TENANT


class People(NamedTuple):
    contacts: list[ContactRecord]
    links: list[ClientContactRecord]
    invoice_names: dict[UUID, str]  # the name of the contact on a client's invoices, by client


def invent_people(clients: list[DemoClient], count: int, shared_count: int) -> People:
    rng = Rng("contacts")
    contacts: list[ContactRecord] = []
    at_client: list[list[ContactRecord]] = [[] for _ in clients]
    seats = _seats(rng, len(clients))
    for n in range(count):
        indexes = _draw_clients(seats, rng.pick((2, 2, 3, 4)) if n < shared_count else 1)
        contact = _contact(rng, clients[indexes[0]])
        contacts.append(contact)
        for index in indexes:
            at_client[index].append(contact)
    links = [
        link for client, contacts_of_client in zip(clients, at_client, strict=True) for link in _links(rng, client, contacts_of_client)
    ]
    names = {contact.id: _full_name(contact) for contact in contacts}
    return People(contacts, links, {link.client_id: names[link.contact_id] for link in links if link.is_invoice_contact})


def _seats(rng: Rng, clients: int) -> deque[int]:
    """Return the index of each client, repeated once per contact that it can have, in random order."""
    indexes = [index for index in range(clients) for _ in range(SEATS[index % len(SEATS)])]
    rng.shuffle(indexes)
    return deque(indexes)


def _draw_clients(seats: deque[int], count: int) -> list[int]:
    """Draw `count` different clients. Puts a duplicate back at the end of the queue."""
    indexes: list[int] = []
    while len(indexes) < count:
        index = seats.pop()
        if index in indexes:
            seats.appendleft(index)
        else:
            indexes.append(index)
    return indexes


def _contact(rng: Rng, client: DemoClient) -> ContactRecord:
    locale = client.locale
    first, last = rng.pick(locale.first_names), rng.pick(locale.surnames)
    id_, created_at = rng.id_and_time(rng.integer_between(client.first_day, min(client.first_day + 250, TODAY)))
    mailbox = name_key(f"{first}.{last}").replace(" ", "").replace("'", "")
    row = ContactRecord(
        id=id_,
        created_at=created_at,
        updated_at=created_at,
        first_name=None if rng.chance(2) else first,
        last_name=last,
        name_key="",  # set below
        job_title=rng.pick(JOBS[locale.language]) if rng.chance(75) else None,
        email=f"{mailbox}@{client.row.email.partition('@')[2]}" if rng.chance(93) else None,
        phone=f"{locale.phone}{rng.digits(2)}" if rng.chance(50) else None,
        mobile=f"{locale.phone}{rng.digits(2)}" if rng.chance(40) else None,
        language=locale.language,
        is_active=not rng.chance(4),
    )
    return row._replace(name_key=name_key(_full_name(row)))


def _links(rng: Rng, client: DemoClient, contacts: list[ContactRecord]) -> list[ClientContactRecord]:
    """Link the contacts to the client in random order. Draws whether the first is the primary one, and which one receives invoices."""
    rng.shuffle(contacts)
    invoice_position = rng.integer_between(0, len(contacts) - 1) if contacts and rng.chance(70) else None
    has_primary = rng.chance(92)
    return [
        ClientContactRecord(
            client_id=client.row.id,
            contact_id=contact.id,
            created_at=max(contact.created_at, client.row.created_at),
            position=n,
            department=rng.pick(DEPARTMENTS),
            is_invoice_contact=n == invoice_position,
            is_primary=has_primary and n == 0,
            recipient=Recipient.TO if n in {0, invoice_position} else rng.pick((Recipient.TO, Recipient.CC, Recipient.CC, Recipient.BCC)),
            is_active=contact.is_active,
            roles=[role.value for role in rng.pick(INVOICE_ROLES if n == invoice_position else FURTHER_ROLES)],
        )
        for n, contact in enumerate(contacts)
    ]


def _full_name(contact: ContactRecord) -> str:
    return " ".join(part for part in (contact.first_name, contact.last_name) if part)
