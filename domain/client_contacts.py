"""The contacts of a client: chosen among those there are, or made on the way, each with what it is to this client."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db import entities
from db.tables import Client, ClientContact, ClientContactFields, Contact, ContactRole
from domain import contacts
from domain.changes import active, expect, filled, known, touch
from domain.checks import checked, checked_patch
from domain.errors import Faults, InvalidInput, NameTaken, Refused, not_found
from domain.scope import Permission, WriteScope

Values = Mapping[str, object]
LAST_PLACE = 2**31 - 1  # the largest Int; several contacts may have it


@dataclass(frozen=True)
class ContactChoice:
    """A contact there is, or the fields of a new one; and what it is to the client."""

    id: UUID | None = None
    new: Values | None = None
    link: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """A contact that may still be to be stored, and its link."""

    contact_id: UUID
    new: Contact | None
    link: dict[str, Any]


async def checked_choices(scope: WriteScope, choices: Sequence[ContactChoice], country: str) -> list[Wanted]:
    """Each contact once, and one of them the first to call."""
    faults, ids, wanted = Faults(), dict[UUID, Sequence[str]](), list[Wanted]()
    for place, choice in enumerate(choices):
        at = ["contacts", str(place)]
        with faults.part():
            link = checked_link(choice.link, [*at, "link"], position=place)
            if choice.id is None:
                new = contacts.checked_new(scope, choice.new or {}, [*at, "contact", "new"], country)
                wanted.append(Wanted(new.id, new, link))
            elif choice.id in ids:
                raise Refused(InvalidInput([*at, "contact", "id"], "This contact is there twice."))
            else:
                ids[choice.id] = [*at, "contact", "id"]
                wanted.append(Wanted(choice.id, None, link))
    with faults.part():
        _refuse_second_primary(wanted)
    with faults.part():
        await known(scope, Contact, ids)
    faults.refuse()
    return wanted


def checked_link(values: Values, at: Sequence[str], **usual: object) -> dict[str, Any]:
    """The fields of a link as they are stored; a place that was not given is the place in the list."""
    given = {name: value for name, value in values.items() if value is not None or name == "department"}
    roles = given.pop("roles", [])
    return {**checked(ClientContactFields, {**usual, **given}, at=at).model_dump(), "roles": _roles(roles)}


def _roles(given: object) -> list[str]:
    """Each once, in one order, so that the same roles are no change."""
    return [role for role in ContactRole if role in given] if isinstance(given, Iterable) else []


def _refuse_second_primary(wanted: Sequence[Wanted]) -> None:
    _, *more = [str(place) for place, each in enumerate(wanted) if each.link["is_primary"]] or [""]
    if more:
        raise Refused(*(InvalidInput(["contacts", place, "link", "isPrimary"], "A client has one primary contact.") for place in more))


async def save(scope: WriteScope, client_id: UUID, wanted: Sequence[Wanted]) -> bool:
    """The client has these from now on, and no others; a contact that is taken off stays a contact. Whether that is a change."""
    scope.session.add_all(each.new for each in wanted if each.new)
    await scope.session.flush()
    there = {link.contact_id: link for link in await entities.find(scope, ClientContact, client_id=client_id)}
    was = {key: _shown(link) for key, link in there.items()}
    kept = {each.contact_id for each in wanted}
    for key, link in there.items():
        if key not in kept:
            await scope.session.delete(link)
        else:
            link.is_primary = False  # one at a time: another may become it in this very change
    await scope.session.flush()
    for each in wanted:
        if each.contact_id in there:
            there[each.contact_id].sqlmodel_update(each.link)
        else:
            scope.session.add(ClientContact(tenant_id=scope.tenant, client_id=client_id, contact_id=each.contact_id, **each.link))
    await scope.session.flush()
    return kept != there.keys() or any(_shown(there[key]) != was[key] for key in kept)


async def _held(scope: WriteScope, client_id: UUID, contact_id: UUID, expected_version: int | None) -> tuple[Client, list[ClientContact]]:
    """The client, held and not archived, and its links; refused unless both are known."""
    scope.must(Permission.CLIENTS_WRITE)
    faults = Faults()
    with faults.part():
        client = await active(scope, Client, client_id, at=["clientId"])
    with faults.part():
        await known(scope, Contact, {contact_id: ["contactId"]})
    faults.refuse()
    expect(client, expected_version)
    return client, await entities.find(scope, ClientContact, client_id=client_id)


async def link(scope: WriteScope, client_id: UUID, contact_id: UUID, values: Values, *, expected_version: int | None) -> UUID:
    """Makes a contact one of the client's, after the others unless a place is given."""
    client, there = await _held(scope, client_id, contact_id, expected_version)
    if any(link.contact_id == contact_id for link in there):
        raise Refused(NameTaken(["contactId"], "This contact is one of the client's already. Change the link with `clientContactUpdate`."))
    wanted = checked_link(values, ["link"], position=min(max((link.position + 1 for link in there), default=0), LAST_PLACE))
    await _make_room(scope, there, is_primary=bool(wanted["is_primary"]))
    scope.session.add(ClientContact(tenant_id=scope.tenant, client_id=client_id, contact_id=contact_id, **wanted))
    touch(client)
    return client_id


async def update(scope: WriteScope, client_id: UUID, contact_id: UUID, changes: Values, *, expected_version: int | None) -> UUID:
    """Changes what the contact is to this client, and to no other."""
    client, there = await _held(scope, client_id, contact_id, expected_version)
    mine = _one(there, contact_id)
    given = {name: value for name, value in changes.items() if name != "roles"}
    wanted = checked_patch(ClientContactFields, filled(mine, ClientContactFields), given, at=["link"])
    wanted |= {"roles": _roles(changes["roles"])} if "roles" in changes else {}
    altered = {name: value for name, value in wanted.items() if getattr(mine, name) != value}
    await _make_room(scope, [each for each in there if each is not mine], is_primary=bool(altered.get("is_primary")))
    mine.sqlmodel_update(altered)
    if altered:
        touch(client)
    return client_id


async def unlink(scope: WriteScope, client_id: UUID, contact_id: UUID, *, expected_version: int | None) -> UUID:
    """Takes a contact off the client; the contact stays."""
    client, there = await _held(scope, client_id, contact_id, expected_version)
    await scope.session.delete(_one(there, contact_id))
    touch(client)
    return client_id


def _shown(link: ClientContact) -> dict[str, Any]:
    return {**filled(link, ClientContactFields), "roles": link.roles}


def _one(there: Iterable[ClientContact], contact_id: UUID) -> ClientContact:
    found = next((each for each in there if each.contact_id == contact_id), None)
    if found is None:
        raise Refused(not_found("contact of this client", ["contactId"]))
    return found


async def _make_room(scope: WriteScope, there: Iterable[ClientContact], *, is_primary: bool) -> None:
    """The first to call is one: who was it no longer is."""
    for each in there:
        if is_primary and each.is_primary:
            each.is_primary = False
    await scope.session.flush()
