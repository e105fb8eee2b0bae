"""The metrics of the event loop's delay, and the port that serves metrics."""

import asyncio

import httpx
import pytest
import strawberry

from server.observability.event_loop_lag import EventLoopLag
from server.observability.metrics import Metrics, serve_metrics
from server.startup_errors import StartupError
from tests.support.databases import runtime_url
from tests.support.processes import find_free_port, run_relaties, run_server


async def test_lag_is_the_delay_of_the_wake_up() -> None:
    """A pending wake-up counts. A delay of more than a minute ago does not."""
    now, reported = [0.0], list[float]()
    lag = EventLoopLag(reported.append, lambda: now[0])
    assert lag.max_seconds() == 0
    watching = asyncio.create_task(lag.watch())
    await asyncio.sleep(0)  # now it waits for a quarter of a second
    now[0] = 2.25
    assert lag.max_seconds() == 2
    watching.cancel()
    lag.record_wakeup()
    assert reported == [2]
    now[0] = 62.24
    lag.record_wakeup()
    now[0] = 62.26
    lag.record_wakeup()
    assert reported == [2, 61.99, 62.01]
    assert lag.max_seconds() == 62.01
    now[0] = 200
    lag.record_wakeup()
    assert lag.max_seconds() == 199.75


def test_metrics_are_served_on_their_own_port(demo_url: str) -> None:
    """They are not served on the public port."""
    port = find_free_port()
    with run_server("--no-demo", DATABASE_URL=runtime_url(demo_url), RELATIES_METRICS_PORT=str(port)) as server:
        response = httpx.get(f"http://127.0.0.1:{port}/metrics")
        assert httpx.get(f"{server.address}/metrics").status_code == 404
    metric_names = {line.partition(" ")[0].partition("{")[0] for line in response.text.splitlines() if not line.startswith("#")}
    assert {
        "relaties_read_connections_in_use",
        "relaties_event_loop_lag_max_seconds",
        "relaties_event_loop_lag_seconds_count",
    } <= metric_names
    assert {"relaties_build_info", "process_resident_memory_bytes"} <= metric_names
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")


def test_metrics_port_in_use_is_reported_at_startup(demo_url: str) -> None:
    """The report is one line."""
    port = str(find_free_port())
    settings = {"DATABASE_URL": runtime_url(demo_url), "RELATIES_METRICS_PORT": port}
    with run_server("--no-demo", **settings):
        result = run_relaties("serve", "--no-demo", "--port", str(find_free_port()), **settings)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(f"Cannot serve metrics on 127.0.0.1:{port}: ")


def test_metrics_address_of_another_machine_is_rejected(schema: strawberry.Schema) -> None:
    """It is reported in the same way as a port in use."""
    with (
        pytest.raises(StartupError, match=r"Cannot serve metrics on 192\.0\.2\.1:"),
        serve_metrics(Metrics(schema._schema).registry, "192.0.2.1", 9100),  # noqa: SLF001
    ):
        pass
