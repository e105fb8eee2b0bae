"""Validate the form of a registration: time, an expense or a trip, each with its own fields."""

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
    """The submitted form; absent values were left out. `work` has the fields of the kind; `labels` replaces all labels."""

    general: Values = field(default_factory=dict)
    links: Links = field(default_factory=dict)
    labels: Sequence[UUID] | None = None
    kind: RegistrationKind | None = None
    work: Values = field(default_factory=dict)

    @property
    def work_path(self) -> list[str]:
        """The path of the work in the input."""
        return ["work", self.kind.lower()] if self.kind else []


def validate_work(form: RegistrationForm) -> dict[str, Any]:
    """Return the validated work of a new registration, with the explicit rate if there is one."""
    errors, values = ErrorCollector(), dict[str, Any]()
    if form.kind is None:
        raise RuleViolation(InvalidInput(["work"], "Say what it is: `time`, `expense` or `mileage`."))
    for fields in (FIELDS[form.kind], RateFields):
        with errors.collect():
            values |= validate(fields, form.work, path=form.work_path).model_dump()
    errors.raise_collected()
    return _fill_minutes(values, form) if form.kind is RegistrationKind.TIME else values


def validate_changes(row: Registration, form: RegistrationForm) -> dict[str, Any]:
    """Return the validated changes. Another start or end recomputes the minutes, unless they are supplied."""
    kind, errors, new_values = RegistrationKind(row.kind), ErrorCollector(), dict[str, Any]()
    if form.kind is not None and form.kind is not kind:
        raise RuleViolation(
            InvalidInput(form.work_path, f"This registration is of {kind.lower()}, and stays so. Change its `{kind.lower()}`.")
        )
    current = field_values(row, FIELDS[kind])
    for fields, current_values in ((FIELDS[kind], current), (RateFields, {"rate": row.unit_rate})):
        with errors.collect():
            new_values |= validate_patch(fields, current_values, form.work, path=form.work_path)
    errors.raise_collected()
    if kind is not RegistrationKind.TIME or not form.work:
        return new_values
    final_values = {**current, **new_values}
    is_moved = (final_values["started_at"], final_values["ended_at"]) != (current["started_at"], current["ended_at"])
    if is_moved and final_values["started_at"] and final_values["ended_at"] and "minutes" not in new_values:
        final_values["minutes"] = None
    return {**new_values, "minutes": _fill_minutes(final_values, form)["minutes"]}


def _fill_minutes(values: dict[str, Any], form: RegistrationForm) -> dict[str, Any]:
    """Fill in the minutes: the supplied ones, or whole minutes from start to end."""
    start, end, minutes = values["started_at"], values["ended_at"], values["minutes"]
    if start and end:
        duration = (end - start) // MINUTE
        if end <= start:
            raise RuleViolation(
                InvalidInput([*form.work_path, _end_field(form)], "It ends when it begins or before. `endedAt` is after `startedAt`.")
            )
        if minutes is None and not 1 <= duration <= MAX_MINUTES:
            message = f"From start to end there are {duration} minutes. A registration has 1 to {MAX_MINUTES}; longer work is one a day."
            raise RuleViolation(InvalidInput([*form.work_path, _end_field(form)], message))
        if minutes is not None and minutes > duration:
            name = "minutes" if "minutes" in form.work else _end_field(form)
            raise RuleViolation(
                InvalidInput([*form.work_path, name], f"From start to end there are {duration} minutes. `minutes` is at most that.")
            )
        minutes = duration if minutes is None else minutes
    if minutes is None:
        raise RuleViolation(InvalidInput([*form.work_path, "minutes"], "Give `minutes`, or both `startedAt` and `endedAt`."))
    return {**values, "minutes": minutes}


def _end_field(form: RegistrationForm) -> str:
    """Return the supplied one of end and start."""
    return "endedAt" if form.work.get("ended_at") or not form.work.get("started_at") else "startedAt"
