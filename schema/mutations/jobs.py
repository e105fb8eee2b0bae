"""Mutations of background jobs and their payloads."""

import strawberry

from domain.core.scope import Permission
from domain.jobs.lifecycle import CANCEL_PERMISSIONS
from domain.jobs.reads import by_id, exports_by_id, rebuilds_by_id
from resolvers import client_exports, jobs
from schema.core.payload import Payload, changed_object, declare_mutation, mutations
from schema.jobs import ClientExportJob, Job, RevenueRebuildJob


@strawberry.type
class RevenueRebuildStartPayload(Payload):
    job: RevenueRebuildJob | None = changed_object(rebuilds_by_id)


@strawberry.type
class ClientExportStartPayload(Payload):
    job: ClientExportJob | None = changed_object(exports_by_id)


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
    client_export_start: ClientExportStartPayload = declare_mutation(
        client_exports.start,
        "Starts a job that writes the clients of the organization to a file: those that match a filter and a search, in an order. Columns "
        "with figures require `FINANCE_READ`. Deleting a client cancels the exports that are running, and deletes those that have it.",
        permission=Permission.CLIENTS_EXPORT,
    )
    job_cancel: JobPayload = declare_mutation(
        jobs.cancel,
        "Cancels a job. What the job has processed is kept, except for the chunk that is running; an export leaves no file. Members can "
        "cancel the jobs that they may start and have started, and all jobs with `ORGANIZATION_WRITE`.",
        permissions=CANCEL_PERMISSIONS,
    )
