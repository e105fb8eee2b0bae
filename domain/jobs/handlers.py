"""The two ways in which a kind of job does its work: in chunks, each with a transaction of its own, or in one run over one snapshot."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from db.tables import JobFailureCode
from domain.core.scope import Permission, Scope, WriteScope

JobInput: TypeAlias = Mapping[str, Any]
ReportProgress: TypeAlias = Callable[[int, int], Awaitable[None]]
"""Called with the number of entries that are done, and of all. It raises to end the run."""


@dataclass(frozen=True)
class Chunk:
    """The result of a chunk: the number of entries, where the next chunk starts (None after the last one), and warnings for the user."""

    count: int
    cursor: str | None
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class JobHandler:
    """The work of a kind of job that runs in chunks.

    `operation` starts it, `count` returns the number of its entries, and `run` processes a chunk of them from a cursor on.
    """

    operation: str
    permission: Permission
    count: Callable[[WriteScope], Awaitable[int]]
    run: Callable[[WriteScope, JobInput, str | None], Awaitable[Chunk]]

    def permissions(self, _input: JobInput) -> frozenset[Permission]:
        return frozenset({self.permission})


@dataclass(frozen=True)
class Run:
    """A run of a job: the snapshot that it reads, its folder for local files, and the function that reports its progress."""

    job_id: UUID
    input: JobInput
    scope: Scope
    folder: Path
    report: ReportProgress


@dataclass(frozen=True)
class RunResult:
    """The result of a run. `store` writes it in the unit of work that also ends the job."""

    count: int
    warnings: Sequence[str]
    store: Callable[[WriteScope], Awaitable[None]]


@dataclass(frozen=True)
class RunHandler:
    """The work of a kind of job that runs without interruption over one snapshot. It changes nothing before its end.

    `operation` starts it. `permissions` are those that an input needs. `requested_columns` are the columns that the run reads.
    """

    operation: str
    permissions: Callable[[JobInput], frozenset[Permission]]
    requested_columns: Callable[[JobInput], frozenset[str] | None]
    run: Callable[[Run], Awaitable[RunResult]]


Handler: TypeAlias = JobHandler | RunHandler


class JobFailedError(Exception):
    """The job cannot succeed, however often it is tried."""

    def __init__(self, code: JobFailureCode) -> None:
        super().__init__(code)
        self.code = code


class ClaimLostError(Exception):
    """The job was cancelled, or another worker claimed it, while the chunk or the run was in progress."""


class RunStoppedError(Exception):
    """The worker stops, so another one must start the run again."""
