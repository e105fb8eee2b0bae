"""The labels of a client: chosen among those there are, or made on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from db import entities
from db.tables import Client, ClientLabel, Label
from domain import labels
from domain.changes import known, must_be_active, touch
from domain.errors import Faults, InvalidInput, Refused, TooMany
from domain.scope import Permission, WriteScope

MOST = 50  # of a client
MOST_CLIENTS = 100  # at once


@dataclass(frozen=True)
class LabelChoice:
    """A label there is, or the fields of a new one."""

    id: UUID | None = None
    new: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Wanted:
    """Labels there are, and such as are still to be stored."""

    ids: Sequence[UUID]
    new: Sequence[Label]


async def checked_choices(scope: WriteScope, choices: Sequence[LabelChoice]) -> Wanted:
    faults, ids, new = Faults(), dict[UUID, Sequence[str]](), list[Label]()
    for place, choice in enumerate(choices):
        at = ["labels", str(place)]
        with faults.part():
            if choice.id is not None:
                ids.setdefault(choice.id, [*at, "id"])
            else:
                made = await labels.checked_new(scope, choice.new or {}, [*at, "new"])
                if any(made.name_key == other.name_key for other in new):
                    raise Refused(InvalidInput([*at, "new", "name"], f"The label {made.name} is there twice."))
                new.append(made)
    with faults.part():
        await known(scope, Label, ids)
    faults.refuse()
    return Wanted(list(ids), new)


async def save(scope: WriteScope, client_id: UUID, wanted: Wanted) -> bool:
    """The client has these from now on, and no others. Whether that is a change."""
    scope.session.add_all(wanted.new)
    await scope.session.flush()
    there = await entities.find(scope, ClientLabel, client_id=client_id)
    ids = {*wanted.ids, *(label.id for label in wanted.new)}
    gone = [link for link in there if link.label_id not in ids]
    for link in gone:
        await scope.session.delete(link)
    missing = ids - {link.label_id for link in there}
    scope.session.add_all(ClientLabel(tenant_id=scope.tenant, client_id=client_id, label_id=label) for label in sorted(missing))
    await scope.session.flush()
    return bool(gone or missing)


async def _both(scope: WriteScope, clients: Sequence[UUID], label_ids: Sequence[UUID]) -> tuple[dict[UUID, Client], list[ClientLabel]]:
    """The clients, held, and their links; refused unless all of both are known, and no client is archived."""
    scope.must(Permission.CLIENTS_WRITE)
    for name, given, most in (("clientIds", clients, MOST_CLIENTS), ("labelIds", label_ids, MOST)):
        if len(given) > most:
            raise Refused(TooMany([name], f"`{name}` has at most {most} entries."))
    faults, held = Faults(), dict[UUID, Client]()
    places = {key: ["clientIds", str(place)] for place, key in enumerate(clients)}
    with faults.part():
        held = await known(scope, Client, places, exclusively=True)
    for key, client in held.items():
        with faults.part():
            must_be_active(scope, client, places[key])
    with faults.part():
        await known(scope, Label, {key: ["labelIds", str(place)] for place, key in enumerate(label_ids)})
    faults.refuse()
    return held, await entities.find(scope, ClientLabel, client_id=[*clients])


async def add(scope: WriteScope, clients: Sequence[UUID], label_ids: Sequence[UUID]) -> list[UUID]:
    """Puts each of the labels on each of the clients; those that have it keep it."""
    held, links = await _both(scope, clients, label_ids)
    there = {(link.client_id, link.label_id) for link in links}
    for key, client in held.items():
        missing = [label for label in dict.fromkeys(label_ids) if (key, label) not in there]
        if len(missing) + sum(of == key for of, _ in there) > MOST:
            name = scope.name(client.name, "One of the clients")
            raise Refused(TooMany(["labelIds"], f"{name} would have more than {MOST} labels."))
        scope.session.add_all(ClientLabel(tenant_id=scope.tenant, client_id=key, label_id=label) for label in missing)
        if missing:
            touch(client)
    return list(dict.fromkeys(clients))


async def remove(scope: WriteScope, clients: Sequence[UUID], label_ids: Sequence[UUID]) -> list[UUID]:
    """Takes each of the labels off each of the clients; those that have it not stay as they are."""
    held, links = await _both(scope, clients, label_ids)
    worn = [link for link in links if link.label_id in set(label_ids)]
    for link in worn:
        await scope.session.delete(link)
    for key in {link.client_id for link in worn}:
        touch(held[key])
    return list(dict.fromkeys(clients))
