"""The portals of a client: which of its projects each shows, and to which of its contacts; closed when the client was archived."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from db.demo.clients import Client
from db.demo.contacts import ClientContactRow, People
from db.demo.dice import Dice
from db.demo.organization import TENANT
from db.demo.projects import Project

T = TypeVar("T")
NAMES = {
    "nl": ("Klantportaal", "Projecten", "Meekijken"),
    "fr": ("Portail client", "Projets"),
    "en": ("Client portal", "Projects"),
    "de": ("Kundenportal", "Projekte"),
}
MOST_SHOWN = 3  # projects, and contacts, of one portal


class PortalRow(NamedTuple):
    id: UUID
    client_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
    name: str
    language: str
    shows_descriptions: bool
    shows_rates: bool
    shows_budget: bool
    shows_invoices: bool
    shows_quotes: bool
    takes_approval: bool
    closed_at: datetime | None
    archive_operation_id: UUID | None
    tenant_id: UUID = TENANT


class ShownRow(NamedTuple):
    portal_id: UUID
    project_id: UUID
    client_id: UUID
    tenant_id: UUID = TENANT


class AccessRow(NamedTuple):
    portal_id: UUID
    contact_id: UUID
    client_id: UUID
    created_at: datetime
    tenant_id: UUID = TENANT


class Viewers(NamedTuple):
    """How many portals a client has, and the links of those of its contacts who may be let in."""

    portals: int
    links: list[ClientContactRow]


def plan(clients: list[Client], met: People, counts: Sequence[int], portals: int) -> Iterator[Viewers]:
    """Of each client; only who has projects, by their count, and contacts has portals, and some have several."""
    dice, known = Dice("portals"), defaultdict[UUID, list[ClientContactRow]](list)
    for link in met.links:
        known[link.client_id].append(link)
    in_time = [[link for link in known[client.row.id] if _is_in_time(client, link)] for client in clients]
    with_both = [place for place, (links, count) in enumerate(zip(in_time, counts, strict=True)) if links and count]
    chosen = Counter(dice.pick(with_both) for _ in range(portals))
    return (Viewers(chosen[place], links) for place, links in enumerate(in_time))


def _is_in_time(client: Client, link: ClientContactRow) -> bool:
    return link.is_active and (client.row.archived_at is None or link.created_at < client.row.archived_at)


def of_client(dice: Dice, client: Client, viewers: Viewers, own: list[Project]) -> tuple[list[PortalRow], list[ShownRow], list[AccessRow]]:
    portals = [_portal(dice, client) for _ in range(viewers.portals)]
    shown = [ShownRow(portal.id, project.row.id, client.row.id) for portal in portals for project in _some(dice, own)]
    access = [
        AccessRow(portal.id, link.contact_id, client.row.id, max(portal.created_at, link.created_at))
        for portal in portals
        for link in _some(dice, viewers.links)
    ]
    return portals, shown, access


def _some(dice: Dice, of: list[T]) -> list[T]:
    return dice.sample(of, min(len(of), dice.between(1, MOST_SHOWN)))


def _portal(dice: Dice, client: Client) -> PortalRow:
    """Made the day before the client was archived, at the latest."""
    id_, created_at = dice.born(dice.between(client.since, client.until - 1))
    closed_at = client.row.archived_at
    return PortalRow(
        id=id_,
        client_id=client.row.id,
        created_at=created_at,
        updated_at=closed_at or created_at,
        version=2 if closed_at else 1,
        name=dice.pick(NAMES[client.nation.language]),
        language=client.nation.language,
        shows_descriptions=dice.chance(80),
        shows_rates=dice.chance(30),
        shows_budget=dice.chance(30),
        shows_invoices=dice.chance(70),
        shows_quotes=dice.chance(60),
        takes_approval=dice.chance(40),
        closed_at=closed_at,
        archive_operation_id=client.row.archive_operation_id,
    )
