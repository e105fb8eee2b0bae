"""The portals of a client, the projects that each shows, and the contacts who have access. Archiving the client closed them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from db.demo.clients import DemoClient
from db.demo.contacts import ClientContactRecord, People
from db.demo.organization import TENANT
from db.demo.projects import DemoProject
from db.demo.rng import Rng

T = TypeVar("T")
NAMES = {
    "nl": ("Klantportaal", "Projecten", "Meekijken"),
    "fr": ("Portail client", "Projets"),
    "en": ("Client portal", "Projects"),
    "de": ("Kundenportal", "Projekte"),
}
MAX_ITEMS = 3  # the maximum number of projects and of contacts of one portal


class PortalRecord(NamedTuple):
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


class PortalProjectRecord(NamedTuple):
    portal_id: UUID
    project_id: UUID
    client_id: UUID
    tenant_id: UUID = TENANT


class PortalAccessRecord(NamedTuple):
    portal_id: UUID
    contact_id: UUID
    client_id: UUID
    created_at: datetime
    tenant_id: UUID = TENANT


class PortalPlan(NamedTuple):
    """The number of a client's portals, and the links of the contacts who can get access."""

    portal_count: int
    links: list[ClientContactRecord]


def plan_portals(clients: list[DemoClient], people: People, counts: Sequence[int], portals: int) -> Iterator[PortalPlan]:
    """Plan the portals of each client. Only clients with projects and contacts have portals, some of them several."""
    rng, links_by_client = Rng("portals"), defaultdict[UUID, list[ClientContactRecord]](list)
    for link in people.links:
        links_by_client[link.client_id].append(link)
    usable_links = [[link for link in links_by_client[client.row.id] if _is_usable(client, link)] for client in clients]
    eligible_indexes = [index for index, (links, count) in enumerate(zip(usable_links, counts, strict=True)) if links and count]
    portal_counts = Counter(rng.pick(eligible_indexes) for _ in range(portals))
    return (PortalPlan(portal_counts[index], links) for index, links in enumerate(usable_links))


def _is_usable(client: DemoClient, link: ClientContactRecord) -> bool:
    return link.is_active and (client.row.archived_at is None or link.created_at < client.row.archived_at)


def draw_portals(
    rng: Rng, client: DemoClient, viewers: PortalPlan, projects: list[DemoProject]
) -> tuple[list[PortalRecord], list[PortalProjectRecord], list[PortalAccessRecord]]:
    portals = [_portal(rng, client) for _ in range(viewers.portal_count)]
    project_rows = [
        PortalProjectRecord(portal.id, project.row.id, client.row.id) for portal in portals for project in _sample(rng, projects)
    ]
    access_rows = [
        PortalAccessRecord(portal.id, link.contact_id, client.row.id, max(portal.created_at, link.created_at))
        for portal in portals
        for link in _sample(rng, viewers.links)
    ]
    return portals, project_rows, access_rows


def _sample(rng: Rng, items: list[T]) -> list[T]:
    return rng.sample(items, min(len(items), rng.integer_between(1, MAX_ITEMS)))


def _portal(rng: Rng, client: DemoClient) -> PortalRecord:
    """Draw a portal. It is created at the latest on the day before its client was archived."""
    id_, created_at = rng.id_and_time(rng.integer_between(client.first_day, client.last_day - 1))
    closed_at = client.row.archived_at
    return PortalRecord(
        id=id_,
        client_id=client.row.id,
        created_at=created_at,
        updated_at=closed_at or created_at,
        version=2 if closed_at else 1,
        name=rng.pick(NAMES[client.locale.language]),
        language=client.locale.language,
        shows_descriptions=rng.chance(80),
        shows_rates=rng.chance(30),
        shows_budget=rng.chance(30),
        shows_invoices=rng.chance(70),
        shows_quotes=rng.chance(60),
        takes_approval=rng.chance(40),
        closed_at=closed_at,
        archive_operation_id=client.row.archive_operation_id,
    )
