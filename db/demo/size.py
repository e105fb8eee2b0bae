"""How much of everything the demo has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    clients: int = 1_000
    contacts: int = 3_000
    shared_contacts: int = 400
    labels: int = 25
    projects: int = 1_500
    registrations: int = 200_000
    invoices: int = 50_000

    @property
    def rows(self) -> int:
        """What the progress counts: the tables whose size is known beforehand."""
        return self.clients + self.contacts + self.labels + self.projects + self.registrations + self.invoices


FULL = Size()
COUNTED = frozenset({"client", "contact", "label", "project", "registration", "invoice"})
