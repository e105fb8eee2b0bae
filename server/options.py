"""What all commands share: where data is kept and how they run."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop

from server.settings import Settings, settings

T = TypeVar("T")
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where data is kept. Instead of RELATIES_DATA_DIR.")]


def chosen(data_dir: Path | None, **given: object) -> Settings:
    """The environment's settings, less what was given on the command line."""
    wanted = {"data_dir": data_dir.absolute() if data_dir else None, **given}
    return settings().model_copy(update={name: value for name, value in wanted.items() if value is not None})


def run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
