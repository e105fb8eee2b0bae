"""The form of a client: general part, financial settings, addresses, labels and contacts are saved together or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from db import clients as rows
from db import entities
from db.keys import name_key, new_id, number_key
from db.rows import ClientRow
from db.tables import (
    AddressFields,
    AddressType,
    Client,
    ClientAddress,
    ClientFields,
    ClientFinancialFields,
    InvoiceLayout,
    Organization,
    VatRate,
)
from db.tables.base import Fields
from domain import client_contacts, client_labels, numbers
from domain.changes import active, apply, filled, known, touch
from domain.checks import checked, checked_patch
from domain.client_contacts import ContactChoice
from domain.client_labels import LabelChoice
from domain.errors import Faults, InvalidInput, NumberTaken, Refused, TooMany
from domain.organizations import own
from domain.scope import Permission, WriteScope

Values = Mapping[str, object]
LINKS: dict[str, type[VatRate | InvoiceLayout]] = {"vat_rate_id": VatRate, "invoice_layout_id": InvoiceLayout}
MOST = {"addresses": len(AddressType), "labels": client_labels.MOST, "contacts": 100}


@dataclass(frozen=True)
class ClientForm:
    """What was filled in. A part that is None was left alone; a list that is given is the whole list from now on."""

    general: Values = field(default_factory=dict)
    financial: Values | None = None
    addresses: Sequence[Values] | None = None
    labels: Sequence[LabelChoice] | None = None
    contacts: Sequence[ContactChoice] | None = None
    takes_next_number: bool = False


async def create(scope: WriteScope, form: ClientForm) -> UUID:
    """A new client with all that belongs to it; refused with every fault there is."""
    _may(scope, form)
    return await make(scope, await own(scope), form)


async def update(scope: WriteScope, client_id: UUID, form: ClientForm, *, expected_version: int) -> UUID:
    """Changes what was given, and one version in all; what comes to nothing changes nothing. One that is archived stays as it is."""
    _may(scope, form)
    client = await active(scope, Client, client_id, expected_version)
    await change(scope, await own(scope), client, form)
    return client.id


async def make(scope: WriteScope, organization: Organization, form: ClientForm) -> UUID:
    """A client of a form whose rights were asked for."""
    values, parts = await check(scope, organization, form)
    client = Client(tenant_id=scope.tenant, id=new_id(), **_keyed(values | await _next_number(scope, organization, form)))
    scope.session.add(client)
    await scope.session.flush()
    await _save(scope, client, parts)
    return client.id


async def change(scope: WriteScope, organization: Organization, client: Client, form: ClientForm) -> bool:
    """Whether anything of the client, which is held, is other than it was."""
    values, parts = await check(scope, organization, form, client)
    is_changed = apply(client, _keyed(values | await _next_number(scope, organization, form)))
    if await _save(scope, client, parts) and not is_changed:
        touch(client)
        return True
    return is_changed


async def check(
    scope: WriteScope, organization: Organization, form: ClientForm, client: Client | None = None
) -> "tuple[dict[str, Any], _Parts]":
    """The form as it is stored, of a new client or of this one; refused with every fault there is."""
    faults, values = Faults(), dict[str, Any]()
    with faults.part():
        current = filled(client, ClientFields) if client else None
        values |= _validate(ClientFields, current, form.general, country=organization.country)
    with faults.part():
        current = filled(client, ClientFinancialFields) if client else None
        values |= await _financial(scope, current, form.financial or {})
    with faults.part():
        await _check_number(scope, values.get("number"), form, client)
    parts = await _checked_parts(scope, faults, form, organization)
    faults.refuse()
    return values, parts


async def _next_number(scope: WriteScope, organization: Organization, form: ClientForm) -> dict[str, Any]:
    return {"number": await numbers.next_for_client(scope, organization)} if form.takes_next_number else {}


def _validate(
    fields: type[Fields], current: Values | None, given: Values, *, at: Sequence[str] = (), country: str = "NL"
) -> dict[str, Any]:
    """Return the values as they are stored: all fields of a new client, where there are no current ones, or the changes of one."""
    if current is None:
        return checked(fields, given, at=at, country=country).model_dump()
    return checked_patch(fields, current, given, at=at, country=country)


def _may(scope: WriteScope, form: ClientForm) -> None:
    scope.must(Permission.CLIENTS_WRITE)
    if form.financial is not None:
        scope.must(Permission.FINANCE_WRITE)


def _keyed(values: dict[str, Any]) -> dict[str, Any]:
    """With the keys that it is found and put in order by."""
    if "name" in values:
        values["name_key"] = name_key(str(values["name"]))
    if "number" in values:
        values["number_key"] = None if values["number"] is None else number_key(str(values["number"]))
    return values


async def _financial(scope: WriteScope, current: Values | None, given: Values) -> dict[str, Any]:
    """The settings as they are stored, of a new client where there are none; rates of VAT and layouts are of the organization."""
    at, faults, values = ["financial"], Faults(), dict[str, Any]()
    with faults.part():
        wanted = {name: value for name, value in given.items() if name not in LINKS}
        values |= _validate(ClientFinancialFields, current, wanted, at=at)
    for name, table in LINKS.items():
        if name in given:
            values[name] = key = given[name]
            with faults.part():
                await known(scope, table, {key: [*at, to_camel(name)]} if isinstance(key, UUID) else {})
    faults.refuse()
    return values


async def _check_number(scope: WriteScope, number: object, form: ClientForm, own: Client | None = None) -> None:
    """Unique without regard to capitals. Two that come at once both look, one is stored, and the other looks again."""
    if form.takes_next_number and form.general.get("number") is not None:
        raise Refused(InvalidInput(["number"], "Give a number or ask for the next one with `takesNextNumber`, not both."))
    if number is not None:
        taken = await rows.by_number(scope, str(number))
        if taken and (own is None or taken.id != own.id):
            raise Refused(_number_taken(scope, taken, str(number)))


def _number_taken(scope: WriteScope, taken: ClientRow, number: str) -> NumberTaken:
    """Without CLIENTS_READ a caller hears no more than that the number they gave is in use."""
    if not scope.may(Permission.CLIENTS_READ):
        return NumberTaken(["number"], f"Another client has the number {number}. Numbers are unique.", None)
    return NumberTaken(["number"], f"{taken.name} has the number {taken.number}. Numbers are unique.", taken.id)


@dataclass(frozen=True)
class _Parts:
    """The parts that were given, checked."""

    addresses: Mapping[str, AddressFields] | None
    labels: client_labels.Wanted | None
    contacts: Sequence[client_contacts.Wanted] | None


async def _checked_parts(scope: WriteScope, faults: Faults, form: ClientForm, organization: Organization) -> _Parts:
    addresses, labels, contacts = None, None, None
    for name, most in MOST.items():
        if len(getattr(form, name) or ()) > most:
            faults.found.append(TooMany([name], f"`{name}` has at most {most} entries."))
            return _Parts(None, None, None)
    if form.addresses is not None:
        addresses = _addresses(faults, form.addresses, organization.country)
    if form.labels is not None:
        with faults.part():
            labels = await client_labels.checked_choices(scope, form.labels)
    if form.contacts is not None:
        with faults.part():
            contacts = await client_contacts.checked_choices(scope, form.contacts, organization.country)
    return _Parts(addresses, labels, contacts)


def _addresses(faults: Faults, given: Iterable[Values], country: str) -> dict[str, AddressFields]:
    """One of a type at most."""
    found: dict[str, AddressFields] = {}
    for place, values in enumerate(given):
        at, kind = ["addresses", str(place)], str(values["type"])
        with faults.part():
            if kind in found:
                raise Refused(InvalidInput([*at, "type"], f"A client has one address of the type {kind}."))
            found[kind] = checked(AddressFields, values, at=at, country=country)
    return found


async def _save(scope: WriteScope, client: Client, parts: _Parts) -> bool:
    """Whether anything is other than it was."""
    changes = [
        parts.addresses is not None and await _save_addresses(scope, client, parts.addresses),
        parts.labels is not None and await client_labels.save(scope, client.id, parts.labels),
        parts.contacts is not None and await client_contacts.save(scope, client.id, parts.contacts),
    ]
    return any(changes)


async def _save_addresses(scope: WriteScope, client: Client, wanted: Mapping[str, AddressFields]) -> bool:
    there: dict[str, ClientAddress] = {row.type: row for row in await entities.find(scope, ClientAddress, client_id=client.id)}
    for kind, row in there.items():
        if kind not in wanted:
            await scope.session.delete(row)
        else:
            row.sqlmodel_update(wanted[kind].model_dump())
    for kind in wanted.keys() - there.keys():
        scope.session.add(ClientAddress(tenant_id=scope.tenant, client_id=client.id, type=AddressType(kind), **wanted[kind].model_dump()))
    is_changed = bool(scope.session.new or scope.session.deleted or any(map(scope.session.is_modified, there.values())))
    await scope.session.flush()
    return is_changed
