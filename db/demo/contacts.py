"""The people at the clients: most at one, some at several; and which documents they receive."""

from collections import deque
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.demo.clients import Client
from db.demo.dice import TODAY, Dice
from db.demo.organization import TENANT
from db.keys import name_key
from db.tables.contacts import ContactRole, Recipient

SEATS = (0, 2, 3, 4, 4, 5, 5, 6, 7, 8)  # how many contacts a client may have: on average enough for all of them
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


class ContactRow(NamedTuple):
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


class ClientContactRow(NamedTuple):
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
    contacts: list[ContactRow]
    links: list[ClientContactRow]
    invoiced: dict[UUID, str]  # the name on a client's invoices, by client


def people(clients: list[Client], count: int, shared: int) -> People:
    dice = Dice("contacts")
    contacts: list[ContactRow] = []
    at_client: list[list[ContactRow]] = [[] for _ in clients]
    seats = _seats(dice, len(clients))
    for n in range(count):
        places = _places(seats, dice.pick((2, 2, 3, 4)) if n < shared else 1)
        contact = _contact(dice, clients[places[0]])
        contacts.append(contact)
        for place in places:
            at_client[place].append(contact)
    links = [link for client, known in zip(clients, at_client, strict=True) for link in _links(dice, client, known)]
    names = {contact.id: _full_name(contact) for contact in contacts}
    return People(contacts, links, {link.client_id: names[link.contact_id] for link in links if link.is_invoice_contact})


def _seats(dice: Dice, clients: int) -> deque[int]:
    """A client's place once for every contact it may have, in no order."""
    places = [place for place in range(clients) for _ in range(SEATS[place % len(SEATS)])]
    dice.shuffle(places)
    return deque(places)


def _places(seats: deque[int], count: int) -> list[int]:
    """So many different clients; a seat at one that was taken already goes back for somebody else."""
    taken: list[int] = []
    while len(taken) < count:
        place = seats.pop()
        if place in taken:
            seats.appendleft(place)
        else:
            taken.append(place)
    return taken


def _contact(dice: Dice, client: Client) -> ContactRow:
    nation = client.nation
    first, last = dice.pick(nation.first_names), dice.pick(nation.surnames)
    id_, created_at = dice.born(dice.between(client.since, min(client.since + 250, TODAY)))
    mailbox = name_key(f"{first}.{last}").replace(" ", "").replace("'", "")
    row = ContactRow(
        id=id_,
        created_at=created_at,
        updated_at=created_at,
        first_name=None if dice.chance(2) else first,
        last_name=last,
        name_key="",  # follows below
        job_title=dice.pick(JOBS[nation.language]) if dice.chance(75) else None,
        email=f"{mailbox}@{client.row.email.partition('@')[2]}" if dice.chance(93) else None,
        phone=f"{nation.phone}{dice.digits(2)}" if dice.chance(50) else None,
        mobile=f"{nation.phone}{dice.digits(2)}" if dice.chance(40) else None,
        language=nation.language,
        is_active=not dice.chance(4),
    )
    return row._replace(name_key=name_key(_full_name(row)))


def _links(dice: Dice, client: Client, known: list[ContactRow]) -> list[ClientContactRow]:
    """In no order; the first is the primary one, and one of them may be the contact for invoices."""
    dice.shuffle(known)
    invoiced = dice.between(0, len(known) - 1) if known and dice.chance(70) else None
    has_primary = dice.chance(92)
    return [
        ClientContactRow(
            client_id=client.row.id,
            contact_id=contact.id,
            created_at=max(contact.created_at, client.row.created_at),
            position=n,
            department=dice.pick(DEPARTMENTS),
            is_invoice_contact=n == invoiced,
            is_primary=has_primary and n == 0,
            recipient=Recipient.TO if n in {0, invoiced} else dice.pick((Recipient.TO, Recipient.CC, Recipient.CC, Recipient.BCC)),
            is_active=contact.is_active,
            roles=[role.value for role in dice.pick(INVOICE_ROLES if n == invoiced else FURTHER_ROLES)],
        )
        for n, contact in enumerate(known)
    ]


def _full_name(contact: ContactRow) -> str:
    return " ".join(part for part in (contact.first_name, contact.last_name) if part)
