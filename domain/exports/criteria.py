"""Validate the filter and the search of an export, so that it has exactly the clients that `clients` shows for them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from db.queries.clients import ClientFilter
from db.tables import Label
from domain.clients.reads import LOOKUP_FIELDS, MAX_FILTER_LABELS
from domain.core.errors import BadInput, ErrorCollector, InvalidInput, RuleViolation, TooMany
from domain.core.locking import lock_references
from domain.core.lookups import normalize_lookup, normalize_search
from domain.core.scope import WriteScope

LABEL_LISTS = {"labels_any": "any", "labels_all": "all", "labels_none": "none"}


async def validate_criteria(scope: WriteScope, criteria: ClientFilter) -> ClientFilter:
    """Return the normalized criteria. Raises `RuleViolation` for texts that no client can match, and for labels that do not exist."""
    errors, texts = ErrorCollector(), dict[str, Any]()
    with errors.collect():
        texts["search"] = _normalize(lambda: normalize_search(criteria.search), ["search"])
    for name, fields in LOOKUP_FIELDS.items():
        text = getattr(criteria, name)
        if text is not None:
            with errors.collect():
                argument = to_camel(name)
                texts[name] = _normalize(lambda: normalize_lookup(fields, name, text, argument), ["filter", argument])  # noqa: B023 called at once
    with errors.collect():
        await _check_labels(scope, criteria)
    errors.raise_collected()
    texts |= {name: tuple(dict.fromkeys(ids)) for name in LABEL_LISTS if (ids := getattr(criteria, name)) is not None}
    return replace(criteria, **texts)


def _normalize(normalize: Callable[[], str | None], path: list[str]) -> str | None:
    try:
        return normalize()
    except BadInput as error:
        raise RuleViolation(InvalidInput(path, str(error))) from error


async def _check_labels(scope: WriteScope, criteria: ClientFilter) -> None:
    errors = ErrorCollector()
    for name, argument in LABEL_LISTS.items():
        ids: tuple[UUID, ...] = getattr(criteria, name) or ()
        path = ["filter", "labels", argument]
        with errors.collect():
            if len(ids) > MAX_FILTER_LABELS:
                message = f"`{argument}` must have at most {MAX_FILTER_LABELS} entries. Pass fewer entries."
                raise RuleViolation(TooMany(path, message))
            await lock_references(scope, Label, {key: [*path, str(index)] for index, key in enumerate(ids) if ids.index(key) == index})
    errors.raise_collected()
