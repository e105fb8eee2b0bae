"""The way in: what `relaties` runs."""

from server.imports import resting


def main() -> None:
    with resting():
        from server.cli import main as command  # noqa: PLC0415 what is read takes an eighth longer when the collector looks on
    command()
