"""Represent periods of days."""

from dataclasses import dataclass
from datetime import date

from domain.core.errors import BadInput


@dataclass(frozen=True)
class Period:
    """A closed interval of days; without a start or an end it is open on that side."""

    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise BadInput(f"`since` ({self.since}) is after `until` ({self.until}). Choose an earlier `since` or a later `until`.")

    @property
    def start(self) -> date:
        return self.since or date.min

    @property
    def end(self) -> date:
        return self.until or date.max
