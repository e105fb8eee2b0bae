"""Install the JavaScript clients once, and run their compilers."""

import shutil
from pathlib import Path

import pytest

from tests.support.interop import FOLDER, ROOT
from tests.support.node import install_packages, run_without_warnings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest file first, so that one process runs it while the other runs all the others."""
    items.sort(key=lambda item: item.path.name != "test_postgresql.py")


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with its packages, the printed schema and GraphiQL's examples."""
    folder = install_packages(FOLDER, tmp_path_factory.mktemp("clients") / "clients")
    shutil.copy(ROOT / "schema" / "schema.graphql", folder)
    shutil.copytree(ROOT / "server" / "graphiql" / "examples", folder / "examples")
    return folder


@pytest.fixture(scope="session")
def for_relay(clients: Path) -> Path:
    """Compile Relay's artifacts, and return the folder once there is nothing left to compile."""
    run_without_warnings("node_modules/.bin/relay-compiler", "--noWatchman", cwd=clients)
    run_without_warnings("node_modules/.bin/relay-compiler", "--noWatchman", "--validate", cwd=clients)
    return clients


@pytest.fixture(scope="session")
def for_typescript(clients: Path) -> Path:
    """Generate the TypeScript types and what Graphcache knows of the schema, and return the folder."""
    run_without_warnings("node_modules/.bin/graphql-codegen", "--config", "codegen.js", cwd=clients)
    run_without_warnings("node", "introspect.js", cwd=clients)
    return clients
