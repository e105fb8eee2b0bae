"""Describe the settings: their environment variables, values, defaults and defaults in production."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, get_args

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from server.settings import Environment, Settings
from tests.docs.tables import format_table

# The heading before the setting with which a group begins.
HEADINGS = {
    "database_url": "Database",
    "data_dir": "Data directory, keys and environment",
    "host": "Address and processes",
    "log_format": "Log and metrics",
    "job_workers": "Background jobs and their files",
    "shutdown_delay": "Shutdown",
    "read_pool_size": "Connections to PostgreSQL and time limits",
    "max_body_bytes": "Requests and connections",
    "max_characters": "Size of documents",
    "max_cost": "Cost and size of operations",
    "rate_limit_restore": "Rate limits and concurrency",
    "compiled_executor": "Execution and documents",
}
# Settings whose default depends on others, with the value that applies then.
EFFECTIVE_VALUES: dict[str, Callable[[Settings], object]] = {
    "graphiql": lambda settings: settings.has_graphiql,
    "introspection": lambda settings: settings.has_introspection,
    "log_format": lambda settings: settings.effective_log_format,
    "shutdown_delay": lambda settings: settings.effective_shutdown_delay,
    "get_requests": lambda settings: settings.get_policy,
    "max_connections_per_address": lambda settings: settings.connections_per_address,
}
# Defaults that depend on the machine, and a setting that production requires.
OTHER_DEFAULTS = {"data_dir": "`~/.local/share/relaties`; for root `/var/lib/relaties`"}
IN_PRODUCTION = {"secret_key": "required"}


def describe_settings() -> str:
    """Return a table for each group of settings, in the order of the class."""
    parts, rows = list[str](), list[tuple[str, ...]]()
    for name, field in reversed(Settings.model_fields.items()):
        rows.insert(0, _describe_setting(name, field))
        if name in HEADINGS:
            parts[:0] = [f"## {HEADINGS[name]}", format_table(("variable", "values", "default", "in production", "description"), rows)]
            rows = []
    return "\n\n".join(parts)


def _describe_setting(name: str, field: FieldInfo) -> tuple[str, ...]:
    default, in_production = (_format_default(name, field, environment) for environment in Environment)
    in_production = IN_PRODUCTION.get(name, "" if in_production == default else in_production)
    return f"`{Settings.variable(name)}`", ", ".join(_list_values(field)), default, in_production, field.description or ""


def _format_default(name: str, field: FieldInfo, environment: Environment) -> str:
    if name in OTHER_DEFAULTS:
        return OTHER_DEFAULTS[name]
    settings = Settings.model_construct(env=environment)
    value = EFFECTIVE_VALUES[name](settings) if name in EFFECTIVE_VALUES else field.default
    return "none" if value is None else f"`{_format_value(value)}`"


def _format_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:.10g}" if isinstance(value, int | float) else str(value)


def _list_values(field: FieldInfo) -> Iterator[str]:
    """Yield the allowed values: those of a closed set, or the bounds of a number."""
    kinds: tuple[Any, ...] = tuple(kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None))
    kind = kinds[0]
    if kind is bool:
        yield "`true`, `false`"
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        yield ", ".join(f"`{value}`" for value in kind)
    elif kind in {int, float}:
        yield " ".join(["whole number" if kind is int else "number", *filter(None, map(_format_bound, field.metadata))])


def _format_bound(limit: object) -> str:
    match limit:
        case Ge(ge=least):
            return f"from {least}"
        case Gt(gt=below):
            return f"above {below}"
        case Le(le=most):
            return f"to {most}"
    return ""
