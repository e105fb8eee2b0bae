"""How much may be asked: a bucket of points for each token and each organization, which fills steadily and is drawn from by cost."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from domain.scope import Actor
from server.costs import Bill
from server.refusals import ErrorCode, Unanswerable

KEPT = 10_000
SHARE = 2  # what an organization may, in what one of its tokens may


@dataclass(frozen=True)
class Rate:
    """Points that come back in a second, and the most that there can be."""

    restored: int
    most: int


@dataclass
class Bucket:
    """Points left at a moment."""

    rate: Rate
    left: float
    at: float

    def now(self, moment: float) -> float:
        self.left = min(self.rate.most, self.left + (moment - self.at) * self.rate.restored)
        self.at = moment
        return self.left


@dataclass
class Drawn:
    """What an operation spends: nothing before it runs."""

    spent: int = 0


class Rates:
    """The buckets of whoever asked of late. A full one need not be remembered."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._of_all = Rate(rate.restored * SHARE, rate.most * SHARE)
        self._clock = clock
        self._buckets: dict[UUID, Bucket] = {}

    @contextmanager
    def drawn(self, actor: Actor, bill: Bill) -> Iterator[Drawn]:
        """Draws what is requested, so that many at the same time cannot exceed it, or refuses; what was not spent goes back."""
        moment = self._clock()
        buckets = self._of(actor, moment)
        wait = math.ceil(max((bill.requested - bucket.now(moment)) / bucket.rate.restored for bucket in buckets))
        if wait > 0:
            message = f"This may cost {bill.requested} points, and there are not as many left. Try again in {wait} seconds."
            raise Unanswerable(ErrorCode.RATE_LIMITED, message, headers={"retry-after": str(wait)})
        for bucket in buckets:
            bucket.left -= bill.requested
        drawn = Drawn()
        try:
            yield drawn
        finally:
            for bucket in buckets:
                bucket.left += bill.requested - drawn.spent

    def left(self, actor: Actor) -> int:
        """Points that the token can spend now."""
        moment = self._clock()
        return int(min(bucket.now(moment) for bucket in self._of(actor, moment)))

    @property
    def throttle(self) -> dict[str, int]:
        return {"maximumAvailable": self._rate.most, "restoreRate": self._rate.restored}

    def _of(self, actor: Actor, moment: float) -> list[Bucket]:
        if len(self._buckets) >= KEPT:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if bucket.now(moment) < bucket.rate.most}
        whose = ((actor.token_id or actor.tenant, self._rate), (actor.tenant, self._of_all))
        return [self._buckets.setdefault(key, Bucket(rate, rate.most, moment)) for key, rate in whose]
