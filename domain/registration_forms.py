"""What was filled in of a registration: time, an expense or a trip, each with fields of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from db.tables import ExpenseFields, MileageFields, RateFields, Registration, RegistrationKind, TimeFields
from domain.changes import filled
from domain.checks import checked, checked_patch
from domain.errors import Faults, InvalidInput, Refused
from domain.registration_places import Links

Values = Mapping[str, object]
FIELDS: dict[RegistrationKind, type[BaseModel]] = {
    RegistrationKind.TIME: TimeFields,
    RegistrationKind.EXPENSE: ExpenseFields,
    RegistrationKind.MILEAGE: MileageFields,
}
MOST_MINUTES = 1440
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Form:
    """What was given: what is not there was left out. `work` is that of the kind; labels are all of them from now on."""

    general: Values = field(default_factory=dict)
    links: Links = field(default_factory=dict)
    labels: Sequence[UUID] | None = None
    kind: RegistrationKind | None = None
    work: Values = field(default_factory=dict)

    @property
    def at(self) -> list[str]:
        """Where in the input the work is."""
        return ["work", self.kind.lower()] if self.kind else []


def checked_work(form: Form) -> dict[str, Any]:
    """The work of a new registration as it is stored, and the rate that was given for it, if any."""
    faults, values = Faults(), dict[str, Any]()
    if form.kind is None:
        raise Refused(InvalidInput(["work"], "Say what it is: `time`, `expense` or `mileage`."))
    for fields in (FIELDS[form.kind], RateFields):
        with faults.part():
            values |= checked(fields, form.work, at=form.at).model_dump()
    faults.refuse()
    return _timed(values, form) if form.kind is RegistrationKind.TIME else values


def checked_changes(row: Registration, form: Form) -> dict[str, Any]:
    """The same of a change. What begins or ends at another moment takes as long as that, unless its minutes are given."""
    kind, faults, wanted = RegistrationKind(row.kind), Faults(), dict[str, Any]()
    if form.kind is not None and form.kind is not kind:
        raise Refused(InvalidInput(form.at, f"This registration is of {kind.lower()}, and stays so. Change its `{kind.lower()}`."))
    current = filled(row, FIELDS[kind])
    for fields, before in ((FIELDS[kind], current), (RateFields, {"rate": row.unit_rate})):
        with faults.part():
            wanted |= checked_patch(fields, before, form.work, at=form.at)
    faults.refuse()
    if kind is not RegistrationKind.TIME or not form.work:
        return wanted
    after = {**current, **wanted}
    is_moved = (after["started_at"], after["ended_at"]) != (current["started_at"], current["ended_at"])
    if is_moved and after["started_at"] and after["ended_at"] and "minutes" not in wanted:
        after["minutes"] = None
    return {**wanted, "minutes": _timed(after, form)["minutes"]}


def _timed(values: dict[str, Any], form: Form) -> dict[str, Any]:
    """With its minutes: those given, or whole ones from start to end."""
    start, end, minutes = values["started_at"], values["ended_at"], values["minutes"]
    if start and end:
        span = (end - start) // MINUTE
        if end <= start:
            raise Refused(InvalidInput([*form.at, _last(form)], "It ends when it begins or before. `endedAt` is after `startedAt`."))
        if minutes is None and not 1 <= span <= MOST_MINUTES:
            message = f"From start to end there are {span} minutes. A registration has 1 to {MOST_MINUTES}; longer work is one a day."
            raise Refused(InvalidInput([*form.at, _last(form)], message))
        if minutes is not None and minutes > span:
            name = "minutes" if "minutes" in form.work else _last(form)
            raise Refused(InvalidInput([*form.at, name], f"From start to end there are {span} minutes. `minutes` is at most that."))
        minutes = span if minutes is None else minutes
    if minutes is None:
        raise Refused(InvalidInput([*form.at, "minutes"], "Give `minutes`, or both `startedAt` and `endedAt`."))
    return {**values, "minutes": minutes}


def _last(form: Form) -> str:
    """Of start and end the one that was given."""
    return "endedAt" if form.work.get("ended_at") or not form.work.get("started_at") else "startedAt"
