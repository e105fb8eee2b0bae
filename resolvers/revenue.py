"""How revenue is answered."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.clients import Filter
from domain.revenue import Revenue
from resolvers.arguments import PeriodInput, period_of
from resolvers.batches import Loader
from resolvers.loaders import Loaders

During = Annotated[PeriodInput | None, strawberry.argument(description="All time unless given.")]


def of_client(loaders: Loaders, period: During = None) -> Loader[UUID, Revenue | None]:
    return loaders.revenue_of_client(period_of(period))


def of_clients(loaders: Loaders, period: During = None) -> Loader[Filter, Revenue | None]:
    return loaders.revenue_of_clients(period_of(period))
