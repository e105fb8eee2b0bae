"""The size of the demo."""

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
    quotes: int = 3_000
    portals: int = 150

    @property
    def rows(self) -> int:
        """The number of rows that the progress counts: those of the tables whose size is known in advance."""
        main_tables = self.clients + self.contacts + self.labels + self.projects
        return main_tables + self.registrations + self.invoices + self.quotes + self.portals


FULL = Size()
COUNTED_TABLES = frozenset({"client", "contact", "label", "project", "registration", "invoice", "quote", "client_portal"})
