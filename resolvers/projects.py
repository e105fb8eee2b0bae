"""How projects are answered."""

from uuid import UUID

from db.rows import ProjectFinancialRow, ProjectRow
from domain.pages import Page, Span
from resolvers.arguments import After, Before, First, Last
from resolvers.loaders import Loader, Loaders


def by_id(loaders: Loaders) -> Loader[UUID, ProjectRow | None]:
    return loaders.projects


def total(loaders: Loaders) -> Loader[UUID, int]:
    return loaders.project_count_of_client


def financial(loaders: Loaders) -> Loader[UUID, ProjectFinancialRow | None]:
    return loaders.financial_of_project


def of_client(
    loaders: Loaders, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Loader[UUID, Page[ProjectRow]]:
    return loaders.projects_of_client(Span(first, after, last, before))
