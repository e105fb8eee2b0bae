"""How much may be asked: a bucket of points for each token and each organization, which fills steadily and is drawn from by cost."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from domain.scope import Actor
from server.costs import Bill
from server.refusals import ErrorCode, Unanswerable

MAX_BUCKETS = 10_000  # about 4 MB
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

    def fill(self, moment: float) -> None:
        """Add what was restored up to this moment."""
        self.left = min(self.rate.most, self.left + (moment - self.at) * self.rate.restored)
        self.at = moment


class Drawn:
    """What an operation spends: nothing before it runs. At the end of the block the rest goes back."""

    __slots__ = ("_account", "_requested", "spent")

    def __init__(self, account: "Account", requested: int, paid: int) -> None:
        self._account = account
        self._requested = requested
        self.spent = paid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._account.spend(self.spent - self._requested)


class Account:
    """What one token may spend: its own bucket and its organization's, filled up to now."""

    def __init__(self, token: Bucket, organization: Bucket) -> None:
        self._token = token
        self._organization = organization

    @property
    def left(self) -> int:
        """Points that the token can spend now."""
        return int(min(self._token.left, self._organization.left))

    def charge(self, points: int) -> None:
        """Spend points before the work is done.

        Raises `Unanswerable` (RATE_LIMITED) if fewer are left.
        """
        self._require(points, f"This costs at least {points} points")
        self.spend(points)

    def spend(self, points: int) -> None:
        """Spend points for work that was done, whether or not they are left."""
        self._token.left -= points
        self._organization.left -= points

    def drawn(self, bill: Bill, paid: int = 0) -> Drawn:
        """Draw what is requested, so that many at the same time cannot exceed it, or refuse; what was not spent goes back.

        `paid` is the part of it that was spent before.
        """
        self._require(bill.requested - paid, f"This may cost {bill.requested} points")
        self.spend(bill.requested - paid)
        return Drawn(self, bill.requested, paid)

    def _require(self, points: int, what: str) -> None:
        if self._token.left < points or self._organization.left < points:
            missing = ((points - bucket.left) / bucket.rate.restored for bucket in (self._token, self._organization))
            wait = math.ceil(max(missing))
            message = f"{what}, and there are not as many left. Try again in {wait} seconds."
            raise Unanswerable(ErrorCode.RATE_LIMITED, message, headers={"retry-after": str(wait)})


class Rates:
    """The buckets of the tokens and organizations that asked last: a bounded number, the one that was used longest ago goes first."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._of_all = Rate(rate.restored * SHARE, rate.most * SHARE)
        self._clock = clock
        self._buckets: OrderedDict[UUID, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    @property
    def throttle(self) -> dict[str, int]:
        return {"maximumAvailable": self._rate.most, "restoreRate": self._rate.restored}

    def account(self, actor: Actor) -> Account:
        """Return what the token and its organization may spend now."""
        moment = self._clock()
        token = self._bucket(actor.token_id or actor.tenant, self._rate, moment)
        return Account(token, self._bucket(actor.tenant, self._of_all, moment))

    def _bucket(self, key: UUID, rate: Rate, moment: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(rate, rate.most, moment)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
            bucket.fill(moment)
        return bucket
