"""What a server does not import before it answers, so that it starts soon."""

import subprocess
import sys

IMPORTED = "import sys, {modules}; print(*sys.modules, sep='\\n')"


def imported(modules: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", IMPORTED.format(modules=modules)], text=True, capture_output=True, check=True)  # noqa: S603
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_a_server_imports_nothing_that_only_migrations_need() -> None:
    """Alembic is for the start that has a step to take."""
    assert imported("server.start, server.cli, server.logs, server.serving").isdisjoint({"alembic", "mako"})
