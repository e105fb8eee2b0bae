"""Test the private parts of other packages that we rely on. A failure names the part that changed and our code to compare with it.

pyproject.toml limits the versions of these packages. After a new limit, compare the code, then update the hash here.
"""

import inspect
import pkgutil
import re
import tomllib
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import aiodataloader
import asyncpg
import pytest
import strawberry
from graphql import GraphQLObjectType
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info

from db.engine.errors import CONNECTION_LOST_MESSAGES, is_unbindable
from db.engine.statement import RESERVED_NAMES, Row
from db.tables import Label

ROOT = Path(__file__).parent.parent
LIMITED_PACKAGES = ("aiodataloader", "asyncpg", "graphql-core", "sqlmodel", "strawberry-graphql", "uvicorn")
HTTP = "uvicorn.protocols.http.httptools_impl:"
# Functions and classes that our code replaces, calls or relies on, with the hash of their source when our code was written.
HASHES = {
    "server/runtime/protocol.py": {
        f"{HTTP}HttpToolsProtocol.connection_made": "6efb565ff3d36b91",
        f"{HTTP}HttpToolsProtocol.connection_lost": "c91a4c9bf2e29c55",
        f"{HTTP}HttpToolsProtocol.data_received": "010a7ae59a5d3b1a",
        f"{HTTP}HttpToolsProtocol.on_message_begin": "96d377fdc7c2baef",
        f"{HTTP}HttpToolsProtocol.on_headers_complete": "1ea8589acfad92d8",
        f"{HTTP}HttpToolsProtocol.on_body": "dba9c32aeba35b6a",
        f"{HTTP}HttpToolsProtocol.on_message_complete": "1fbad42dc31fc01f",
        f"{HTTP}HttpToolsProtocol.on_response_complete": "64e254f28e389e76",
        f"{HTTP}HttpToolsProtocol.shutdown": "d7351fa33f00d430",
        f"{HTTP}HttpToolsProtocol.timeout_keep_alive_handler": "8b53bf5f2e202970",
        f"{HTTP}HttpToolsProtocol._start_asgi_task": "9c08c2571ae9b038",
        f"{HTTP}HttpToolsProtocol._unset_keepalive_if_required": "00a6a4e47214e68e",
        f"{HTTP}RequestResponseCycle.send": "abdd8601b326a8da",
        f"{HTTP}RequestResponseCycle.receive": "8124ae006be71184",
        "uvicorn.protocols.http.flow_control:FlowControl": "126debcdaa894c83",
    },
    "server/runtime/process.py": {
        "uvicorn.server:Server._serve": "4575b7a50adfede8",
        "uvicorn.server:Server.startup": "2aa1d70a244bfcf2",
        "uvicorn.server:Server.main_loop": "afccb353a119333f",
        "uvicorn.server:Server.on_tick": "60ea49b06ccf68c1",
        "uvicorn.server:Server.shutdown": "9b33c50562992b1e",
        "uvicorn.server:Server.capture_signals": "e1bbcd4770d1c887",
    },
    "resolvers/dataloader.py": {
        "aiodataloader:DataLoader.__init__": "e989eccbd8dbcd12",
        "aiodataloader:DataLoader.load": "41dc35add0082adf",
        "aiodataloader:DataLoader.do_resolve_reject": "c0664c0654443285",
        "aiodataloader:DataLoader.clear": "2d8e8c0cd9213210",
        "aiodataloader:DataLoader.clear_all": "2e159a8c6212675a",
        "aiodataloader:dispatch_queue_batch": "5bb934f8902286ac",
        "aiodataloader:failed_dispatch": "3aeb9c9ee274d6dd",
        "aiodataloader:get_chunks": "e94e7e1661672184",
    },
    "db/tables/base.py": {
        "sqlmodel._compat:SQLModelConfig": "9151cf7f4526a5a9",
        "sqlmodel._compat:sqlmodel_init": "722f0ec41a39fe07",
    },
}


@pytest.mark.parametrize("name", LIMITED_PACKAGES)
def test_version_of_package_with_used_private_parts_is_limited(name: str) -> None:
    """The next release that may change private parts is not installed without a decision."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (requirement,) = [each for each in dependencies if re.match(rf"{re.escape(name)}\b(?!-)", each)]
    assert re.search(r",<[\d.]+$", requirement)


@pytest.mark.parametrize(("user", "part"), [(user, part) for user, parts in HASHES.items() for part in parts])
def test_private_part_is_unchanged(user: str, part: str) -> None:
    source = inspect.getsource(pkgutil.resolve_name(part))
    package = part.partition(".")[0].partition(":")[0]
    assert sha256(source.encode()).hexdigest()[:16] == HASHES[user][part], (
        f"{package} {version(package)} has changed `{part}`. Compare `{user}` with it, then update the hash in this file."
    )


def test_aiodataloader_queues_pairs_of_key_and_future() -> None:
    assert aiodataloader.Loader._fields == ("key", "future"), (
        "`aiodataloader.Loader` has changed. Compare `resolvers/dataloader.py` with it."
    )


def test_sqlmodel_builds_no_validator_for_entities() -> None:
    Label(tenant_id=uuid4(), name="VIP", name_key="vip")
    assert not Label.__pydantic_complete__, "sqlmodel ignores `defer_build`, or validates entities. Compare `db/tables/base.py` with it."


@pytest.mark.parametrize("message", CONNECTION_LOST_MESSAGES)
def test_asyncpg_has_the_message_of_a_lost_connection(message: str) -> None:
    """The messages are the only difference between a lost connection and wrong use of the driver."""
    sources = [path for suffix in ("*.py", "*.pyx") for path in Path(asyncpg.__file__).parent.rglob(suffix)]
    assert any(message in path.read_text() for path in sources), (
        f"asyncpg no longer says {message!r}. Compare `is_connection_lost` in `db/engine/errors.py` with its messages."
    )


def test_asyncpg_record_reserves_the_expected_names() -> None:
    names = {name for name in dir(asyncpg.Record) if not name.startswith("_")}
    assert names == RESERVED_NAMES, "`asyncpg.Record` has other methods. Compare `Row` in `db/engine/statement.py` with it."


async def test_asyncpg_accepts_row_classes(owner: asyncpg.Connection) -> None:
    class NumberRow(Row):
        number: int

    row = await owner.fetchrow("SELECT 7 AS number", record_class=NumberRow)
    assert (type(row), row and row.number) == (NumberRow, 7), "asyncpg no longer returns `record_class`. Compare `db/engine/statement.py`."


async def test_asyncpg_names_the_cause_of_an_unbindable_value(owner: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.DataError) as too_large:
        await owner.fetchval("SELECT $1::int", 2**31)
    with pytest.raises(asyncpg.DataError) as other_type:
        await owner.fetchval("SELECT $1::int", "1")
    causes = (type(too_large.value.__cause__), type(other_type.value.__cause__))
    assert causes == (OverflowError, TypeError), (
        "`DataError` of asyncpg has other causes. Compare `is_unbindable` in `db/engine/errors.py`."
    )
    assert (is_unbindable(too_large.value), is_unbindable(other_type.value)) == (True, False)


def test_strawberry_and_graphql_core_have_the_private_parts_that_we_use(schema: strawberry.Schema) -> None:
    core = schema._schema  # noqa: SLF001
    query = core.query_type
    assert isinstance(query, GraphQLObjectType)
    field = query.fields["clients"]
    is_present = {
        "GraphQLSchema._strawberry_schema": getattr(core, "_strawberry_schema", None) is schema,
        "Info._raw_info": "_raw_info" in Info.__annotations__,
        'extensions["strawberry-definition"]': isinstance(field.extensions["strawberry-definition"], StrawberryField),
        "overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET": inspect.getsource(overlapping_fields_can_be_merged).count(
            "MAX_COMPLEXITY_BUDGET"
        )
        > 1,
    }
    assert [name for name, is_found in is_present.items() if not is_found] == []
