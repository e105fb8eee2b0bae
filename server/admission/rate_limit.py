"""Limit the rate of cost points: a token bucket for each API token and each organization."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from domain.core.scope import Actor
from server.documents.cost import CostEstimate
from server.errors import ErrorCode, HttpError

MAX_BUCKETS = 10_000  # about 4 MB
ORGANIZATION_FACTOR = 2  # an organization's limit is this many times the limit of a token


@dataclass(frozen=True)
class RateLimit:
    """Points restored per second, and the maximum that a bucket holds."""

    restore_per_second: int
    burst: int


@dataclass
class TokenBucket:
    """Bucket that held `points` at the time `updated_at`, and is filled at a constant rate."""

    rate: RateLimit
    points: float
    updated_at: float

    def fill(self, moment: float) -> None:
        """Add the points restored up to this moment."""
        self.points = min(self.rate.burst, self.points + (moment - self.updated_at) * self.rate.restore_per_second)
        self.updated_at = moment


class Reservation:
    """Points reserved for an operation. At the end of the `with` block, the points that it did not spend are returned."""

    __slots__ = ("_account", "_reserved_points", "spent_points")

    def __init__(self, account: "Account", reserved_points: int, prepaid_points: int) -> None:
        self._account = account
        self._reserved_points = reserved_points
        self.spent_points = prepaid_points

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._account.spend(self.spent_points - self._reserved_points)  # a negative number returns points


class Account:
    """The two buckets that an API token spends points from: its own and that of its organization."""

    def __init__(self, token_bucket: TokenBucket, organization_bucket: TokenBucket) -> None:
        self._token_bucket = token_bucket
        self._organization_bucket = organization_bucket

    @property
    def available(self) -> int:
        """Return the points that the token can spend now."""
        return int(min(self._token_bucket.points, self._organization_bucket.points))

    def charge(self, points: int) -> None:
        """Spend points before the work is done.

        Raises `HttpError` (RATE_LIMITED) if not enough are left.
        """
        self._require(points, f"The request costs at least {points} points")
        self.spend(points)

    def spend(self, points: int) -> None:
        """Spend points for work that was done, even if fewer are left."""
        self._token_bucket.points -= points
        self._organization_bucket.points -= points

    def reserve(self, estimate: CostEstimate, prepaid_points: int = 0) -> Reservation:
        """Reserve the estimated points, so that concurrent operations cannot exceed the limit. Unspent points are returned.

        `prepaid_points` is the part of the estimate that was charged before.
        Raises `HttpError` (RATE_LIMITED) if not enough are left.
        """
        self._require(estimate.maximum - prepaid_points, f"The operation may cost {estimate.maximum} points")
        self.spend(estimate.maximum - prepaid_points)
        return Reservation(self, estimate.maximum, prepaid_points)

    def _require(self, points: int, text: str) -> None:
        if self._token_bucket.points < points or self._organization_bucket.points < points:
            missing = ((points - each.points) / each.rate.restore_per_second for each in (self._token_bucket, self._organization_bucket))
            wait = math.ceil(max(missing))
            message = f"{text}, but fewer are left. Try again in {wait} seconds."
            raise HttpError(ErrorCode.RATE_LIMITED, message, headers={"retry-after": str(wait)})


class RateLimiter:
    """Buckets of API tokens and organizations. Beyond `MAX_BUCKETS`, the least recently used bucket is dropped."""

    def __init__(self, rate: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._organization_rate = RateLimit(rate.restore_per_second * ORGANIZATION_FACTOR, rate.burst * ORGANIZATION_FACTOR)
        self._clock = clock
        self._buckets: OrderedDict[UUID, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    @property
    def throttle(self) -> dict[str, int]:
        return {"maximumAvailable": self._rate.burst, "restoreRate": self._rate.restore_per_second}

    def account(self, actor: Actor) -> Account:
        """Return the account of the actor's token and organization, with both buckets filled up to now."""
        moment = self._clock()
        token_bucket = self._bucket(actor.token_id or actor.tenant, self._rate, moment)
        return Account(token_bucket, self._bucket(actor.tenant, self._organization_rate, moment))

    def _bucket(self, key: UUID, rate: RateLimit, moment: float) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(rate, rate.burst, moment)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
            bucket.fill(moment)
        return bucket
