"""Add existing or new labels to clients, and remove them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from db.sql import locking
from db.tables import Client, ClientLabel, Label
from domain.clients import labels
from domain.clients.list_changes import ListChanges
from domain.core.errors import ErrorCollector, InvalidInput, RuleViolation, TooMany, too_many
from domain.core.locking import list_paths, lock_references, mark_updated, require_active
from domain.core.scope import Permission, WriteScope

MAX_LABELS = 50  # per client
MAX_CLIENTS = 100  # per request


@dataclass(frozen=True)
class LabelChoice:
    """An existing label (`id`), or the fields of a new one."""

    id: UUID | None = None
    new: Mapping[str, object] | None = None


@dataclass(frozen=True)
class LabelPlan:
    """The validated changes of a client's labels: new labels to store, ids of existing labels to add, and links to remove."""

    new: Sequence[Label]
    ids: Sequence[UUID]
    removed_links: Sequence[ClientLabel]


async def plan(scope: WriteScope, client: Client | None, changes: ListChanges[LabelChoice]) -> LabelPlan:
    """Validate changes of the labels of a locked client, or of a new one (None). Raises `RuleViolation` with every error."""
    changes.reject_too_long(MAX_LABELS)
    errors, ids, new = ErrorCollector(), dict[UUID, Sequence[str]](), list[Label]()
    for index, choice in enumerate(changes.add):
        path = [changes.add_name, str(index)]
        with errors.collect():
            if choice.id is not None:
                ids.setdefault(choice.id, [*path, "id"])
            else:
                label = await labels.validate_new(scope, choice.new or {}, [*path, "new"])
                if any(label.name_key == other.name_key for other in new):
                    raise RuleViolation(InvalidInput([*path, "new", "name"], f"The new label {label.name} is listed twice. Remove one."))
                new.append(label)
    with errors.collect():
        changes.reject_in_both(ids, "label")
    with errors.collect():
        await lock_references(scope, Label, {**changes.removal_paths(), **ids})
    errors.raise_collected()
    links = await locking.find(scope, ClientLabel, client_id=client.id) if client else []
    removed_links = [link for link in links if link.label_id in changes.remove]
    missing_ids = sorted(ids.keys() - {link.label_id for link in links})
    if missing_ids or new:
        _check_count(len(links) - len(removed_links) + len(missing_ids) + len(new), [changes.add_name], "The client")
    return LabelPlan(new, missing_ids, removed_links)


def _check_count(count: int, path: list[str], client_name: str) -> None:
    """Raise `RuleViolation` if a client would have too many labels."""
    if count > MAX_LABELS:
        raise RuleViolation(TooMany(path, f"{client_name} would have more than {MAX_LABELS} labels. Remove some first."))


async def save(scope: WriteScope, client_id: UUID, changes: LabelPlan) -> bool:
    """Save the changes of the client's labels and return whether anything differs."""
    scope.session.add_all(changes.new)
    for link in changes.removed_links:
        await scope.session.delete(link)
    await scope.session.flush()
    added_ids = [*changes.ids, *(label.id for label in changes.new)]
    scope.session.add_all(ClientLabel(tenant_id=scope.tenant, client_id=client_id, label_id=label) for label in added_ids)
    await scope.session.flush()
    return bool(changes.removed_links or added_ids)


async def _lock_clients_and_labels(
    scope: WriteScope, clients: Sequence[UUID], label_ids: Sequence[UUID]
) -> tuple[dict[UUID, Client], list[ClientLabel]]:
    """Lock the clients and return them with their label links. Raises `RuleViolation` if a client or label is missing or archived."""
    scope.require(Permission.CLIENTS_WRITE)
    for name, ids, limit in (("clientIds", clients, MAX_CLIENTS), ("labelIds", label_ids, MAX_LABELS)):
        if len(ids) > limit:
            raise RuleViolation(too_many(name, limit))
    errors, clients_by_id = ErrorCollector(), dict[UUID, Client]()
    paths = list_paths("clientIds", clients)
    with errors.collect():
        clients_by_id = await lock_references(scope, Client, paths, is_exclusive=True)
    for key, client in clients_by_id.items():
        with errors.collect():
            require_active(scope, client, paths[key])
    with errors.collect():
        await lock_references(scope, Label, list_paths("labelIds", label_ids))
    errors.raise_collected()
    return clients_by_id, await locking.find(scope, ClientLabel, client_id=[*clients])


async def add(scope: WriteScope, clients: Sequence[UUID], label_ids: Sequence[UUID]) -> list[UUID]:
    """Add each label to each client. Do not change the labels that a client already has."""
    clients_by_id, links = await _lock_clients_and_labels(scope, clients, label_ids)
    label_pairs = {(link.client_id, link.label_id) for link in links}
    for key, client in clients_by_id.items():
        missing = [label for label in dict.fromkeys(label_ids) if (key, label) not in label_pairs]
        count = len(missing) + sum(client_id == key for client_id, _ in label_pairs)
        _check_count(count, ["labelIds"], scope.visible_name(client.name, "One of the clients"))
        scope.session.add_all(ClientLabel(tenant_id=scope.tenant, client_id=key, label_id=label) for label in missing)
        if missing:
            mark_updated(client)
    return list(dict.fromkeys(clients))


async def remove(scope: WriteScope, clients: Sequence[UUID], label_ids: Sequence[UUID]) -> list[UUID]:
    """Remove each label from each client that has it."""
    clients_by_id, links = await _lock_clients_and_labels(scope, clients, label_ids)
    matching_links = [link for link in links if link.label_id in set(label_ids)]
    for link in matching_links:
        await scope.session.delete(link)
    for key in {link.client_id for link in matching_links}:
        mark_updated(clients_by_id[key])
    return list(dict.fromkeys(clients))
