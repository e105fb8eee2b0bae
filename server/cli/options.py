"""Options, settings and error output that all commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from server.observability.escaping import escape
from server.settings import Settings, read_settings

DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where data is kept. Instead of RELATIES_DATA_DIR.")]


def load_settings(data_dir: Path | None, **options: object) -> Settings:
    """Load the settings of the environment, overridden by command-line options."""
    overrides = {"data_dir": data_dir.absolute() if data_dir else None, **options}
    return read_settings().model_copy(update={name: value for name, value in overrides.items() if value is not None})


class CommandGroup(TyperGroup):
    """Commands whose refusals of an argument quote it escaped."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 typer's own
        return _call_escaping_refusals(super().make_context, *args, **kwargs)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 typer's own
        return _call_escaping_refusals(super().invoke, ctx)


def _call_escaping_refusals(call: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 typer's own
    try:
        return call(*args, **kwargs)
    except Exception as error:
        # The base class of typer's refusals is not public; its message is what is printed.
        if isinstance(message := getattr(error, "message", None), str):
            error.message = escape(message)  # type: ignore[attr-defined]
        raise
