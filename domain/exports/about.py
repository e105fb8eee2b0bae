"""Describe an export in words, for the second sheet of its file."""

from collections.abc import Iterator
from datetime import datetime

from db.engine.protocols import Transaction
from db.queries import labels
from db.queries.clients import ClientFilter
from db.rows import OrganizationRow
from domain.exports.columns import quote_label
from domain.exports.request import ExportRequest

STATUSES = {None: "Active and archived clients", True: "Archived clients", False: "Active clients"}
LABEL_FILTERS = {"labels_any": "With any of the labels", "labels_all": "With all of the labels", "labels_none": "With none of the labels"}
DESCRIPTION_COLUMNS = frozenset({"LabelRow.name"})
"""The columns that the statements for a description must select."""
DIRECTIONS = {True: "ascending", False: "descending"}


async def describe_export(
    tx: Transaction, organization: OrganizationRow, request: ExportRequest, exported_at: datetime, count: int
) -> list[tuple[str, str]]:
    """Return the lines of the description, each a name and a text."""
    criteria, sorting = request.criteria, request.sorting
    return [
        ("Organization", organization.name),
        ("Exported at", f"{exported_at:%Y-%m-%d %H:%M:%S} ({organization.timezone}, as all times in this file)"),
        ("Number of clients", str(count)),
        ("Search", criteria.search or "None"),
        ("Filter", STATUSES[criteria.is_archived]),
        *await _describe_labels(tx, criteria),
        *_describe_values(criteria),
        ("Order", f"{sorting.field.lower().replace('_', ' ').capitalize()}, {DIRECTIONS[sorting.is_ascending]}"),
    ]


async def _describe_labels(tx: Transaction, criteria: ClientFilter) -> list[tuple[str, str]]:
    lines = list[tuple[str, str]]()
    for name, text in LABEL_FILTERS.items():
        ids = getattr(criteria, name)
        if ids is not None:
            rows = await labels.by_id(tx, ids)
            lines.append((text, ", ".join(quote_label(row.name) if row else "(deleted)" for row in rows) or "None given"))
    return lines


def _describe_values(criteria: ClientFilter) -> Iterator[tuple[str, str]]:
    if criteria.has_invoice_contact is not None:
        yield "Invoice contact", "With one" if criteria.has_invoice_contact else "Without one"
    for name, value in (("Country", criteria.country), ("KVK number", criteria.kvk_number), ("VAT number", criteria.vat_number)):
        if value is not None:
            yield name, value
    if criteria.updated_since is not None:
        yield "Changed since", criteria.updated_since.isoformat(timespec="seconds")
