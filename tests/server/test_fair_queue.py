"""The tokens of an organization take turns, and none shuts out another; the clock is the test's own."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from domain.core.scope import ALL_PERMISSIONS, Actor
from server.admission.concurrency import ConcurrencyLimiter
from server.admission.cpu_share import PAUSE_FACTOR, CpuShare
from server.errors import HttpError
from server.settings import ConcurrencyLimits
from tests.virtual_time import run, spend

WAIT_S = 8.0


def actor(tenant: UUID, *, has_token: bool = True) -> Actor:
    return Actor(tenant, ALL_PERMISSIONS, token_id=uuid4() if has_token else None)


def limits(*, of_token: int, of_organization: int, of_all: int = 500) -> ConcurrencyLimits:
    """One operation of an organization at once, so that the order of service is the order of the queue."""
    return ConcurrencyLimits(2, 1, of_all, of_organization, of_token, WAIT_S)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@dataclass
class Service:
    """Requests that wait behind one that holds the only place, and the order in which they are served."""

    enter: Callable[[Actor], AbstractAsyncContextManager[None]]
    served: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def send(self, name: str, who: Actor) -> None:
        self.tasks.append(asyncio.create_task(self._serve(name, who)))
        await settle()

    async def _serve(self, name: str, who: Actor) -> None:
        try:
            async with self.enter(who):
                self.served.append(name)
        except HttpError:
            self.refused.append(name)

    async def finish(self) -> None:
        await asyncio.gather(*self.tasks)


def services(given: ConcurrencyLimits) -> list[Service]:
    return [Service(ConcurrencyLimiter(given).slot), Service(CpuShare(given).exclusive)]


BOTH = pytest.mark.parametrize("place", [0, 1], ids=["operations", "cpu share"])


@BOTH
def test_one_request_is_served_beside_fifty_of_another_token(place: int) -> None:
    """After one of the other token, not after all fifty."""

    async def main() -> None:
        tenant = uuid4()
        viewer, owner, service = actor(tenant), actor(tenant), services(limits(of_token=50, of_organization=100))[place]
        async with service.enter(actor(tenant)):
            for number in range(51):
                await service.send(f"viewer {number}", viewer)
            await service.send("owner", owner)
        await service.finish()
        assert service.refused == ["viewer 50"]
        assert service.served == ["viewer 0", "owner", *(f"viewer {number}" for number in range(1, 50))]

    run(main())


@BOTH
def test_tokens_of_an_organization_are_served_in_turn(place: int) -> None:
    """Actors without a token are one among them, and within a token first come is first served."""

    async def main() -> None:
        tenant = uuid4()
        one, two, none = actor(tenant), actor(tenant), actor(tenant, has_token=False)
        service = services(limits(of_token=50, of_organization=100))[place]
        async with service.enter(one):
            for name, who in (("a", one), ("b", one), ("c", one), ("x", two), ("y", two), ("n", none), ("d", one)):
                await service.send(name, who)
        await service.finish()
        assert service.served == ["a", "x", "n", "b", "y", "c", "d"]

    run(main())


@BOTH
def test_a_token_with_few_waiting_finds_room_in_a_full_queue(place: int) -> None:
    """The newest request of the token that has most waiting is refused instead. Tokens with as many displace nobody."""

    async def main() -> None:
        tenant = uuid4()
        one, two, three = actor(tenant), actor(tenant), actor(tenant)
        service = services(limits(of_token=4, of_organization=4))[place]
        async with service.enter(one):
            for name, who in (("a", one), ("b", one), ("c", one), ("d", one), ("x", two), ("y", two), ("z", two), ("m", three)):
                await service.send(name, who)
            assert service.refused == ["d", "c", "z", "b"]
        await service.finish()
        assert service.served == ["a", "x", "m", "y"]

    run(main())


@BOTH
def test_another_organization_finds_room_in_a_full_worker(place: int) -> None:
    """One that fills the queue gives up a place to another that has fewer, and no more than that."""

    async def main() -> None:
        greedy, modest = uuid4(), uuid4()
        one, two, three, four = actor(greedy), actor(greedy), actor(modest), actor(modest)
        service = services(limits(of_token=2, of_organization=4, of_all=4))[place]
        async with service.enter(one), service.enter(three):
            for name, who in (("a", one), ("b", one), ("x", two), ("y", two), ("m", three), ("n", three), ("o", three), ("p", four)):
                await service.send(name, who)
            await service.send("z", actor(greedy))
            assert service.refused == ["b", "y", "o", "n", "z"]
        await service.finish()
        assert sorted(service.served) == ["a", "m", "p", "x"]

    run(main())


@BOTH
def test_actors_without_a_token_of_two_organizations_share_no_limit(place: int) -> None:
    async def main() -> None:
        one, other = uuid4(), uuid4()
        service = services(limits(of_token=1, of_organization=4))[place]
        async with service.enter(actor(one)), service.enter(actor(other)):
            await service.send("one", actor(one, has_token=False))
            await service.send("other", actor(other, has_token=False))
        await service.finish()
        assert (sorted(service.served), service.refused) == (["one", "other"], [])

    run(main())


@BOTH
def test_a_request_that_is_cancelled_as_it_is_granted_passes_it_on(place: int) -> None:
    """The next one is served, and nothing is held for ever."""

    async def main() -> None:
        tenant = uuid4()
        service = services(limits(of_token=50, of_organization=100))[place]
        async with service.enter(actor(tenant)):
            await service.send("cancelled", actor(tenant))
            await service.send("next", actor(tenant))
            spend(1.0)
        if place:
            # In one iteration of the loop, right after the timer that ends the pause: the clock's resolution is 1e-9.
            asyncio.get_running_loop().call_later(PAUSE_FACTOR + 1e-10, service.tasks[0].cancel)
        else:
            service.tasks[0].cancel()
        results = await asyncio.gather(*service.tasks, return_exceptions=True)
        assert (service.served, [type(each) for each in results]) == (["next"], [asyncio.CancelledError, type(None)])

    run(main())


def test_a_request_that_gives_up_as_its_turn_comes_takes_no_turn_of_its_token() -> None:
    """The next request of the token is served, not that of another one."""

    async def main() -> None:
        tenant = uuid4()
        one, other, service = actor(tenant), actor(tenant), services(limits(of_token=50, of_organization=100))[0]
        async with service.enter(actor(tenant)):
            for name, who in (("gone", one), ("other", other), ("next", one)):
                await service.send(name, who)
            service.tasks[0].cancel()  # it is still in the queue when the place is free
        await asyncio.gather(*service.tasks, return_exceptions=True)
        assert service.served == ["next", "other"]

    run(main())


def test_a_request_that_is_granted_as_its_time_is_over_is_served() -> None:
    """Else the place that it was given would be held for ever."""

    async def main() -> None:
        tenant = uuid4()
        service = Service(CpuShare(limits(of_token=50, of_organization=100)).exclusive)
        async with service.enter(actor(tenant)):
            await service.send("late", actor(tenant))
            spend(
                WAIT_S / 2 - 1e-10
            )  # the longest pause follows; its timer and that of the wait fire in one iteration, one after the other
        await service.finish()
        await service.send("next", actor(tenant))
        await service.finish()
        assert (service.served, service.refused) == (["late", "next"], [])

    run(main())
