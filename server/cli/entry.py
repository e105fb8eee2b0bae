"""Entry point of the command `relaties`."""

from server.runtime.startup import gc_paused


def main() -> None:
    with gc_paused():
        from server.cli.main import main as command  # noqa: PLC0415 the import takes an eighth longer with the garbage collector
    command()
