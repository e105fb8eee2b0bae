"""Link existing or new contacts to a client, each with its roles at this client."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db.sql import locking
from db.tables import Client, ClientContact, ClientContactFields, Contact, ContactRole
from domain.clients import contacts
from domain.clients.list_changes import ListChanges
from domain.core.errors import ErrorCollector, InvalidInput, NameTaken, RuleViolation, TooMany, not_found
from domain.core.locking import expect_version, field_values, lock_active, lock_references, mark_updated
from domain.core.scope import Permission, WriteScope
from domain.core.validation import validate, validate_patch

Values = Mapping[str, object]
MAX_CONTACTS = 100  # per client
MAX_POSITION = 2**31 - 1  # the largest GraphQL Int; positions need not be unique


@dataclass(frozen=True)
class ContactChoice:
    """An existing contact (`id`) or the fields of a new one, and the fields of its link to the client."""

    id: UUID | None = None
    new: Values | None = None
    link: Values = field(default_factory=dict)


@dataclass(frozen=True)
class SelectedContact:
    """A validated contact and link. `new` is the contact if it is still to be stored."""

    contact_id: UUID
    new: Contact | None
    link: dict[str, Any]


@dataclass(frozen=True)
class ContactPlan:
    """The validated changes of a client's contacts: the contacts to link, and the current links to remove and to keep."""

    selection: Sequence[SelectedContact]
    removed_links: Sequence[ClientContact]
    kept_links: Sequence[ClientContact]


async def plan(scope: WriteScope, client: Client | None, changes: ListChanges[ContactChoice], country: str) -> ContactPlan:
    """Validate changes of the contacts of a locked client, or of a new one (None). Raises `RuleViolation` with every error."""
    changes.reject_too_long(MAX_CONTACTS)
    links = await locking.find(scope, ClientContact, client_id=client.id) if client else []
    kept_links = [link for link in links if link.contact_id not in changes.remove]
    selection = await _select_contacts(scope, changes, kept_links, country)
    if selection:
        _check_count(len(kept_links) + len(selection), [changes.add_name])
    return ContactPlan(selection, [link for link in links if link.contact_id in changes.remove], kept_links)


def _check_count(count: int, path: list[str]) -> None:
    """Raise `RuleViolation` if a client would have too many contacts."""
    if count > MAX_CONTACTS:
        raise RuleViolation(TooMany(path, f"The client would have more than {MAX_CONTACTS} contacts. Unlink some first."))


async def _select_contacts(
    scope: WriteScope, changes: ListChanges[ContactChoice], links: Sequence[ClientContact], country: str
) -> list[SelectedContact]:
    """Validate the contacts to add, and lock the existing ones and those to remove. `links` are the links that the client keeps."""
    errors, ids, selection = ErrorCollector(), dict[UUID, Sequence[str]](), list[SelectedContact]()
    linked_ids, first_position = {link.contact_id for link in links}, _next_position(links)
    for index, choice in enumerate(changes.add):
        path = [changes.add_name, str(index)]
        with errors.collect():
            link = validate_link(choice.link, [*path, "link"], position=min(first_position + index, MAX_POSITION))
            if choice.id is None:
                new = contacts.validate_new(scope, choice.new or {}, [*path, "contact", "new"], country)
                selection.append(SelectedContact(new.id, new, link))
            elif choice.id in ids:
                raise RuleViolation(InvalidInput([*path, "contact", "id"], "This contact is listed twice. Remove one."))
            else:
                ids[choice.id] = [*path, "contact", "id"]
                _reject_linked(linked_ids, choice.id, ids[choice.id])
                selection.append(SelectedContact(choice.id, None, link))
    with errors.collect():
        _reject_second_primary(changes)
    with errors.collect():
        changes.reject_in_both(ids, "contact")
    with errors.collect():
        await lock_references(scope, Contact, {**changes.removal_paths(), **ids})
    errors.raise_collected()
    return selection


def _next_position(links: Iterable[ClientContact]) -> int:
    """Return the position after the last contact."""
    return min(max((link.position + 1 for link in links), default=0), MAX_POSITION)


def _reject_linked(linked_ids: Collection[UUID], contact_id: UUID, path: Sequence[str]) -> None:
    if contact_id in linked_ids:
        message = "This contact is already linked to the client. Change the link with `clientContactUpdate`."
        raise RuleViolation(NameTaken([*path], message))


def validate_link(values: Values, path: Sequence[str], **defaults: object) -> dict[str, Any]:
    """Return the fields of a link as they are stored. A field that is absent or null gets its value from `defaults` or the field set."""
    link_values = {name: value for name, value in values.items() if value is not None}
    roles = link_values.pop("roles", [])
    return {**validate(ClientContactFields, {**defaults, **link_values}, path=path).model_dump(), "roles": _sort_roles(roles)}


def _sort_roles(roles: object) -> list[str]:
    """Return each role once, in a fixed order, so that the same roles in another order do not count as a change."""
    return [role for role in ContactRole if role in roles] if isinstance(roles, Iterable) else []


def _reject_second_primary(changes: ListChanges[ContactChoice]) -> None:
    primary_indexes = [str(index) for index, choice in enumerate(changes.add) if choice.link.get("is_primary")]
    if len(primary_indexes) > 1:
        message = "A client can have only one primary contact. Pass `isPrimary: true` for one contact only."
        raise RuleViolation(*(InvalidInput([changes.add_name, index, "link", "isPrimary"], message) for index in primary_indexes[1:]))


async def save(scope: WriteScope, client_id: UUID, changes: ContactPlan) -> bool:
    """Save the changes of the client's contacts and return whether anything differs. A contact whose link is removed still exists."""
    scope.session.add_all(each.new for each in changes.selection if each.new)
    for link in changes.removed_links:
        await scope.session.delete(link)
    await _clear_primary(scope, changes.kept_links, is_primary=any(each.link["is_primary"] for each in changes.selection))
    scope.session.add_all(
        ClientContact(tenant_id=scope.tenant, client_id=client_id, contact_id=each.contact_id, **each.link) for each in changes.selection
    )
    await scope.session.flush()
    return bool(changes.selection or changes.removed_links)


async def _lock_client(scope: WriteScope, client_id: UUID, contact_id: UUID) -> tuple[Client, list[ClientContact]]:
    """Lock the client and return it with its links. Raises `RuleViolation` unless the client is active and the contact exists."""
    scope.require(Permission.CLIENTS_WRITE)
    errors = ErrorCollector()
    with errors.collect():
        client = await lock_active(scope, Client, client_id, path=["clientId"])
    with errors.collect():
        await lock_references(scope, Contact, {contact_id: ["contactId"]})
    errors.raise_collected()
    return client, await locking.find(scope, ClientContact, client_id=client_id)


async def link(scope: WriteScope, client_id: UUID, contact_id: UUID, values: Values) -> UUID:
    """Link a contact to the client. Without a supplied position, it comes after the other contacts."""
    client, links = await _lock_client(scope, client_id, contact_id)
    _reject_linked({link.contact_id for link in links}, contact_id, ["contactId"])
    _check_count(len(links) + 1, ["contactId"])
    link_values = validate_link(values, ["link"], position=_next_position(links))
    await _clear_primary(scope, links, is_primary=bool(link_values["is_primary"]))
    scope.session.add(ClientContact(tenant_id=scope.tenant, client_id=client_id, contact_id=contact_id, **link_values))
    mark_updated(client)
    return client_id


async def update(scope: WriteScope, client_id: UUID, contact_id: UUID, changes: Values, *, expected_version: int) -> UUID:
    """Change the link between a contact and this client, and increment its version. The contact's other links do not change."""
    client, links = await _lock_client(scope, client_id, contact_id)
    client_contact = _find_link(links, contact_id, expected_version)
    field_changes = {name: value for name, value in changes.items() if name != "roles"}
    new_values = validate_patch(ClientContactFields, field_values(client_contact, ClientContactFields), field_changes, path=["link"])
    new_values |= {"roles": _sort_roles(changes["roles"])} if "roles" in changes else {}
    changed_values = {name: value for name, value in new_values.items() if getattr(client_contact, name) != value}
    if changed_values:
        await _clear_primary(scope, links, is_primary=bool(changed_values.get("is_primary")))
        _change_link(client_contact, changed_values)
        mark_updated(client)
    return client_id


async def unlink(scope: WriteScope, client_id: UUID, contact_id: UUID, *, expected_version: int) -> UUID:
    """Remove the link between a contact and the client. The contact itself still exists."""
    client, links = await _lock_client(scope, client_id, contact_id)
    await scope.session.delete(_find_link(links, contact_id, expected_version))
    mark_updated(client)
    return client_id


def _change_link(client_contact: ClientContact, changed_values: Values) -> None:
    client_contact.sqlmodel_update({**changed_values, "version": client_contact.version + 1})


def _find_link(links: Iterable[ClientContact], contact_id: UUID, expected_version: int) -> ClientContact:
    """Return the link to the contact. Raises `RuleViolation` if there is none, or its version is not the expected one."""
    match = next((each for each in links if each.contact_id == contact_id), None)
    if match is None:
        raise RuleViolation(not_found("contact of this client", ["contactId"]))
    expect_version(match, expected_version)
    return match


async def _clear_primary(scope: WriteScope, links: Iterable[ClientContact], *, is_primary: bool) -> None:
    """Clear the current primary contact if another one becomes primary. Flush, because a unique index allows only one at any time."""
    for each in links:
        if is_primary and each.is_primary:
            _change_link(each, {"is_primary": False})
    await scope.session.flush()
