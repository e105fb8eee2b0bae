"""Rules of contacts."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from uuid import UUID

from db import contacts as rows
from db.clients import counts_of_contacts
from db.contacts import counts_of_clients
from db.keys import name_key
from db.rows import ClientContactRow, ContactRow
from db.search import Search
from db.tables import Contact, ContactFields
from domain.changes import apply, filled, held
from domain.checks import checked, checked_patch
from domain.errors import InUse, Refused
from domain.lookups import normalize_search
from domain.organizations import country
from domain.pages import Order, Page, PagesOfEach, Reading, Span
from domain.scope import Permission, ReadScope, WriteScope, require

__all__ = ["by_id", "checked_new", "counts", "counts_of_clients", "create", "delete", "of_clients", "page", "update"]

BY_POSITION: Order[ClientContactRow] = Order("client.contacts.position", attrgetter("position", "id"))
BY_NAME: Order[ContactRow] = Order("contacts.name", attrgetter("name_key", "id"))

of_clients = PagesOfEach(BY_POSITION, rows.of_clients)
"""The contacts of each client by their position there. Callers who see a client see its contacts."""
counts = require(Permission.CLIENTS_READ, rows.counts)
"""How many there are of each search."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)


async def page(scope: ReadScope, search: str | None, span: Span) -> Page[ContactRow]:
    """Contacts of the organization by name, those with the text in it where one is given."""
    scope.must(Permission.CLIENTS_READ)
    reading = Reading.of(BY_NAME, scope.cursors, span)
    wanted = Search(normalize_search(search))
    return reading.page(await rows.page(scope, wanted, reading.part), wanted)


def checked_new(scope: WriteScope, values: Mapping[str, object], at: Sequence[str], country: str) -> Contact:
    """A contact that is still to be stored."""
    wanted = checked(ContactFields, values, at=at, country=country).model_dump()
    return Contact(tenant_id=scope.tenant, **wanted, name_key=_key(wanted))


def _key(values: Mapping[str, object]) -> str:
    """Contacts are in order by their last name, then their first."""
    return name_key(" ".join(str(values[name]) for name in ("last_name", "first_name") if values.get(name)))


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    scope.must(Permission.CLIENTS_WRITE)
    contact = checked_new(scope, values, [], await country(scope))
    scope.session.add(contact)
    return contact.id


async def update(scope: WriteScope, contact_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Changes the person, which shows at each of its clients."""
    scope.must(Permission.CLIENTS_WRITE)
    contact = await held(scope, Contact, contact_id, expected_version)
    current = filled(contact, ContactFields)
    wanted = checked_patch(ContactFields, current, changes, country=await country(scope))
    apply(contact, {**wanted, "name_key": _key({**current, **wanted})})
    return contact.id


async def delete(scope: WriteScope, contact_id: UUID, *, expected_version: int) -> UUID:
    """Refused while it is a contact of any client."""
    scope.must(Permission.CLIENTS_WRITE)
    contact = await held(scope, Contact, contact_id, expected_version)
    if uses := (await counts_of_contacts(scope, [contact_id]))[0]:
        clients = f"{uses} client{'' if uses == 1 else 's'}"
        way = "Take it off each with `clientContactUnlink` first, and one that is archived back with `clientUnarchive` before that."
        raise Refused(InUse(["id"], f"This is a contact of {clients}. {way}", uses))
    await scope.session.delete(contact)
    return contact.id
