"""How what happened is answered."""

from uuid import UUID

from domain.activity import Event
from domain.pages import Page, Span
from resolvers.arguments import After, Before, First, Last
from resolvers.batches import Loader
from resolvers.loaders import Loaders


def of_client(
    loaders: Loaders, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Loader[UUID, Page[Event]]:
    return loaders.activity_of_client(Span(first, after, last, before))


def of_contact(
    loaders: Loaders, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Loader[UUID, Page[Event]]:
    return loaders.activity_of_contact(Span(first, after, last, before))


def total_of_client(loaders: Loaders) -> Loader[UUID, int]:
    return loaders.event_count_of_client


def total_of_contact(loaders: Loaders) -> Loader[UUID, int]:
    return loaders.event_count_of_contact
