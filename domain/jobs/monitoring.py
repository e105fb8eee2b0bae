"""Look at the jobs of all organizations: send missing messages, and count jobs. Nothing of an organization but its id is read."""

from db.engine.database import Database
from db.queries import job_messages as messages
from db.queries import jobs as rows
from db.rows import JobStatisticsRow


async def send_missing_messages(database: Database) -> int:
    """Send the message of each organization that has unfinished jobs and no message. Return the number of organizations.

    There are none, unless somebody has restored or changed the tables of the queue.
    """
    tenants = await rows.find_without_message(database)
    for tenant in tenants:
        async with database.unit_of_work(tenant) as work:
            await messages.send(work)
    return len(tenants)


async def count_jobs(database: Database) -> JobStatisticsRow:
    return await rows.statistics(database)
