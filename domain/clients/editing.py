"""Create and edit clients. The general part, financial settings, addresses, labels and contacts are saved together or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from db.queries import clients as rows
from db.rows import ClientRow
from db.sql import locking
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
from db.tables.keys import name_key, new_id, number_key
from domain.clients import contact_links, label_links
from domain.clients.contact_links import ContactChoice
from domain.clients.label_links import LabelChoice
from domain.clients.list_changes import NO_CHANGES, ListChanges
from domain.core.errors import ErrorCollector, InvalidInput, NumberTaken, RuleViolation, UserError, too_many
from domain.core.locking import apply_changes, bump_version, field_values, lock_active, lock_references, mark_updated
from domain.core.scope import Permission, WriteScope
from domain.core.validation import validate, validate_patch
from domain.invoicing import number_sequences
from domain.organization.organizations import get_organization

Values = Mapping[str, object]
REFERENCED_TABLES: dict[str, type[VatRate | InvoiceLayout]] = {"vat_rate_id": VatRate, "invoice_layout_id": InvoiceLayout}
MAX_ADDRESSES = len(AddressType)
LISTS = ("addresses", "labels", "labelsAdd", "labelsRemove", "contacts", "contactsAdd", "contactsRemove")
INPUT_ORDER = [*map(to_camel, ClientFields.model_fields), *LISTS, "financial"]


@dataclass(frozen=True)
class ClientForm:
    """A submitted form. None leaves a part unchanged.

    The addresses replace all current ones, or only those of the same types if `keeps_other_addresses`.
    """

    general: Values = field(default_factory=dict)
    financial: Values | None = None
    addresses: Sequence[Values] | None = None
    keeps_other_addresses: bool = False
    labels: ListChanges[LabelChoice] = NO_CHANGES
    contacts: ListChanges[ContactChoice] = NO_CHANGES
    takes_next_number: bool = False


async def create(scope: WriteScope, form: ClientForm) -> UUID:
    """Create a client with all its parts. Raises `RuleViolation` with every error."""
    _require_permissions(scope, form)
    return await create_from_form(scope, await get_organization(scope), form)


async def update(scope: WriteScope, client_id: UUID, form: ClientForm, *, expected_version: int) -> UUID:
    """Change the supplied parts of an active client. If nothing differs, nothing changes.

    Changes of the general part, the financial settings or the addresses increment the version once; those of labels and contacts do not.
    """
    _require_permissions(scope, form)
    client = await lock_active(scope, Client, client_id, expected_version)
    await apply_form(scope, await get_organization(scope), client, form)
    return client.id


async def create_from_form(scope: WriteScope, organization: Organization, form: ClientForm) -> UUID:
    """Create a client from a form. The caller has checked the permissions."""
    values, parts = await validate_form(scope, organization, form)
    client = Client(tenant_id=scope.tenant, id=new_id(), **_add_sort_keys(values | await _next_number(scope, organization, form)))
    scope.session.add(client)
    await scope.session.flush()
    await _save_addresses(scope, client, parts)
    await _save_links(scope, client, parts)
    return client.id


async def apply_form(scope: WriteScope, organization: Organization, client: Client, form: ClientForm) -> bool:
    """Apply a form to a locked client and return whether anything differs."""
    values, parts = await validate_form(scope, organization, form, client)
    is_changed = apply_changes(client, _add_sort_keys(values | await _next_number(scope, organization, form)))
    if await _save_addresses(scope, client, parts) and not is_changed:
        bump_version(client)
        is_changed = True
    if await _save_links(scope, client, parts):
        mark_updated(client)
        is_changed = True
    return is_changed


async def validate_form(
    scope: WriteScope, organization: Organization, form: ClientForm, client: Client | None = None
) -> "tuple[dict[str, Any], _Parts]":
    """Return the validated values and parts of a form, for a new client or for this one. Raises `RuleViolation` with every error."""
    errors, values = ErrorCollector(), dict[str, Any]()
    with errors.collect():
        current = field_values(client, ClientFields) if client else None
        values |= _validate(ClientFields, current, form.general, country=organization.country)
    with errors.collect():
        current = field_values(client, ClientFinancialFields) if client else None
        values |= await _financial_values(scope, current, form.financial or {})
    with errors.collect():
        await _check_number(scope, values.get("number"), form, client)
    parts = await _validate_parts(scope, errors, form, organization, client)
    if errors.user_errors:
        raise RuleViolation(*sort_errors(errors.user_errors))
    return values, parts


def sort_errors(user_errors: Iterable[UserError]) -> list[UserError]:
    """Sort the errors of a form by their place in the input: by its part, then by the entry of a list."""
    return sorted(user_errors, key=_input_position)


def _input_position(error: UserError) -> tuple[int, int]:
    part, entry = (*error.path, "", "")[:2]
    return INPUT_ORDER.index(part) if part in INPUT_ORDER else len(INPUT_ORDER), int(entry) if entry.isdecimal() else 0


async def _next_number(scope: WriteScope, organization: Organization, form: ClientForm) -> dict[str, Any]:
    return {"number": await number_sequences.next_client_number(scope, organization)} if form.takes_next_number else {}


def _validate(
    fields: type[Fields], current: Values | None, values: Values, *, path: Sequence[str] = (), country: str = "NL"
) -> dict[str, Any]:
    """Return the values as they are stored: all fields of a new client (`current` is None), or the changes of an existing one."""
    if current is None:
        return validate(fields, values, path=path, country=country).model_dump()
    return validate_patch(fields, current, values, path=path, country=country)


def _require_permissions(scope: WriteScope, form: ClientForm) -> None:
    scope.require(Permission.CLIENTS_WRITE)
    if form.financial is not None:
        scope.require(Permission.FINANCE_WRITE)


def _add_sort_keys(values: dict[str, Any]) -> dict[str, Any]:
    """Add the keys for searching and sorting clients."""
    if "name" in values:
        values["name_key"] = name_key(str(values["name"]))
    if "number" in values:
        values["number_key"] = None if values["number"] is None else number_key(str(values["number"]))
    return values


async def _financial_values(scope: WriteScope, current: Values | None, input_values: Values) -> dict[str, Any]:
    """Validate the financial settings. VAT rate and invoice layout must belong to the organization."""
    path, errors, values = ["financial"], ErrorCollector(), dict[str, Any]()
    with errors.collect():
        plain_values = {name: value for name, value in input_values.items() if name not in REFERENCED_TABLES}
        values |= _validate(ClientFinancialFields, current, plain_values, path=path)
    for name, table in REFERENCED_TABLES.items():
        if name in input_values:
            values[name] = key = input_values[name]
            with errors.collect():
                await lock_references(scope, table, {key: [*path, to_camel(name)]} if isinstance(key, UUID) else {})
    errors.raise_collected()
    return values


async def _check_number(scope: WriteScope, number: object, form: ClientForm, client: Client | None = None) -> None:
    """Reject a number in use, ignoring case. If two requests store a number at once, one fails in the database and is retried."""
    if form.takes_next_number and form.general.get("number") is not None:
        raise RuleViolation(InvalidInput(["number"], "`number` and `takesNextNumber` exclude each other. Pass only one of them."))
    if number is not None:
        other = await rows.by_number(scope, str(number))
        if other and (client is None or other.id != client.id):
            raise RuleViolation(_number_taken_error(scope, other, str(number)))


def _number_taken_error(scope: WriteScope, other: ClientRow, number: str) -> NumberTaken:
    """Build the error. Without CLIENTS_READ it does not name the other client."""
    if not scope.allows(Permission.CLIENTS_READ):
        return NumberTaken(["number"], f"Another client already has the number {number}. Choose another number.", None)
    return NumberTaken(["number"], f"{other.name} already has the number {other.number}. Choose another number.", other.id)


@dataclass(frozen=True)
class _Parts:
    """The validated parts of a form."""

    addresses: Mapping[str, AddressFields] | None
    keeps_other_addresses: bool
    labels: label_links.LabelPlan | None
    contacts: contact_links.ContactPlan | None


async def _validate_parts(
    scope: WriteScope, errors: ErrorCollector, form: ClientForm, organization: Organization, client: Client | None
) -> _Parts:
    addresses, labels, contacts = None, None, None
    if form.addresses is not None:
        with errors.collect():
            addresses = _validate_addresses(form.addresses, organization.country)
    if form.labels:
        with errors.collect():
            labels = await label_links.plan(scope, client, form.labels)
    if form.contacts:
        with errors.collect():
            contacts = await contact_links.plan(scope, client, form.contacts, organization.country)
    return _Parts(addresses, form.keeps_other_addresses, labels, contacts)


def _validate_addresses(address_inputs: Sequence[Values], country: str) -> dict[str, AddressFields]:
    """Validate the addresses: at most one of each type."""
    if len(address_inputs) > MAX_ADDRESSES:
        raise RuleViolation(too_many("addresses", MAX_ADDRESSES))
    errors, addresses, kinds = ErrorCollector(), dict[str, AddressFields](), set[str]()
    for index, values in enumerate(address_inputs):
        path, kind = ["addresses", str(index)], str(values["type"])
        with errors.collect():
            addresses[kind] = validate(AddressFields, values, path=path, country=country)
        if kind in kinds:
            errors.user_errors.append(InvalidInput([*path, "type"], f"A client has one address of each type. Remove the second {kind}."))
        kinds.add(kind)
    errors.raise_collected()
    return addresses


async def _save_links(scope: WriteScope, client: Client, parts: _Parts) -> bool:
    """Save the labels and contacts and return whether anything differs."""
    changes = [
        parts.labels is not None and await label_links.save(scope, client.id, parts.labels),
        parts.contacts is not None and await contact_links.save(scope, client.id, parts.contacts),
    ]
    return any(changes)


async def _save_addresses(scope: WriteScope, client: Client, parts: _Parts) -> bool:
    """Save the addresses and return whether anything differs."""
    if parts.addresses is None:
        return False
    rows_by_type: dict[str, ClientAddress] = {row.type: row for row in await locking.find(scope, ClientAddress, client_id=client.id)}
    for kind, row in rows_by_type.items():
        if kind in parts.addresses:
            row.sqlmodel_update(parts.addresses[kind].model_dump())
        elif not parts.keeps_other_addresses:
            await scope.session.delete(row)
    for kind in parts.addresses.keys() - rows_by_type.keys():
        values = parts.addresses[kind].model_dump()
        scope.session.add(ClientAddress(tenant_id=scope.tenant, client_id=client.id, type=AddressType(kind), **values))
    is_changed = bool(scope.session.new or scope.session.deleted or any(map(scope.session.is_modified, rows_by_type.values())))
    await scope.session.flush()
    return is_changed
