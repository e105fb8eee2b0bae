"""Print the output of commands, with markup and control sequences escaped.

Names, arguments, settings and messages of exceptions come from others. The name of an organization may contain an escape sequence, a line
break or markup of `rich`. All are printed as text, and characters that a terminal would act on are shown as escapes.
"""

import logging
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from server.observability.escaping import escape, escape_lines

MIN_TABLE_WIDTH = 150  # characters; a pipe to another program has no width of its own
error_console = Console(stderr=True, soft_wrap=True, markup=False, emoji=False, highlight=False)


def print_lines(*lines: str) -> None:
    """Print the output of a command, each text on its own line."""
    sys.stdout.write("".join(f"{escape(line)}\n" for line in lines))
    sys.stdout.flush()


def print_text(text: str) -> None:
    """Print a text that may have several lines."""
    sys.stdout.write(escape_lines(text) + "\n")
    sys.stdout.flush()


def print_status(text: str) -> None:
    """Print progress to standard error, so that other programs can use the standard output."""
    error_console.print(Text(escape(text)), style="dim")


def print_errors(*reasons: str) -> None:
    """Print each reason on its own line to standard error."""
    for reason in reasons:
        error_console.print(Text(escape(reason)), style="red")


def print_error_text(text: str) -> None:
    """Print a text of several lines, such as a traceback, to standard error."""
    error_console.print(Text(escape_lines(text)))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(escape(cell)) for cell in row))
    Console(width=max(Console().width, MIN_TABLE_WIDTH), markup=False, emoji=False, highlight=False).print(table)


class _Description(ProgressColumn):
    """Column with the description of a task in a fixed width. The column of `rich` would parse it as markup."""

    def render(self, task: Task) -> Text:
        return Text(f"{escape(task.description):32}")


def progress_bar(console: Console | None = None) -> Progress:
    """Return a progress bar. With a console, the bar disappears at the end."""
    return Progress(_Description(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=console is not None)


class _EscapingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return escape_lines(super().format(record))


def stderr_log_handler() -> logging.Handler:
    """Return a handler that prints warnings of libraries before logging is configured."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_EscapingFormatter())
    return handler
