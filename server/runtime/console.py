"""Everything that a command prints goes through here, and nothing of it is markup or a control sequence but what is written here.

Names, arguments, settings and messages of exceptions come from others: a name of an organization may hold an escape sequence, a line break
or the markup of the library that prints it. They are text here, with what a terminal would act on shown as an escape.
"""

import logging
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from server.observability.escaping import escape, escape_lines

MIN_TABLE_WIDTH = 150  # of a table that is read by another program, which has no width of its own
error_console = Console(stderr=True, soft_wrap=True, markup=False, emoji=False, highlight=False)


def print_lines(*lines: str) -> None:
    """Print the output of a command, each text on a line of its own."""
    sys.stdout.write("".join(f"{escape(line)}\n" for line in lines))
    sys.stdout.flush()


def print_text(text: str) -> None:
    """Print a text of several lines."""
    sys.stdout.write(escape_lines(text) + "\n")
    sys.stdout.flush()


def print_status(text: str) -> None:
    """Print progress to the standard error, so that what a command prints can be used by another."""
    error_console.print(Text(escape(text)), style="dim")


def print_errors(*reasons: str) -> None:
    """Print each reason on a line of its own, to the standard error."""
    for reason in reasons:
        error_console.print(Text(escape(reason)), style="red")


def print_error_text(text: str) -> None:
    """Print a text of several lines, such as a traceback, to the standard error."""
    error_console.print(Text(escape_lines(text)))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(escape(cell)) for cell in row))
    Console(width=max(Console().width, MIN_TABLE_WIDTH), markup=False, emoji=False, highlight=False).print(table)


class _Description(ProgressColumn):
    """The description of a task, of the same width for all; rich's own column takes it for markup."""

    def render(self, task: Task) -> Text:
        return Text(f"{escape(task.description):32}")


def progress_bar(console: Console | None = None) -> Progress:
    """Return a progress bar; on a console of its own it leaves nothing behind."""
    return Progress(_Description(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=console is not None)


class _EscapingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return escape_lines(super().format(record))


def stderr_log_handler() -> logging.Handler:
    """Return what prints warnings of libraries where nothing else takes them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_EscapingFormatter())
    return handler
