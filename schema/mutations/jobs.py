"""Mutations of background jobs and their payloads."""

import strawberry

from domain.core.scope import Permission
from domain.jobs.reads import by_id
from resolvers import jobs
from schema.core.payload import Payload, changed_object, declare_mutation, mutations
from schema.jobs import Job, RevenueRebuildJob


@strawberry.type
class RevenueRebuildStartPayload(Payload):
    job: RevenueRebuildJob | None = changed_object(by_id)


@strawberry.type
class JobPayload(Payload):
    job: Job | None = changed_object(by_id)


@mutations
class JobMutations:
    revenue_rebuild_start: RevenueRebuildStartPayload = declare_mutation(
        jobs.start_revenue_rebuild,
        "Starts a job that compares the stored revenue of all clients with their invoices and payments, and rebuilds what differs.",
        permission=Permission.ORGANIZATION_WRITE,
    )
    job_cancel: JobPayload = declare_mutation(
        jobs.cancel,
        "Cancels a job. What the job has processed is kept, except for the chunk that is running.",
        permission=Permission.ORGANIZATION_WRITE,
    )
