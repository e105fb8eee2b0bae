"""Shared parts of all commands: options, settings and escaped error messages."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from server.observability.escaping import escape
from server.settings import Settings, read_settings

DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Folder for data. Overrides RELATIES_DATA_DIR.")]


def load_settings(data_dir: Path | None, **options: object) -> Settings:
    """Load the settings from the environment, and override them by command-line options."""
    overrides = {"data_dir": data_dir.absolute() if data_dir else None, **options}
    return read_settings().model_copy(update={name: value for name, value in overrides.items() if value is not None})


class CommandGroup(TyperGroup):
    """Command group that escapes the arguments quoted in its error messages."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 typer's own
        return _call_with_escaped_errors(super().make_context, *args, **kwargs)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 typer's own
        return _call_with_escaped_errors(super().invoke, ctx)


def _call_with_escaped_errors(call: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 typer's own
    try:
        return call(*args, **kwargs)
    except Exception as error:
        # The base class of typer's errors is not public. `message` is the text that typer prints.
        if isinstance(message := getattr(error, "message", None), str):
            error.message = escape(message)  # type: ignore[attr-defined]
        raise
