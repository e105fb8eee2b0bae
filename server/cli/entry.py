"""Entry point of the command `relaties`."""

from server.runtime.startup import gc_paused


def main() -> None:
    with gc_paused():
        from server.cli.main import main as command  # noqa: PLC0415 what is read takes an eighth longer when the collector looks on
    command()
