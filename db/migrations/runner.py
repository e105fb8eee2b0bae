"""Run Alembic. Import this module only if a migration has to run: importing Alembic takes time, and most starts run none."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def make_config() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    return settings


def upgrade(connection: Connection, revision: str) -> None:
    command.upgrade(_config_for(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    command.downgrade(_config_for(connection), revision)


def _config_for(connection: Connection) -> Config:
    settings = make_config()
    settings.attributes["connection"] = connection
    return settings
