"""Introspection runs in a thread of its own, so that other requests are answered in the meantime."""

import asyncio
from collections.abc import Callable
from threading import Event

from graphql import build_client_schema, get_introspection_query

from resolvers.execution.operation import INTROSPECTION_THREAD
from schema.description import SCHEMA_DESCRIPTION
from tests.support.api import Api
from tests.support.builders import Tenant


async def test_other_requests_are_answered_during_introspection(api_for: Callable[..., Api], org: Tenant, sample_org: Tenant) -> None:
    """The test blocks the thread. A request for the schema and data waits for the thread too."""
    goes_on, api, other = Event(), api_for(org), api_for(sample_org)
    blocking_task = INTROSPECTION_THREAD.submit(goes_on.wait)
    with_data = "{ __schema { queryType { name } } viewer { permissions } }"
    tasks = [asyncio.create_task(api.data(text)) for text in (get_introspection_query(), with_data)]
    try:
        assert await other.data("{ __typename }") == {"__typename": "Query"}
        assert not any(each.done() for each in tasks)
    finally:
        goes_on.set()
    whole, both = await asyncio.gather(*tasks)
    assert blocking_task.result()
    assert {"Client", "Query"} <= {each["name"] for each in whole["__schema"]["types"]}
    assert both["__schema"] == {"queryType": {"name": "Query"}}


async def test_introspection_with_every_option_is_within_the_limits(
    default_limits_api: Callable[[Tenant], Api], sample_org: Tenant
) -> None:
    """GraphiQL requests the description of the schema and the deprecated arguments. The printed schema has the same description."""
    query = get_introspection_query(
        schema_description=True, specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
    )
    schema = build_client_schema(await default_limits_api(sample_org).data(query))
    assert schema.description == SCHEMA_DESCRIPTION
