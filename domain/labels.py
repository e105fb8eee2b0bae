"""Rules of labels. Whoever sees a client sees its labels, so that query needs no rule."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from uuid import UUID

from db import entities
from db import labels as rows
from db.keys import name_key
from db.rows import LabelRow
from db.search import Search
from db.tables import ClientLabel, Label, LabelFields, RegistrationLabel
from domain.changes import apply, filled, held
from domain.checks import checked, checked_patch
from domain.errors import InUse, NameTaken, Refused
from domain.lookups import normalize_search
from domain.pages import Order, Page, Reading, Span
from domain.scope import Permission, ReadScope, WriteScope, require

BY_NAME: Order[LabelRow] = Order("labels.name", attrgetter("name_key", "id"))

of_clients = rows.of_clients
counts = require(Permission.CLIENTS_READ, rows.counts)
"""How many there are of each search."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)


async def page(scope: ReadScope, search: str | None, span: Span) -> Page[LabelRow]:
    """Labels of the organization by name, those with the text in it where one is given."""
    scope.must(Permission.CLIENTS_READ)
    reading = Reading.of(BY_NAME, scope.cursors, span)
    wanted = Search(normalize_search(search))
    return reading.page(await rows.page(scope, wanted, reading.part), wanted)


async def checked_new(scope: WriteScope, values: Mapping[str, object], at: Sequence[str] = ()) -> Label:
    """A label that is still to be stored."""
    wanted = checked(LabelFields, values, at=at)
    await _refuse_taken(scope, wanted.name, at)
    return Label(tenant_id=scope.tenant, **wanted.model_dump(), name_key=name_key(wanted.name))


async def _refuse_taken(scope: WriteScope, name: str, at: Sequence[str] = (), own: UUID | None = None) -> None:
    """Without regard to capitals and accents. Two that come at once both look, one is stored, and the other looks again."""
    taken = await entities.find(scope, Label, name_key=name_key(name))
    if any(label.id != own for label in taken):
        raise Refused(NameTaken([*at, "name"], f"There is a label {name} already. Choose it, or another name."))


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    scope.must(Permission.CLIENTS_WRITE)
    label = await checked_new(scope, values)
    scope.session.add(label)
    return label.id


async def update(scope: WriteScope, label_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    scope.must(Permission.CLIENTS_WRITE)
    label = await held(scope, Label, label_id, expected_version)
    wanted = checked_patch(LabelFields, filled(label, LabelFields), changes)
    if "name" in wanted:
        await _refuse_taken(scope, str(wanted["name"]), own=label_id)
        wanted["name_key"] = name_key(str(wanted["name"]))
    apply(label, wanted)
    return label.id


async def delete(scope: WriteScope, label_id: UUID, *, expected_version: int) -> UUID:
    """Takes it off every client and registration that wears it; refused while one of them stays as it is."""
    scope.must(Permission.CLIENTS_WRITE)
    await rows.lock_labelled(scope, label_id)
    label = await held(scope, Label, label_id, expected_version)
    await rows.lock_labelled(scope, label_id)  # those that took it on meanwhile; from here on nobody can
    await _refuse_worn(scope, label_id)
    for link in [
        *await entities.find(scope, ClientLabel, label_id=label_id),
        *await entities.find(scope, RegistrationLabel, label_id=label_id),
    ]:
        await scope.session.delete(link)
    await scope.session.flush()
    await scope.session.delete(label)
    return label.id


async def _refuse_worn(scope: WriteScope, label_id: UUID) -> None:
    clients, registrations = await rows.count_locked_uses(scope, label_id)
    by = [
        f"{count} {what}{'' if count == 1 else 's'} that {'is' if count == 1 else 'are'} {state}"
        for count, what, state in (
            (clients, "client", "archived"),
            (registrations, "registration", "approved, invoiced, written off or archived"),
        )
        if count
    ]
    if by:
        way = (
            "Take archived clients back with `clientUnarchive` first, or keep it from being chosen with `isActive: false` of `labelUpdate`."
        )
        raise Refused(
            InUse(["id"], f"This label is worn by {' and by '.join(by)}, and they stay as they are. {way}", clients + registrations)
        )
