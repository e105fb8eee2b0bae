"""Install the program and run it behind the proxies of the deployment guide; back up and restore a database as the backup guide does."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from db.engine.urls import with_database_name
from tests.docs.test_configuration_blocks import find_block, read_environment
from tests.support.builders import create_sample_org
from tests.support.clusters import run_cluster
from tests.support.databases import runtime_url
from tests.support.pages import BLOCKS, ROOT, find_answer
from tests.support.processes import ServerProcess, build_environment, find_free_port, run_server
from tests.support.snapshots import read_snapshot

pytestmark = pytest.mark.interop
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
HOST = "api.example.com"
NGINX = """daemon off;
error_log stderr;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{config}
}}
"""
CADDY = """{{
    admin off
    https_port {port}
    auto_https disable_redirects
    storage file_system {folder}/storage
}}
{config}
"""
RETRIES = "--silent --retry 60 --retry-delay 1 --retry-connrefused"


def run_script(script: str, folder: Path, **settings: str) -> str:
    command = ["bash", "-euo", "pipefail", "-c", script]
    environment = build_environment(**settings)
    environment["PATH"] = f"{PROGRAMS}:{environment['PATH']}"
    result = subprocess.run(command, env=environment, cwd=folder, text=True, capture_output=True, check=False, timeout=300)  # noqa: S603
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
async def server(fresh_database: Callable[[], Awaitable[str]], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """Yield a server with the settings of the guide."""
    own = {"DATABASE_URL": runtime_url(await fresh_database()), "RELATIES_DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    settings = {**read_environment(), **own, "RELATIES_WORKERS": "1", "RELATIES_METRICS_PORT": str(find_free_port())}
    with run_server(**settings) as process:
        yield process


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Create a certificate, with its key in `key.pem` beside it."""
    names = f"-subj /CN={HOST} -addext subjectAltName=DNS:{HOST}"
    run_script(f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out certificate.pem {names} 2> /dev/null", tmp_path)
    return tmp_path / "certificate.pem"


@contextmanager
def run_proxy(*command: str | Path) -> Iterator[None]:
    process = subprocess.Popen(command)  # noqa: S603 the proxies of the guide
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def check_request(port: int, certificate: Path, server: ServerProcess) -> None:
    """Run the guide's own request by way of the proxy; the server knows the proxy, so it does not warn about its header."""
    (block,) = (block for block in BLOCKS if block.environment == "proxy")
    answer = find_answer(block)
    assert answer
    to_proxy = f"curl {RETRIES} --connect-to {HOST}:443:127.0.0.1:{port} --cacert {certificate} "
    assert json.loads(run_script(block.text.replace("curl ", to_proxy), certificate.parent)) == json.loads(answer.text)
    query = "--data '{\"query\": \"{ __typename }\"}' --header 'content-type: application/json' --header 'authorization: Bearer no'"
    response = run_script(f"{to_proxy} {query} https://{HOST}/graphql", certificate.parent)
    assert json.loads(response)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "is ignored" not in server.output


def test_program_installs_from_a_clone(tmp_path: Path) -> None:
    script = find_block("sh", "install").replace("REPOSITORY", str(ROOT)).replace("/opt/relaties", str(tmp_path / "relaties"))
    run_script(script.replace("make ", f"make PYTHON={sys.executable} "), tmp_path)
    assert "serve" in run_script("relaties/.venv/bin/relaties --help", tmp_path)


def test_server_answers_behind_nginx(server: ServerProcess, certificate: Path) -> None:
    port, folder = find_free_port(), certificate.parent
    config = find_block("nginx", "").replace("listen 443", f"listen 127.0.0.1:{port}").replace(":8000", f":{server.port}")
    config = config.replace("/etc/ssl/relaties/fullchain.pem", str(certificate))
    config = config.replace("/etc/ssl/relaties/privkey.pem", str(folder / "key.pem"))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, config=config))
    with run_proxy("/usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf"):
        check_request(port, certificate, server)


def test_server_answers_behind_caddy(server: ServerProcess, certificate: Path) -> None:
    """With the test's own certificate, since none can be obtained for this name."""
    port, folder = find_free_port(), certificate.parent
    config = find_block("caddy", "").replace(":8000", f":{server.port}")
    config = config.replace(f"{HOST} {{", f"{HOST} {{\n    bind 127.0.0.1\n    tls {certificate} {folder / 'key.pem'}", 1)
    (folder / "Caddyfile").write_text(CADDY.format(port=port, folder=folder, config=config))
    with run_proxy("/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"):
        check_request(port, certificate, server)


async def test_restored_backup_is_the_same(tmp_path: Path) -> None:
    """Back up one PostgreSQL and restore on a new one, both set up as the guides say."""
    with run_cluster(PROGRAMS) as old, run_cluster(PROGRAMS) as new:
        old_settings = await create_roles(old, find_block("sql", "postgresql"))
        run_script(".venv/bin/relaties migrate", ROOT, RELATIES_DATA_DIR=str(tmp_path), **old_settings)
        owner = await asyncpg.connect(old_settings["RELATIES_OWNER_URL"])
        org = await create_sample_org(owner, clients=5)
        snapshot = await read_snapshot(owner, org.id)
        await owner.close()
        run_script(find_block("sh", "backup"), tmp_path, **old_settings)
        new_settings = await create_roles(new, find_block("sql", "restore"))
        script = find_block("sh", "restore").replace(".venv/bin", f"{ROOT}/.venv/bin")
        assert run_script(script, tmp_path, RELATIES_DATA_DIR=str(tmp_path), **new_settings).endswith("No problems found.\n")
        owner = await asyncpg.connect(new_settings["RELATIES_OWNER_URL"])
        assert await read_snapshot(owner, org.id) == snapshot
        await owner.close()


async def create_roles(server_url: str, statements: str) -> dict[str, str]:
    """Run the statements as a superuser, and return the settings with the addresses of both roles."""
    admin = await asyncpg.connect(with_database_name(server_url, "postgres"))
    for statement in statements.strip().split(";\n"):
        await admin.execute(statement)
    await admin.close()
    host = with_database_name(server_url, "relaties").rpartition("@")[2]
    urls = {"RELATIES_OWNER_URL": "relaties_owner:choose-one", "DATABASE_URL": "relaties_server:choose-another"}
    return {name: f"postgresql://{user}@{host}" for name, user in urls.items()}
