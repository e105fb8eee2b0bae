"""Projects."""

from datetime import date, datetime

import strawberry

from db.rows import ProjectRow
from db.tables.projects import InvoiceMethod
from schema.connections import Connection
from schema.lens import Node, lens, read

strawberry.enum(InvoiceMethod, description="Where a project's price comes from.")


@lens(ProjectRow, description="Work for a client.")
class Project(Node):
    name: str = strawberry.field(description="Name.")
    code: str | None = strawberry.field(description="Code.")
    starts_on: date | None = strawberry.field(description="First day.")
    ends_on: date | None = strawberry.field(description="Last day.")
    invoice_method: InvoiceMethod = strawberry.field(description="Where its price comes from.")
    archived_at: datetime | None = strawberry.field(description="Since when it is archived; null while it is active.")
    is_archived: bool = read(lambda row: row.archived_at is not None, description="Whether it is archived.")
    version: int = strawberry.field(description="Grows by one with each change.")


@strawberry.type(description="Projects of a client, the newest first.")
class ProjectConnection(Connection[Project]): ...
