"""Rules of registrations: whoever sees a client sees what was done for it; its figures those alone see who may see figures.

A registration is written here and nowhere else, and never on a client or a project that is archived.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from db import entities
from db import registrations as rows
from db.registrations import RegistrationFilter, labels
from db.rows import RegistrationRow
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
from domain import registration_places as places
from domain import registration_rates as rates
from domain import registration_status as statuses
from domain.changes import apply, filled, known, touch
from domain.checks import checked, checked_patch
from domain.errors import Faults, InvalidInput, Refused, TooMany
from domain.organizations import own
from domain.pages import Order, Page, Reading, Span
from domain.registration_forms import FIELDS, Form, checked_changes, checked_work
from domain.registration_places import Held, Links, Spot
from domain.registration_rates import Rate
from domain.scope import Permission, ReadScope, Scope, WriteScope, hide_without, require

__all__ = [
    "Form",
    "Many",
    "RegistrationFilter",
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

MOST_LABELS = 50
ALWAYS = (("client_id", "clientId", "a client"), ("member_id", "memberId", "a member whose it is"))
PRICING = ("quantity", "unit_price", "distance_km", "minutes", "rate")
NEWEST: Order[RegistrationRow] = Order("registrations.newest", attrgetter("registered_on", "id"), is_ascending=False)

by_id = require(Permission.CLIENTS_READ, rows.by_id)
financial = hide_without(Permission.FINANCE_READ, rows.financials)
"""The figures of each registration."""


@dataclass(frozen=True)
class Many:
    """Registrations that a page is of: those wanted of all there are, or of one client or project, by the column that names it."""

    wanted: RegistrationFilter
    column: str | None = None
    id: UUID | None = None


async def page(scope: ReadScope, wanted: RegistrationFilter, span: Span) -> Page[RegistrationRow]:
    """Registrations of the organization that are wanted, the newest day first."""
    scope.must(Permission.CLIENTS_READ)
    reading = Reading.of(NEWEST, scope.cursors, span)
    return reading.page(await rows.page(scope, wanted, reading.part), Many(wanted))


async def of_clients(scope: ReadScope, ids: Sequence[UUID], *, wanted: RegistrationFilter, span: Span) -> list[Page[RegistrationRow]]:
    """Those of each client."""
    return await _of_each(scope, "client_id", ids, wanted, span)


async def of_projects(scope: ReadScope, ids: Sequence[UUID], *, wanted: RegistrationFilter, span: Span) -> list[Page[RegistrationRow]]:
    """Those of each project."""
    return await _of_each(scope, "project_id", ids, wanted, span)


async def _of_each(
    scope: ReadScope, column: str, ids: Sequence[UUID], wanted: RegistrationFilter, span: Span
) -> list[Page[RegistrationRow]]:
    reading = Reading.of(NEWEST, scope.cursors, span)
    found = await rows.of_each(scope, column, ids, wanted, reading.part)
    return reading.pages(found, [Many(wanted, column, key) for key in ids])


async def counts(scope: Scope, asked: Sequence[Many]) -> list[int]:
    """How many there are of each: a statement for all clients, and one for all projects, of which the same are wanted."""
    scope.must(Permission.CLIENTS_READ)
    found, each = dict[Many, int](), defaultdict[tuple[str, RegistrationFilter], list[UUID]](list)
    for many in asked:
        if many.column and many.id:
            each[many.column, many.wanted].append(many.id)
        else:
            found[many] = await rows.count(scope, many.wanted)
    for (column, wanted), ids in each.items():
        numbers = await rows.counts(scope, column, ids, wanted)
        found |= {Many(wanted, column, key): number for key, number in zip(ids, numbers, strict=True)}
    return [found[many] for many in asked]


async def create(scope: WriteScope, form: Form) -> UUID:
    """Time, an expense or a trip, at the rate that counts where it is registered."""
    _may(scope, form)
    organization, faults, values, work = await own(scope), Faults(), dict[str, Any](), dict[str, Any]()
    with faults.part():
        spot = await places.new_spot(scope, organization, form.links)
    with faults.part():
        values |= checked(RegistrationFields, {name: value for name, value in form.general.items() if value is not None}).model_dump()
    with faults.part():
        work |= checked_work(form)
    with faults.part():
        values["member_id"] = _whose(scope, form.links)
    await _check_parts(scope, faults, form)
    faults.refuse()
    if form.general.get("is_billable") is None:
        values["is_billable"] = rates.is_billable(spot.project)
    kind = RegistrationKind(form.kind or "")
    rate = rates.given(kind, work) or rates.by_rules(kind, spot.client, spot.project)
    values |= _priced(form, kind, work, rate) | {"currency": _currency(spot, organization)}
    if kind is RegistrationKind.EXPENSE:
        values["vat_rate_id"] = form.work.get("vat_rate_id") or _usual_vat_rate(spot, organization)
    values |= {name: value for name, value in work.items() if name != "rate"} | spot.place._asdict()
    row = Registration(tenant_id=scope.tenant, kind=kind, **values)
    scope.session.add(row)
    await scope.session.flush()
    await _save_labels(scope, row, form.labels)
    return row.id


async def update(scope: WriteScope, registration_id: UUID, form: Form, *, expected_version: int) -> UUID:
    """Changes what was given, and moves it where that says. What it costs stays, unless it moves or is said anew."""
    _may(scope, form)
    held = await places.held(scope, registration_id, expected_version, form.links)
    row, spot, organization = held.row, held.spot, await own(scope)
    statuses.must_be_changeable(RegistrationStatus(row.status))
    faults, wanted, work = Faults(), dict[str, Any](), dict[str, Any]()
    with faults.part():
        _refuse_empty(form.links)
    with faults.part():
        spot = places.chosen(scope, organization, form.links, held.goal, held.kept) if held.goal != spot.place else spot
    with faults.part():
        wanted |= checked_patch(RegistrationFields, filled(row, RegistrationFields), form.general)
    with faults.part():
        work |= checked_changes(row, form)
    await _check_parts(scope, faults, form)
    faults.refuse()
    wanted |= _repriced(held, spot, organization, form, work)
    wanted |= {name: value for name, value in work.items() if name != "rate"} | spot.place._asdict()
    wanted |= {"member_id": form.links["member_id"]} if "member_id" in form.links else {}
    is_changed = apply(row, wanted)
    await scope.session.flush()
    if await _save_labels(scope, row, form.labels) and not is_changed:
        touch(row)
    return row.id


async def set_status(scope: WriteScope, registration_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    """Takes it a step on or back; what it costs and whose it is stays."""
    scope.must(Permission.REGISTRATIONS_WRITE)
    row = (await places.held(scope, registration_id, expected_version)).row
    wanted, faults = checked_patch(StatusFields, filled(row, StatusFields), changes), Faults()
    for name, must_go in (("status", statuses.must_go), ("client_status", statuses.must_go_for_client)):
        with faults.part():
            if name in wanted:
                must_go(RegistrationStatus(getattr(row, name)), RegistrationStatus(str(wanted[name])))
    faults.refuse()
    apply(row, wanted)
    return row.id


async def delete(scope: WriteScope, registration_id: UUID, *, expected_version: int) -> UUID:
    """And its labels' links; the labels stay."""
    scope.must(Permission.REGISTRATIONS_WRITE)
    row = (await places.held(scope, registration_id, expected_version)).row
    statuses.must_be_changeable(RegistrationStatus(row.status))
    await _save_labels(scope, row, [])
    await scope.session.delete(row)
    return row.id


def _may(scope: WriteScope, form: Form) -> None:
    scope.must(Permission.REGISTRATIONS_WRITE)
    if "rate" in form.work:
        scope.must(Permission.FINANCE_WRITE)


def _whose(scope: WriteScope, links: Links) -> UUID:
    """One's own, unless somebody else's."""
    member = links.get("member_id") or scope.actor.member_id
    if member is None:
        raise Refused(InvalidInput(["memberId"], "This token is no member's own. Say whose work it is: give `memberId`."))
    return member


def _refuse_empty(links: Links) -> None:
    """A registration always has both."""
    empty = [
        InvalidInput([path], f"`{path}` cannot be empty: a registration has {what}. Leave it out, and it stays as it is.")
        for name, path, what in ALWAYS
        if name in links and links[name] is None
    ]
    if empty:
        raise Refused(*empty)


async def _check_parts(scope: WriteScope, faults: Faults, form: Form) -> None:
    """What else it names is there, and stays."""
    member, vat_rate, given = form.links.get("member_id"), form.work.get("vat_rate_id"), form.labels or ()
    with faults.part():
        await known(scope, Member, {member: ["memberId"]} if member else {})
    with faults.part():
        await known(scope, VatRate, {vat_rate: [*form.at, "vatRateId"]} if isinstance(vat_rate, UUID) else {})
    with faults.part():
        if len(given) > MOST_LABELS:
            raise Refused(TooMany(["labelIds"], f"`labelIds` has at most {MOST_LABELS} entries."))
        await known(scope, Label, {key: ["labelIds", str(place)] for place, key in reversed([*enumerate(given)])})


def _priced(form: Form, kind: RegistrationKind, values: Mapping[str, Any], rate: Rate) -> dict[str, Any]:
    """The rate and the amount as they are stored; refused when there is no room for it."""
    amount = rates.amount(kind, values, rate.value)
    if amount >= rates.LARGEST:
        said = next((name for name in PRICING if form.work.get(name) is not None), None)
        path = [*form.at, to_camel(said)] if said else [_moved(form)]
        raise Refused(
            InvalidInput(path, f"The amount would be {amount:.2e}. Amounts are less than {rates.LARGEST:.0e}: take smaller figures.")
        )
    return {"unit_rate": rate.value, "rate_source": rate.source, "amount_net": amount}


def _repriced(held: Held, spot: Spot, organization: Organization, form: Form, work: Mapping[str, Any]) -> dict[str, Any]:
    """What changes of the figures. What was said explicitly goes along to another place, and means the same there."""
    row, kind, is_explicit = held.row, RegistrationKind(held.row.kind), held.row.rate_source == RateSource.EXPLICIT
    is_elsewhere, is_others = spot.place != held.spot.place, spot.client.id != held.spot.client.id
    found, rate = dict[str, Any](), rates.given(kind, work)
    if rate is None and ("rate" in work or (is_elsewhere and not is_explicit)):
        rate = rates.by_rules(kind, spot.client, spot.project)
    if rate:
        found["currency"] = _currency(spot, organization)
    elif is_others and row.currency != _currency(spot, organization):
        message = "What it costs was said in another currency than that of the client that it goes to. Say it anew in `work`."
        raise Refused(InvalidInput([_moved(form)], message))
    if rate or work:
        values = {**filled(row, FIELDS[kind]), **work}
        found |= _priced(form, kind, values, rate or Rate(row.unit_rate, RateSource(row.rate_source)))
    usual = _usual_vat_rate(spot, organization)
    if "vat_rate_id" in form.work:
        found["vat_rate_id"] = form.work["vat_rate_id"] or usual
    elif kind is RegistrationKind.EXPENSE and is_others and row.vat_rate_id == _usual_vat_rate(held.spot, organization):
        found["vat_rate_id"] = usual
    return found


def _moved(form: Form) -> str:
    """By what it is moved."""
    return "clientId" if form.links.get("client_id") else "projectId"


def _currency(spot: Spot, organization: Organization) -> str:
    return spot.client.currency or organization.base_currency


def _usual_vat_rate(spot: Spot, organization: Organization) -> UUID | None:
    return spot.client.vat_rate_id or organization.default_vat_rate_id


async def _save_labels(scope: WriteScope, row: Registration, given: Sequence[UUID] | None) -> bool:
    """It wears these from now on, and no others, or those that it wore; they are its client's as it is. Whether others than before."""
    there = await entities.find(scope, RegistrationLabel, registration_id=row.id)
    worn = {link.label_id for link in there}
    wanted = worn if given is None else {*given}
    for link in there:
        if link.label_id not in wanted:
            await scope.session.delete(link)
        elif link.client_id != row.client_id:
            link.client_id = row.client_id
    of = {"tenant_id": scope.tenant, "registration_id": row.id, "client_id": row.client_id}
    scope.session.add_all(RegistrationLabel(label_id=label, **of) for label in sorted(wanted - worn))
    await scope.session.flush()
    return wanted != worn
