"""Alembic, which takes the steps from one revision to another. Imported where there is one to take: most starts take none."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def up(connection: Connection, to: str) -> None:
    command.upgrade(_on(connection), to)


def down(connection: Connection, to: str) -> None:
    command.downgrade(_on(connection), to)


def _on(connection: Connection) -> Config:
    made = config()
    made.attributes["connection"] = connection
    return made
