"""Validate the form of a registration: time, an expense or mileage, each with its own fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from db.tables import ExpenseFields, MileageFields, RateFields, Registration, RegistrationKind, TimeFields
from domain.core.errors import ErrorCollector, InvalidInput, RuleViolation
from domain.core.locking import field_values
from domain.core.validation import validate, validate_patch
from domain.registrations.targets import Links

Values = Mapping[str, object]
FIELDS: dict[RegistrationKind, type[BaseModel]] = {
    RegistrationKind.TIME: TimeFields,
    RegistrationKind.EXPENSE: ExpenseFields,
    RegistrationKind.MILEAGE: MileageFields,
}
MAX_MINUTES = 1440
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class RegistrationForm:
    """A submitted form. Absent values do not change. `work` has the fields of `kind`, and `labels` replaces all labels."""

    general: Values = field(default_factory=dict)
    links: Links = field(default_factory=dict)
    labels: Sequence[UUID] | None = None
    kind: RegistrationKind | None = None
    work: Values = field(default_factory=dict)

    @property
    def work_path(self) -> list[str]:
        """The path of `work` in the input."""
        return ["work", self.kind.lower()] if self.kind else []


def validate_work(form: RegistrationForm) -> dict[str, Any]:
    """Return the validated work of a new registration, including the supplied rate. Raises `RuleViolation` with every error."""
    errors, values = ErrorCollector(), dict[str, Any]()
    if form.kind is None:
        raise RuleViolation(InvalidInput(["work"], "`work` is required. Pass `time`, `expense` or `mileage` in it."))
    for fields in (FIELDS[form.kind], RateFields):
        with errors.collect():
            values |= validate(fields, form.work, path=form.work_path).model_dump()
    errors.raise_collected()
    return _fill_minutes(values, form) if form.kind is RegistrationKind.TIME else values


def validate_changes(row: Registration, form: RegistrationForm) -> dict[str, Any]:
    """Return the validated changes. A new start or end recomputes the minutes unless they are supplied."""
    kind, errors, new_values = RegistrationKind(row.kind), ErrorCollector(), dict[str, Any]()
    if form.kind is not None and form.kind is not kind:
        message = f"The kind of a registration cannot change. Pass the changes of this one in `{kind.lower()}`."
        raise RuleViolation(InvalidInput(form.work_path, message))
    current = field_values(row, FIELDS[kind])
    for fields, current_values in ((FIELDS[kind], current), (RateFields, {"rate": row.unit_rate})):
        with errors.collect():
            new_values |= validate_patch(fields, current_values, form.work, path=form.work_path)
    errors.raise_collected()
    if kind is not RegistrationKind.TIME or not form.work:
        return new_values
    final_values = {**current, **new_values}
    has_new_times = (final_values["started_at"], final_values["ended_at"]) != (current["started_at"], current["ended_at"])
    if has_new_times and final_values["started_at"] and final_values["ended_at"] and "minutes" not in new_values:
        final_values["minutes"] = None
    return {**new_values, "minutes": _fill_minutes(final_values, form)["minutes"]}


def _fill_minutes(values: dict[str, Any], form: RegistrationForm) -> dict[str, Any]:
    """Return the values with `minutes`: the supplied number, or the whole minutes from start to end.

    The supplied number can be lower than the minutes from start to end, but not higher.
    """
    start, end, minutes = values["started_at"], values["ended_at"], values["minutes"]
    if start and end:
        duration = (end - start) // MINUTE
        if end <= start:
            raise RuleViolation(InvalidInput([*form.work_path, _end_field(form)], "`endedAt` must be after `startedAt`."))
        if minutes is None and not 1 <= duration <= MAX_MINUTES:
            message = f"A registration has 1 to {MAX_MINUTES} minutes; these times span {duration}. Split longer work by day."
            raise RuleViolation(InvalidInput([*form.work_path, _end_field(form)], message))
        if minutes is not None and minutes > duration:
            name = "minutes" if "minutes" in form.work else _end_field(form)
            message = f"`minutes` must be at most {duration}, the time from `startedAt` to `endedAt`."
            raise RuleViolation(InvalidInput([*form.work_path, name], message))
        minutes = duration if minutes is None else minutes
    if minutes is None:
        raise RuleViolation(InvalidInput([*form.work_path, "minutes"], "`minutes` is required unless `startedAt` and `endedAt` are set."))
    return {**values, "minutes": minutes}


def _end_field(form: RegistrationForm) -> str:
    """Return the field to report if start and end do not fit: the end, unless only the start was supplied."""
    return "endedAt" if form.work.get("ended_at") or not form.work.get("started_at") else "startedAt"
