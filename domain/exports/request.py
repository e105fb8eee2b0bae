"""The request of an export: which clients, in which order, with which columns, in which format."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from db.queries.clients import ClientFilter, ClientSorting
from domain.core.scope import Permission
from domain.exports.fields import ExportColumn, is_figure

ALL_CLIENTS, BY_NAME = ClientFilter(), ClientSorting()


class ExportFormat(StrEnum):
    XLSX = "XLSX"
    CSV = "CSV"


class Delimiter(StrEnum):
    """The character between the cells of a CSV file."""

    COMMA = "COMMA"
    SEMICOLON = "SEMICOLON"
    TAB = "TAB"


class DecimalSeparator(StrEnum):
    """The decimal sign of the numbers in a CSV file."""

    COMMA = "COMMA"
    POINT = "POINT"


@dataclass(frozen=True)
class ExportRequest:
    """A valid request. Without a delimiter or a decimal separator, a CSV file has those of the organization's locale."""

    format: ExportFormat
    columns: tuple[ExportColumn, ...]
    criteria: ClientFilter = ALL_CLIENTS
    sorting: ClientSorting = BY_NAME
    delimiter: Delimiter | None = None
    decimal_separator: DecimalSeparator | None = None

    @property
    def has_figures(self) -> bool:
        return any(map(is_figure, self.columns))

    @property
    def permissions(self) -> frozenset[Permission]:
        """The permissions that the requester needs, at the start and until the end."""
        figures = {Permission.FINANCE_READ} if self.has_figures else set[Permission]()
        return frozenset({Permission.CLIENTS_EXPORT, *figures})


@cache
def _adapter() -> TypeAdapter[ExportRequest]:
    return TypeAdapter(ExportRequest)


def dump_request(request: ExportRequest) -> dict[str, Any]:
    """Return the request as JSON, for the job that runs it."""
    dump: dict[str, Any] = _adapter().dump_python(request, mode="json", exclude_defaults=True)
    return dump


def load_request(dump: Mapping[str, Any]) -> ExportRequest:
    return _adapter().validate_python(dump, strict=False)


def decimal_separator_of(locale: str) -> DecimalSeparator:
    """Return the decimal sign that a locale uses with Latin digits."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 it would take time at the start of the server, which does not need it

    try:
        sign = Locale.parse(locale, sep="-").number_symbols["latn"]["decimal"]
    except (UnknownLocaleError, ValueError, KeyError):  # a language that the CLDR has no numbers of
        return DecimalSeparator.POINT
    return DecimalSeparator.COMMA if sign == "," else DecimalSeparator.POINT


def delimiter_of(locale: str) -> Delimiter:
    """Return the delimiter that spreadsheets of a locale expect: a semicolon where the comma is the decimal sign."""
    return Delimiter.SEMICOLON if decimal_separator_of(locale) is DecimalSeparator.COMMA else Delimiter.COMMA
