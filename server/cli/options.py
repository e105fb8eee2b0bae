"""Options and settings that all commands share."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop

from server.settings import Settings, read_settings

T = TypeVar("T")
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where data is kept. Instead of RELATIES_DATA_DIR.")]


def load_settings(data_dir: Path | None, **options: object) -> Settings:
    """Load the settings of the environment, overridden by command-line options."""
    overrides = {"data_dir": data_dir.absolute() if data_dir else None, **options}
    return read_settings().model_copy(update={name: value for name, value in overrides.items() if value is not None})


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)
