"""Check the configuration on the pages: settings, the service, Prometheus, the log, and the files of GraphQL clients."""

import json
import logging
import re
import shlex
from configparser import ConfigParser
from io import StringIO
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # a package of schemathesis
from prometheus_client import generate_latest
from strawberry import Schema
from typer.main import get_command

from db.engine.database import Database
from domain.core.errors import UserErrorCode
from server.app import build_app
from server.cli.main import cli
from server.errors import ErrorCode
from server.http.parsing import parse_body
from server.jobs.metrics import JobMetrics
from server.observability.access_log import AccessRecord, log_fields
from server.observability.logging import LEVELS
from server.settings import Environment, Settings
from tests.support.interop import FOLDER
from tests.support.pages import BLOCKS, ROOT

OBSERVABILITY = (ROOT / "docs" / "guides" / "observability.md").read_text()


def find_block(kind: str, environment: str) -> str:
    (block,) = (block for block in BLOCKS if (block.kind, block.environment) == (kind, environment))
    return block.text


def read_environment() -> dict[str, str]:
    return dict(line.split("=", 1) for line in find_block("ini", "environment").splitlines())


def test_environment_file_is_valid_for_production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in read_environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.env is Environment.PRODUCTION
    assert {*read_environment()} <= {Settings.variable(name) for name in Settings.model_fields}


def test_service_starts_the_server_and_outlasts_its_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = ConfigParser(interpolation=None)
    unit.read_string(find_block("ini", "systemd"))
    service = unit["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert program == f"{service['WorkingDirectory']}/.venv/bin/relaties"
    command: Any = get_command(cli)
    command.commands[arguments[0]].make_context(arguments[0], arguments[1:])
    for name, value in read_environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert int(service["TimeoutStopSec"]) > settings.effective_shutdown_delay + settings.shutdown_grace


def test_prometheus_scrapes_every_worker() -> None:
    settings = read_environment()
    port, workers = int(settings["RELATIES_METRICS_PORT"]), int(settings["RELATIES_WORKERS"])
    (job,) = yaml.safe_load(StringIO(find_block("yaml", "prometheus")))["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [f"127.0.0.1:{port + number}" for number in range(workers)]


def test_page_lists_every_metric(schema: Schema, database: Database) -> None:
    """The page has the metrics of worker processes and those of job workers."""
    registries = [build_app(schema, database, Settings(), [b"key"]).metrics.registry, JobMetrics().registry]
    exposition = "".join(generate_latest(registry).decode() for registry in registries)
    families = re.findall(r"^# TYPE (relaties_\w+) ", exposition, re.MULTILINE)
    documented = re.findall(r"^\| `(relaties_\w+)` \|", OBSERVABILITY, re.MULTILINE)
    assert sorted(documented) == sorted(name for name in families if not name.endswith("_created"))


def test_page_shows_every_field_of_the_log() -> None:
    documented = json.loads(find_block("json", "log"))
    values = {name: value for name, value in documented.items() if name in AccessRecord.__dataclass_fields__}
    record = AccessRecord(**values, seconds=documented["duration_seconds"])
    fields = log_fields(record)
    assert [*documented] == ["event", "level", "logger", "time", *fields]
    assert documented["level"] in LEVELS.values()
    assert logging.getLogger("relaties").name == documented["logger"]
    assert {*documented["error_codes"]} <= {*ErrorCode, *UserErrorCode}


@pytest.mark.parametrize(
    ("kind", "name", "file"),
    [
        ("js", "apollo-client", "apollo-client.js"),
        ("js", "urql-client", "urql-client.js"),
        ("js", "relay-environment", "relay-environment.js"),
        ("js", "codegen", "codegen.js"),
        ("js", "codegen-server", "codegen-server.js"),
        ("js", "graphcache-client", "graphcache-client.js"),
        ("js", "introspect", "introspect.js"),
        ("json", "relay", "relay.config.json"),
        ("json", "persisted-query-manifest", "persisted-query-manifest.config.json"),
    ],
)
def test_page_shows_the_files_that_interop_tests_run(kind: str, name: str, file: str) -> None:
    """The page leaves out the comment at the head of a file."""
    text = (FOLDER / file).read_text()
    assert find_block(kind, name) == re.sub(r"\A(//.*\n)*\n*", "", text)


def test_request_is_one_that_the_server_reads() -> None:
    request = parse_body(find_block("json", "request").encode())
    assert request.query is None
    assert request.variables == {"first": 20}
