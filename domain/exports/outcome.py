"""The outcome of writing an export to a local file."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ReportProgress: TypeAlias = Callable[[int, int], Awaitable[None]]
"""Called after each part with the number of clients that are written, and of all. It raises to end the export."""


class LocalStorageError(Exception):
    """The local file cannot be written, for example because the disk is full."""


class TooManyRowsError(Exception):
    """More clients match than a sheet has rows."""


@dataclass(frozen=True)
class WrittenExport:
    """A finished local file, the name to show to users, and what could not be written as it is."""

    path: Path
    name: str
    media_type: str
    count: int
    warnings: Sequence[str]
