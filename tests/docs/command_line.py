"""Describe the commands of `relaties` as their `--help` does."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from server.cli.main import cli
from tests.docs.tables import format_table

NAME = "relaties"


def describe_commands() -> str:
    return "\n\n".join(_describe_group(get_command(cli), NAME))


def _describe_group(group: Any, path: str) -> Iterator[str]:  # noqa: ANN401 typer's own
    for name, command in group.commands.items():
        full_name = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from _describe_group(command, full_name)
        else:
            yield from _describe_command(command, full_name)


def _describe_command(command: Any, name: str) -> Iterator[str]:  # noqa: ANN401 typer's own
    yield f"## `{name}`"
    yield " ".join(command.help.split())
    context = command.make_context(name, [], resilient_parsing=True)
    records = filter(None, (parameter.get_help_record(context) for parameter in command.get_params(context)))
    if rows := [(f"`{names}`", " ".join(text.split())) for names, text in records if names != "--help"]:
        yield format_table(("argument or option", "meaning"), rows)
