"""Read, create, change and delete labels. A caller who may read a client may read its labels, so `of_clients` needs no rule."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from uuid import UUID

from db.queries import labels as rows
from db.rows import LabelRow
from db.sql import locking
from db.tables import ClientLabel, Label, LabelFields, RegistrationLabel
from db.tables.keys import name_key
from db.tables.timestamps import now
from domain.core.errors import InUse, NameTaken, RuleViolation, pluralize
from domain.core.locking import apply_changes, field_values, lock
from domain.core.pagination import SearchPageReader, SortOrder
from domain.core.scope import Permission, WriteScope, require
from domain.core.validation import validate, validate_patch

BY_NAME: SortOrder[LabelRow] = SortOrder("labels.name", attrgetter("name_key", "id"))

of_clients = rows.of_clients
counts = require(Permission.CLIENTS_READ, rows.counts)
"""Return the number of labels for each search."""
page = require(Permission.CLIENTS_READ, SearchPageReader(BY_NAME, rows.page))
"""Return a page of labels by name, filtered by the search text if there is one."""
by_id = require(Permission.CLIENTS_READ, rows.by_id)


async def validate_new(scope: WriteScope, values: Mapping[str, object], path: Sequence[str] = ()) -> Label:
    """Return a validated label that is not yet stored."""
    fields = validate(LabelFields, values, path=path)
    await _reject_taken_name(scope, fields.name, path)
    return Label(tenant_id=scope.tenant, **fields.model_dump(), name_key=name_key(fields.name))


async def _reject_taken_name(scope: WriteScope, name: str, path: Sequence[str] = (), label_id: UUID | None = None) -> None:
    """Reject a name in use, ignoring case and accents. If two requests store a name at once, one fails in the database and is retried."""
    matches = await locking.find(scope, Label, name_key=name_key(name))
    if any(label.id != label_id for label in matches):
        raise RuleViolation(NameTaken([*path, "name"], f"A label named {name} already exists. Use that label, or choose another name."))


async def create(scope: WriteScope, values: Mapping[str, object]) -> UUID:
    scope.require(Permission.CLIENTS_WRITE)
    label = await validate_new(scope, values)
    scope.session.add(label)
    return label.id


async def update(scope: WriteScope, label_id: UUID, changes: Mapping[str, object], *, expected_version: int) -> UUID:
    scope.require(Permission.CLIENTS_WRITE)
    label = await lock(scope, Label, label_id, expected_version)
    new_values = validate_patch(LabelFields, field_values(label, LabelFields), changes)
    if "name" in new_values:
        await _reject_taken_name(scope, str(new_values["name"]), label_id=label_id)
        new_values["name_key"] = name_key(str(new_values["name"]))
    apply_changes(label, new_values)
    return label.id


async def delete(scope: WriteScope, label_id: UUID, *, expected_version: int) -> UUID:
    """Delete a label and remove it from all clients and registrations. Raises `RuleViolation` if one of them cannot change."""
    scope.require(Permission.CLIENTS_WRITE)
    await rows.lock_labelled(scope, label_id)
    label = await lock(scope, Label, label_id, expected_version)
    # Lock the objects that got the label before it was locked. While it is locked, no other object can get it.
    await rows.lock_labelled(scope, label_id)
    await _reject_label_in_use(scope, label_id)
    await rows.mark_clients_updated(scope, label_id, now())
    for link in [
        *await locking.find(scope, ClientLabel, label_id=label_id),
        *await locking.find(scope, RegistrationLabel, label_id=label_id),
    ]:
        await scope.session.delete(link)
    await scope.session.flush()
    await scope.session.delete(label)
    return label.id


async def _reject_label_in_use(scope: WriteScope, label_id: UUID) -> None:
    clients, registrations = await rows.count_locked_uses(scope, label_id)
    uses = ((clients, "archived client"), (registrations, "approved, invoiced, written-off or archived registration"))
    if usages := " and by ".join(pluralize(count, noun) for count, noun in uses if count):
        hint = "Unarchive archived clients first with `clientUnarchive`, or deactivate the label with `labelUpdate` and `isActive: false`."
        raise RuleViolation(InUse(["id"], f"This label cannot be deleted: it is used by {usages}. {hint}", clients + registrations))
