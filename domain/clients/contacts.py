"""Read, create, change and delete contacts."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from uuid import UUID

from db.queries import contacts as rows
from db.queries.clients import counts_of_contacts
from db.queries.contacts import counts_of_clients
from db.rows import ClientContactRow, ContactRow
from db.tables import Contact, ContactFields
from db.tables.keys import name_key
from domain.core.errors import InUse, RuleViolation, pluralize
from domain.core.locking import apply_changes, field_values, lock
from domain.core.pagination import PagePerParentReader, SearchPageReader, SortOrder
from domain.core.scope import Permission, WriteScope, require
from domain.core.validation import validate, validate_patch
from domain.organization.organizations import get_country

__all__ = ["by_id", "counts", "counts_of_clients", "create", "delete", "of_clients", "page", "update", "validate_new"]

BY_POSITION: SortOrder[ClientContactRow] = SortOrder("client.contacts.position", attrgetter("position", "id"))
BY_NAME: SortOrder[ContactRow] = SortOrder("contacts.name", attrgetter("name_key", "id"))

of_clients = PagePerParentReader(BY_POSITION, rows.of_clients)
"""Return the contacts of each client by their position. A caller who may read a client may read its contacts."""
counts = require(Permission.CLIENTS_READ, rows.counts)
"""Return the number of contacts for each search."""
page = require(Permission.CLIENTS_READ, SearchPageReader(BY_NAME, rows.page))
"""Return a page of contacts by name, filtered by the search text if there is one."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)


def validate_new(scope: WriteScope, values: Mapping[str, object], path: Sequence[str], country: str) -> Contact:
    """Return a validated contact that is not yet stored."""
    new_values = validate(ContactFields, values, path=path, country=country).model_dump()
    return Contact(tenant_id=scope.tenant, **new_values, name_key=_sort_key(new_values))


def _sort_key(values: Mapping[str, object]) -> str:
    """Return the sort key: last name, then first name."""
    return name_key(" ".join(str(values[name]) for name in ("last_name", "first_name") if values.get(name)))


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    scope.require(Permission.CLIENTS_WRITE)
    contact = validate_new(scope, values, [], await get_country(scope))
    scope.session.add(contact)
    return contact.id


async def update(scope: WriteScope, contact_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Change the contact itself. The change applies at all its clients."""
    scope.require(Permission.CLIENTS_WRITE)
    contact = await lock(scope, Contact, contact_id, expected_version)
    current = field_values(contact, ContactFields)
    new_values = validate_patch(ContactFields, current, changes, country=await get_country(scope))
    apply_changes(contact, {**new_values, "name_key": _sort_key({**current, **new_values})})
    return contact.id


async def delete(scope: WriteScope, contact_id: UUID, *, expected_version: int) -> UUID:
    """Delete a contact. Raises `RuleViolation` if it is linked to a client."""
    scope.require(Permission.CLIENTS_WRITE)
    contact = await lock(scope, Contact, contact_id, expected_version)
    if uses := (await counts_of_contacts(scope, [contact_id]))[0]:
        hint = "Unlink it first with `clientContactUnlink`; an archived client must be unarchived with `clientUnarchive` before that."
        raise RuleViolation(InUse(["id"], f"This contact is linked to {pluralize(uses, 'client')}. {hint}", uses))
    await scope.session.delete(contact)
    return contact.id
