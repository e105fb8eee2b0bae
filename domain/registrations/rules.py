"""Read and change registrations. A caller who may read a client may read its registrations; the amounts need FINANCE_READ.

Only this module writes registrations, and never on an archived client or project.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from db.queries import registrations as rows
from db.queries.registrations import RegistrationFilter, labels
from db.rows import RegistrationRow
from db.sql import locking
from db.tables import (
    Label,
    Member,
    Organization,
    RateSource,
    Registration,
    RegistrationFields,
    RegistrationKind,
    RegistrationLabel,
    RegistrationStatus,
    StatusFields,
    VatRate,
)
from domain.core.errors import ErrorCollector, InvalidInput, RuleViolation, too_many
from domain.core.locking import apply_changes, bump_version, field_values, list_paths, lock_references
from domain.core.pagination import Page, PageReader, PageRequest, SortOrder
from domain.core.scope import Permission, ReadScope, Scope, WriteScope, hide_without, require
from domain.core.validation import validate, validate_patch
from domain.organization.organizations import get_organization
from domain.registrations import rates, targets
from domain.registrations import status as statuses
from domain.registrations.forms import FIELDS, RegistrationForm, validate_changes, validate_work
from domain.registrations.rates import Rate
from domain.registrations.targets import Links, LockedRegistration, Target

__all__ = [
    "RegistrationFilter",
    "RegistrationForm",
    "RegistrationSelector",
    "by_id",
    "counts",
    "create",
    "delete",
    "financial",
    "labels",
    "of_clients",
    "of_projects",
    "page",
]
__all__ += ["set_status", "update"]

MAX_LABELS = 50
REQUIRED_LINKS = ("client_id", "member_id")
PRICE_FIELDS = ("quantity", "unit_price", "distance_km", "minutes", "rate")
NEWEST_FIRST: SortOrder[RegistrationRow] = SortOrder("registrations.newest", attrgetter("registered_on", "id"), is_ascending=False)

by_id = require(Permission.CLIENTS_READ, rows.by_id)
financial = hide_without(Permission.FINANCE_READ, rows.financials)
"""Return the amounts of each registration, or None without FINANCE_READ."""


@dataclass(frozen=True)
class RegistrationSelector:
    """The registrations of a page: those that match the criteria, of one client or project if `column` and `id` name it."""

    criteria: RegistrationFilter
    column: str | None = None
    id: UUID | None = None


async def page(scope: ReadScope, criteria: RegistrationFilter, page_request: PageRequest) -> Page[RegistrationRow]:
    """Return a page of the organization's registrations that match, newest day first."""
    scope.require(Permission.CLIENTS_READ)
    reader = PageReader.of(NEWEST_FIRST, scope.cursors, page_request)
    return reader.page(await rows.page(scope, criteria, reader.page_slice), RegistrationSelector(criteria))


async def of_clients(
    scope: ReadScope, ids: Sequence[UUID], *, criteria: RegistrationFilter, page_request: PageRequest
) -> list[Page[RegistrationRow]]:
    """Return a page of matching registrations for each client."""
    return await _fetch_pages(scope, "client_id", ids, criteria, page_request)


async def of_projects(
    scope: ReadScope, ids: Sequence[UUID], *, criteria: RegistrationFilter, page_request: PageRequest
) -> list[Page[RegistrationRow]]:
    """Return a page of matching registrations for each project."""
    return await _fetch_pages(scope, "project_id", ids, criteria, page_request)


async def _fetch_pages(
    scope: ReadScope, column: str, ids: Sequence[UUID], criteria: RegistrationFilter, page_request: PageRequest
) -> list[Page[RegistrationRow]]:
    reader = PageReader.of(NEWEST_FIRST, scope.cursors, page_request)
    row_groups = await rows.of_each(scope, column, ids, criteria, reader.page_slice)
    return reader.pages(row_groups, [RegistrationSelector(criteria, column, key) for key in ids])


async def counts(scope: Scope, selectors: Sequence[RegistrationSelector]) -> list[int]:
    """Return the number of registrations for each selector. All clients with equal criteria take one statement, as do all projects."""
    scope.require(Permission.CLIENTS_READ)
    totals, ids_by_filter = dict[RegistrationSelector, int](), defaultdict[tuple[str, RegistrationFilter], list[UUID]](list)
    for selector in selectors:
        if selector.column and selector.id:
            ids_by_filter[selector.column, selector.criteria].append(selector.id)
        else:
            totals[selector] = await rows.count(scope, selector.criteria)
    for (column, criteria), ids in ids_by_filter.items():
        numbers = await rows.counts(scope, column, ids, criteria)
        totals |= {RegistrationSelector(criteria, column, key): number for key, number in zip(ids, numbers, strict=True)}
    return [totals[selector] for selector in selectors]


async def create(scope: WriteScope, form: RegistrationForm) -> UUID:
    """Create a registration of time, an expense or mileage. Its rate is the supplied one or the default of its target."""
    _require_permissions(scope, form)
    organization, errors, values, work = await get_organization(scope), ErrorCollector(), dict[str, Any](), dict[str, Any]()
    with errors.collect():
        target = await targets.lock_new_target(scope, organization, form.links)
    with errors.collect():
        values |= validate(RegistrationFields, {name: value for name, value in form.general.items() if value is not None}).model_dump()
    with errors.collect():
        work |= validate_work(form)
    with errors.collect():
        values["member_id"] = _member_id(scope, form.links)
    await _lock_parts(scope, errors, form)
    errors.raise_collected()
    if form.general.get("is_billable") is None:
        values["is_billable"] = rates.is_billable(target.project)
    kind = RegistrationKind(form.kind or "")
    rate = rates.explicit_rate(kind, work) or rates.default_rate(kind, target.client, target.project)
    values |= _price(form, kind, work, rate) | {"currency": _currency(target, organization)}
    if kind is RegistrationKind.EXPENSE:
        values["vat_rate_id"] = form.work.get("vat_rate_id") or _default_vat_rate_id(target, organization)
    values |= {name: value for name, value in work.items() if name != "rate"} | target.ids._asdict()
    row = Registration(tenant_id=scope.tenant, kind=kind, **values)
    scope.session.add(row)
    await scope.session.flush()
    await _save_labels(scope, row, form.labels)
    return row.id


async def update(scope: WriteScope, registration_id: UUID, form: RegistrationForm, *, expected_version: int) -> UUID:
    """Change the supplied values. Move the registration if they contain another target. Only a move or a supplied rate changes the rate."""
    _require_permissions(scope, form)
    registration = await targets.lock_registration(scope, registration_id, expected_version, form.links)
    row, target, organization = registration.row, registration.target, await get_organization(scope)
    statuses.require_changeable(RegistrationStatus(row.status))
    errors, new_values, work = ErrorCollector(), dict[str, Any](), dict[str, Any]()
    with errors.collect():
        _reject_missing_links(form.links)
    with errors.collect():
        target = (
            targets.resolve_target(scope, organization, form.links, registration.destination, registration.parents)
            if registration.destination != target.ids
            else target
        )
    with errors.collect():
        new_values |= validate_patch(RegistrationFields, field_values(row, RegistrationFields), form.general)
    with errors.collect():
        work |= validate_changes(row, form)
    await _lock_parts(scope, errors, form)
    errors.raise_collected()
    new_values |= _reprice(registration, target, organization, form, work)
    new_values |= {name: value for name, value in work.items() if name != "rate"} | target.ids._asdict()
    new_values |= {"member_id": form.links["member_id"]} if "member_id" in form.links else {}
    is_changed = apply_changes(row, new_values)
    await scope.session.flush()
    if await _save_labels(scope, row, form.labels) and not is_changed:
        bump_version(row)
    return row.id


async def set_status(scope: WriteScope, registration_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Change the organization's status, the client's status or both. Do not change the rate and the member."""
    scope.require(Permission.REGISTRATIONS_WRITE)
    row = (await targets.lock_registration(scope, registration_id, expected_version)).row
    new_values, errors = validate_patch(StatusFields, field_values(row, StatusFields), changes), ErrorCollector()
    for name, check in (("status", statuses.require_transition), ("client_status", statuses.require_client_transition)):
        with errors.collect():
            if name in new_values:
                check(RegistrationStatus(getattr(row, name)), RegistrationStatus(str(new_values[name])))
    errors.raise_collected()
    apply_changes(row, new_values)
    return row.id


async def delete(scope: WriteScope, registration_id: UUID, *, expected_version: int) -> UUID:
    """Delete a registration with its label links, but not the labels themselves."""
    scope.require(Permission.REGISTRATIONS_WRITE)
    row = (await targets.lock_registration(scope, registration_id, expected_version)).row
    statuses.require_changeable(RegistrationStatus(row.status))
    await _save_labels(scope, row, [])
    await scope.session.delete(row)
    return row.id


def _require_permissions(scope: WriteScope, form: RegistrationForm) -> None:
    scope.require(Permission.REGISTRATIONS_WRITE)
    if "rate" in form.work:
        scope.require(Permission.FINANCE_WRITE)


def _member_id(scope: WriteScope, links: Links) -> UUID:
    """Return the supplied member, by default the caller."""
    member = links.get("member_id") or scope.actor.member_id
    if member is None:
        raise RuleViolation(InvalidInput(["memberId"], "This token does not belong to a member. Pass `memberId`."))
    return member


def _reject_missing_links(links: Links) -> None:
    """Reject null: a registration always has a client and a member."""
    missing_links = [
        InvalidInput([to_camel(name)], f"`{to_camel(name)}` cannot be null. Leave it out to keep the current value.")
        for name in REQUIRED_LINKS
        if name in links and links[name] is None
    ]
    if missing_links:
        raise RuleViolation(*missing_links)


async def _lock_parts(scope: WriteScope, errors: ErrorCollector, form: RegistrationForm) -> None:
    """Lock the member, the VAT rate and the labels that the form refers to."""
    member, vat_rate, label_ids = form.links.get("member_id"), form.work.get("vat_rate_id"), form.labels or ()
    with errors.collect():
        await lock_references(scope, Member, {member: ["memberId"]} if member else {})
    with errors.collect():
        await lock_references(scope, VatRate, {vat_rate: [*form.work_path, "vatRateId"]} if isinstance(vat_rate, UUID) else {})
    with errors.collect():
        if len(label_ids) > MAX_LABELS:
            raise RuleViolation(too_many("labelIds", MAX_LABELS))
        await lock_references(scope, Label, list_paths("labelIds", label_ids))


def _price(form: RegistrationForm, kind: RegistrationKind, values: Mapping[str, Any], rate: Rate) -> dict[str, Any]:
    """Return the rate and the amount as they are stored. Raises `RuleViolation` if the amount is too large."""
    amount = rates.compute_amount(kind, values, rate.value)
    if amount >= rates.AMOUNT_LIMIT:
        field = next((name for name in PRICE_FIELDS if form.work.get(name) is not None), None)
        path = [*form.work_path, to_camel(field)] if field else [_target_field(form)]
        message = f"The amount would be {amount:.2e}; it must be less than {rates.AMOUNT_LIMIT:.0e}. Use a smaller quantity or rate."
        raise RuleViolation(InvalidInput(path, message))
    return {"unit_rate": rate.value, "rate_source": rate.source, "amount_net": amount}


def _reprice(
    registration: LockedRegistration, target: Target, organization: Organization, form: RegistrationForm, work: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the changed amounts.

    A move keeps a rate that was supplied for the registration itself. Then the new client must have the same currency.
    """
    row, kind, is_explicit = registration.row, RegistrationKind(registration.row.kind), registration.row.rate_source == RateSource.EXPLICIT
    has_moved, is_other_client = target.ids != registration.target.ids, target.client.id != registration.target.client.id
    changes, rate = dict[str, Any](), rates.explicit_rate(kind, work)
    if rate is None and ("rate" in work or (has_moved and not is_explicit)):
        rate = rates.default_rate(kind, target.client, target.project)
    if rate:
        changes["currency"] = _currency(target, organization)
    elif is_other_client and row.currency != _currency(target, organization):
        message = "The new client has another currency than the rate. Pass a new rate in `work`."
        raise RuleViolation(InvalidInput([_target_field(form)], message))
    if rate or work:
        values = {**field_values(row, FIELDS[kind]), **work}
        changes |= _price(form, kind, values, rate or Rate(row.unit_rate, RateSource(row.rate_source)))
    default_vat_rate_id = _default_vat_rate_id(target, organization)
    if "vat_rate_id" in form.work:
        changes["vat_rate_id"] = form.work["vat_rate_id"] or default_vat_rate_id
    elif (
        kind is RegistrationKind.EXPENSE and is_other_client and row.vat_rate_id == _default_vat_rate_id(registration.target, organization)
    ):
        changes["vat_rate_id"] = default_vat_rate_id
    return changes


def _target_field(form: RegistrationForm) -> str:
    """Return the input field that moves the registration."""
    return "clientId" if form.links.get("client_id") else "projectId"


def _currency(target: Target, organization: Organization) -> str:
    return target.client.currency or organization.base_currency


def _default_vat_rate_id(target: Target, organization: Organization) -> UUID | None:
    return target.client.vat_rate_id or organization.default_vat_rate_id


async def _save_labels(scope: WriteScope, row: Registration, label_ids: Sequence[UUID] | None) -> bool:
    """Replace the labels, or keep them if None. Move their links to the registration's client. Return whether the labels differ."""
    links = await locking.find(scope, RegistrationLabel, registration_id=row.id)
    current_ids = {link.label_id for link in links}
    new_ids = current_ids if label_ids is None else {*label_ids}
    for link in links:
        if link.label_id not in new_ids:
            await scope.session.delete(link)
        elif link.client_id != row.client_id:
            link.client_id = row.client_id
    keys = {"tenant_id": scope.tenant, "registration_id": row.id, "client_id": row.client_id}
    scope.session.add_all(RegistrationLabel(label_id=label, **keys) for label in sorted(new_ids - current_ids))
    await scope.session.flush()
    return new_ids != current_ids
