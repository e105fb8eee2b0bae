"""Introspection is answered in a thread of its own, so that others are answered meanwhile."""

import asyncio
from collections.abc import Callable
from threading import Event

from graphql import get_introspection_query

from resolvers.execution.operation import INTROSPECTION_THREAD
from tests.ask import Api
from tests.builders import Tenant


async def test_others_are_answered_while_a_schema_is_shown(as_: Callable[..., Api], org: Tenant, crowded: Tenant) -> None:
    """The thread is held by the test; what asks for data as well waits for its schema alone."""
    goes_on, api, other = Event(), as_(org), as_(crowded)
    held = INTROSPECTION_THREAD.submit(goes_on.wait)
    with_data = "{ __schema { queryType { name } } viewer { permissions } }"
    asked = [asyncio.create_task(api.data(text)) for text in (get_introspection_query(), with_data)]
    try:
        assert await other.data("{ __typename }") == {"__typename": "Query"}
        assert not any(each.done() for each in asked)
    finally:
        goes_on.set()
    whole, both = await asyncio.gather(*asked)
    assert held.result()
    assert {"Client", "Query"} <= {each["name"] for each in whole["__schema"]["types"]}
    assert both["__schema"] == {"queryType": {"name": "Query"}}
