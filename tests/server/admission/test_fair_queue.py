"""The tokens of an organization are served in turn, and none can exclude another. The clock is virtual."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from domain.core.scope import Actor
from server.admission.concurrency import ConcurrencyLimiter
from server.admission.cpu_share import PAUSE_FACTOR, CpuShare
from server.errors import HttpError
from server.limit_settings import ConcurrencyLimits
from tests.support.queueing import QUEUE_TIMEOUT_S, create_actor, run_ready_tasks
from tests.support.virtual_time import run, spend


def create_limits(*, of_token: int, of_organization: int, of_all: int = 500) -> ConcurrencyLimits:
    """Return limits of one running operation per organization, so that requests are served in the order of the queue."""
    return ConcurrencyLimits(2, 1, of_all, of_organization, of_token, QUEUE_TIMEOUT_S)


@dataclass
class RecordingService:
    """Requests that wait behind one that holds the only slot, and the order in which they are served."""

    enter: Callable[[Actor], AbstractAsyncContextManager[None]]
    served_names: list[str] = field(default_factory=list)
    rejected_names: list[str] = field(default_factory=list)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def send(self, name: str, actor: Actor) -> None:
        self.tasks.append(asyncio.create_task(self._serve(name, actor)))
        await run_ready_tasks()

    async def _serve(self, name: str, actor: Actor) -> None:
        try:
            async with self.enter(actor):
                self.served_names.append(name)
        except HttpError:
            self.rejected_names.append(name)

    async def finish(self) -> None:
        await asyncio.gather(*self.tasks)


def create_services(queue_limits: ConcurrencyLimits) -> list[RecordingService]:
    return [RecordingService(ConcurrencyLimiter(queue_limits).slot), RecordingService(CpuShare(queue_limits).exclusive)]


BOTH = pytest.mark.parametrize("index", [0, 1], ids=["operations", "cpu share"])


@BOTH
def test_one_request_is_served_beside_fifty_of_another_token(index: int) -> None:
    """The other token waits for one of the fifty requests, not for all of them."""

    async def main() -> None:
        tenant = uuid4()
        viewer, owner, service = (
            create_actor(tenant),
            create_actor(tenant),
            create_services(create_limits(of_token=50, of_organization=100))[index],
        )
        async with service.enter(create_actor(tenant)):
            for number in range(51):
                await service.send(f"viewer {number}", viewer)
            await service.send("owner", owner)
        await service.finish()
        assert service.rejected_names == ["viewer 50"]
        assert service.served_names == ["viewer 0", "owner", *(f"viewer {number}" for number in range(1, 50))]

    run(main())


@BOTH
def test_tokens_of_an_organization_alternate(index: int) -> None:
    """Actors without a token count as one token. Requests of one token are served in order of arrival."""

    async def main() -> None:
        tenant = uuid4()
        one, two, none = create_actor(tenant), create_actor(tenant), create_actor(tenant, has_token=False)
        service = create_services(create_limits(of_token=50, of_organization=100))[index]
        async with service.enter(one):
            for name, requester in (("a", one), ("b", one), ("c", one), ("x", two), ("y", two), ("n", none), ("d", one)):
                await service.send(name, requester)
        await service.finish()
        assert service.served_names == ["a", "x", "n", "b", "y", "c", "d"]

    run(main())


@BOTH
def test_token_with_few_waiting_requests_enters_a_full_queue(index: int) -> None:
    """Instead, the newest request of the token with the most waiting ones is rejected. Tokens with equally many replace none."""

    async def main() -> None:
        tenant = uuid4()
        one, two, three = create_actor(tenant), create_actor(tenant), create_actor(tenant)
        service = create_services(create_limits(of_token=4, of_organization=4))[index]
        async with service.enter(one):
            for name, requester in (("a", one), ("b", one), ("c", one), ("d", one), ("x", two), ("y", two), ("z", two), ("m", three)):
                await service.send(name, requester)
            assert service.rejected_names == ["d", "c", "z", "b"]
        await service.finish()
        assert service.served_names == ["a", "x", "m", "y"]

    run(main())


@BOTH
def test_another_organization_enters_a_full_queue(index: int) -> None:
    """An organization that fills the queue gives up slots only to one that has fewer waiting."""

    async def main() -> None:
        greedy, modest = uuid4(), uuid4()
        one, two, three, four = create_actor(greedy), create_actor(greedy), create_actor(modest), create_actor(modest)
        service = create_services(create_limits(of_token=2, of_organization=4, of_all=4))[index]
        async with service.enter(one), service.enter(three):
            for name, requester in (("a", one), ("b", one), ("x", two), ("y", two), ("m", three), ("n", three), ("o", three), ("p", four)):
                await service.send(name, requester)
            await service.send("z", create_actor(greedy))
            assert service.rejected_names == ["b", "y", "o", "n", "z"]
        await service.finish()
        assert sorted(service.served_names) == ["a", "m", "p", "x"]

    run(main())


@BOTH
def test_actors_without_a_token_of_two_organizations_share_no_limit(index: int) -> None:
    async def main() -> None:
        one, other = uuid4(), uuid4()
        service = create_services(create_limits(of_token=1, of_organization=4))[index]
        async with service.enter(create_actor(one)), service.enter(create_actor(other)):
            await service.send("one", create_actor(one, has_token=False))
            await service.send("other", create_actor(other, has_token=False))
        await service.finish()
        assert (sorted(service.served_names), service.rejected_names) == (["one", "other"], [])

    run(main())


@BOTH
def test_request_cancelled_while_granted_passes_its_slot_to_the_next(index: int) -> None:
    """The next request gets the slot, so that no slot is held for ever."""

    async def main() -> None:
        tenant = uuid4()
        service = create_services(create_limits(of_token=50, of_organization=100))[index]
        async with service.enter(create_actor(tenant)):
            await service.send("cancelled", create_actor(tenant))
            await service.send("next", create_actor(tenant))
            spend(1.0)
        if index:
            # Cancel in the same pass of the loop as the timer that ends the pause: the resolution of the loop's clock is 1e-9.
            asyncio.get_running_loop().call_later(PAUSE_FACTOR + 1e-10, service.tasks[0].cancel)
        else:
            service.tasks[0].cancel()
        results = await asyncio.gather(*service.tasks, return_exceptions=True)
        assert (service.served_names, [type(each) for each in results]) == (["next"], [asyncio.CancelledError, type(None)])

    run(main())


def test_after_a_cancelled_request_the_next_one_of_its_token_is_served() -> None:
    async def main() -> None:
        tenant = uuid4()
        one, other, service = (
            create_actor(tenant),
            create_actor(tenant),
            create_services(create_limits(of_token=50, of_organization=100))[0],
        )
        async with service.enter(create_actor(tenant)):
            for name, requester in (("gone", one), ("other", other), ("next", one)):
                await service.send(name, requester)
            service.tasks[0].cancel()  # still in the queue when the slot becomes free
        await asyncio.gather(*service.tasks, return_exceptions=True)
        assert service.served_names == ["next", "other"]

    run(main())


def test_request_granted_at_its_timeout_is_served() -> None:
    """Otherwise the slot that was granted to it would be held for ever."""

    async def main() -> None:
        tenant = uuid4()
        service = RecordingService(CpuShare(create_limits(of_token=50, of_organization=100)).exclusive)
        async with service.enter(create_actor(tenant)):
            await service.send("late", create_actor(tenant))
            spend(
                QUEUE_TIMEOUT_S / 2 - 1e-10
            )  # the longest pause follows; its timer and the request's timeout fire in the same pass of the loop
        await service.finish()
        await service.send("next", create_actor(tenant))
        await service.finish()
        assert (service.served_names, service.rejected_names) == (["late", "next"], [])

    run(main())
