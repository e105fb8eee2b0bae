"""The handler of each kind of job."""

from db.tables import JobKind
from domain.exports.jobs import build_handler
from domain.files import FileLimits
from domain.jobs.handlers import Handler
from domain.reports import monthly_balances


def build_handlers(file_limits: FileLimits) -> dict[JobKind, Handler]:
    return {JobKind.REVENUE_REBUILD: monthly_balances.REBUILD, JobKind.CLIENT_EXPORT: build_handler(file_limits)}
