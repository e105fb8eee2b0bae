"""Test loaders: one batch for the keys of a level, with futures only where another field may load the same keys."""

import asyncio
from collections.abc import Sequence

import pytest
import strawberry
from graphql import parse

from resolvers.dataloader import BatchStoppedError, Loader
from tests.support.compiled_queries import compile_plan

EXCLUSIVE_RELATIONS: dict[str, tuple[str, set[str]]] = {
    "two relations": ("{ clients { nodes { labels { name } addresses { type } } } }", {"labels", "addresses"}),
    "one relation twice": ("{ clients { nodes { a: labels { name } b: labels { color } addresses { type } } } }", {"addresses"}),
    "one relation with other arguments": (
        "{ clients { nodes { a: contacts(first: 1) { nodes { id } } b: contacts(first: 2) { nodes { id } } labels { name } } } }",
        {"labels"},
    ),
    "two relations of one batch function": (
        "{ viewer { organization { tokens { nodes { member { name } createdBy { name } } } } } }",
        {"organization", "tokens"},
    ),
    "two resolvers": ("{ clients { nodes { labels { name } } } viewer { permissions } }", set()),
}


class RecordingBatch:
    """Batch that records its keys. Key `b` fails, `c` cancels the batch, and with `z` the first value is missing."""

    def __init__(self) -> None:
        self.key_lists: list[list[str]] = []

    async def __call__(self, keys: Sequence[str]) -> list[str | ValueError]:
        self.key_lists.append([*keys])
        await asyncio.sleep(0)
        if "c" in keys:
            raise asyncio.CancelledError
        values = [ValueError(key) if key == "b" else key.upper() for key in keys]
        return values[1:] if "z" in keys else values


async def test_level_loads_each_key_once_in_order() -> None:
    batches = RecordingBatch()
    assert await Loader(batches).load_level(["x", "a", "x"], is_exclusive=True) == ["X", "A", "X"]
    assert batches.key_lists == [["x", "a"]]


async def test_later_loads_share_earlier_results() -> None:
    """After a fallback, graphql-core loads the same keys again. A key that failed before fails again without a new batch."""
    batches = RecordingBatch()
    loader = Loader(batches)
    await loader.load_level(["a", "b"], is_exclusive=True)
    assert await loader.load("a") == "A"
    assert await loader.load_level(["d", "a"], is_exclusive=True) == ["D", "A"]
    with pytest.raises(ValueError, match="b"):
        await loader.load("b")
    assert batches.key_lists == [["a", "b"], ["d"]]


async def test_parallel_levels_share_one_batch() -> None:
    batches = RecordingBatch()
    loader = Loader(batches)
    results = await asyncio.gather(loader.load_level(["a", "x"]), loader.load_level(["x", "d"]))
    assert [*results] == [["A", "X"], ["X", "D"]]
    assert batches.key_lists == [["a", "x", "d"]]


async def test_cancelled_batch_fails_its_level() -> None:
    with pytest.raises(BatchStoppedError):
        await Loader(RecordingBatch()).load_level(["a", "c"], is_exclusive=True)


async def test_batch_with_a_missing_value_is_an_error() -> None:
    with pytest.raises(TypeError, match="1 values for 2 keys"):
        await Loader(RecordingBatch()).load_level(["a", "z"], is_exclusive=True)


async def test_large_levels_are_loaded_in_chunks() -> None:
    batches = RecordingBatch()
    keys = [str(number) for number in range(1201)]
    assert await Loader(batches).load_level(keys, is_exclusive=True) == keys
    assert [len(each) for each in batches.key_lists] == [500, 500, 201]


@pytest.mark.parametrize("name", EXCLUSIVE_RELATIONS)
def test_relation_is_exclusive_if_no_other_field_uses_its_loader(schema: strawberry.Schema, name: str) -> None:
    document, expected = EXCLUSIVE_RELATIONS[name]
    plan = compile_plan(schema, parse(document))
    assert plan
    assert {field.call.strawberry_field.python_name for field in plan.query_fields if field.is_exclusive} == expected
