"""What all commands share: where data is kept, how they speak and how they run."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from server.settings import Settings, settings

T = TypeVar("T")
err = Console(stderr=True, highlight=False, soft_wrap=True)
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where data is kept. Instead of RELATIES_DATA_DIR.")]


def chosen(data_dir: Path | None, **given: object) -> Settings:
    """The environment's settings, less what was given on the command line."""
    wanted = {"data_dir": data_dir.absolute() if data_dir else None, **given}
    return settings().model_copy(update={name: value for name, value in wanted.items() if value is not None})


def say(what: str) -> None:
    """Progress goes to the standard error, so that what a command prints can be used by another."""
    err.print(what, style="dim")


def bar(console: Console | None = None) -> Progress:
    """How far something is; on a console of its own it leaves nothing behind."""
    columns = TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console, transient=console is not None)


def run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
