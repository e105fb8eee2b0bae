"""Errors that stop a command, with messages for the person who runs it."""

import asyncpg

from db.engine.urls import without_password

CONNECTION_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)  # of an attempt to connect; `TimeoutError` is an `OSError`


class StartupError(Exception):
    """An error that the person who runs the command can fix, with one sentence for each reason."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


def describe_connection_error(setting: str, url: str, error: BaseException) -> str:
    return f"{setting}: cannot connect to {without_password(url)}: {str(error) or type(error).__name__}. Is PostgreSQL running there?"
