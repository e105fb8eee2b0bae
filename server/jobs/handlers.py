"""The handler of each kind of job."""

from db.tables import JobKind
from domain.jobs.runner import JobHandler
from domain.reports import monthly_balances

HANDLERS: dict[JobKind, JobHandler] = {JobKind.REVENUE_REBUILD: monthly_balances.REBUILD}
