"""Define the fixed list of cases of each query: a page or client, and a period.

A case refers to clients by their position among the active clients in order of name. So it means the same on every server, although the
forms of cursors and ids differ. The list depends only on the query and the number of clients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

COUNT = 60
STRIDE = 17  # coprime to COUNT, so that neighbours in the list are far apart in the data
# Whole months, since the peers run the product's revenue statement for whole months.
PERIODS = (
    ("2026-01-01", "2026-12-31"),
    ("2025-01-01", "2025-12-31"),
    ("2026-07-01", "2026-09-30"),
    ("2026-01-01", "2026-06-30"),
    ("2026-10-01", "2026-10-31"),
    ("2025-07-01", "2026-06-30"),
    ("2025-01-01", "2026-12-31"),
)
# The lengths of these lists are coprime to that of PERIODS, so that all combinations of sizes and periods occur.
FIFTY = (50, 40, 60, 45, 55)
HUNDRED = (100, 96, 98, 97, 99)
PAGE_SIZES: Mapping[str, tuple[int, ...]] = {"Q1": FIFTY, "Q3": HUNDRED, "Q4": FIFTY}
WITHOUT_PERIOD = {"Q4"}

Variables: TypeAlias = dict[str, object]


@dataclass(frozen=True)
class Case:
    """A page that starts at a client, or only that client if there is no page size."""

    position: int
    page_size: int | None
    period: tuple[str, str] | None

    def build_variables(self, ids: Sequence[str], cursors: Sequence[str]) -> Variables:
        """Return the variables for a server, given the ids of the active clients and the server's cursor of each of them."""
        values: Variables = {"id": ids[self.position]}
        if self.page_size is not None:
            values = {"first": self.page_size, "after": cursors[self.position - 1] if self.position else None}
        return values | ({"period": dict(zip(("since", "until"), self.period, strict=True))} if self.period else {})


def build_cases(query: str, clients: int) -> list[Case]:
    """Return the cases of a query for this number of active clients. All pages are full, and the first case is the first page."""
    sizes: Sequence[int | None] = PAGE_SIZES.get(query, (None,))
    last = clients - max(size or 1 for size in sizes)
    if last < COUNT - 1:
        raise ValueError(f"{query} needs {COUNT - 1 - last} more active clients for {COUNT} different cases")
    return [
        Case(
            position=number * STRIDE % COUNT * last // (COUNT - 1),
            page_size=sizes[number % len(sizes)],
            period=None if query in WITHOUT_PERIOD else PERIODS[number % len(PERIODS)],
        )
        for number in range(COUNT)
    ]
