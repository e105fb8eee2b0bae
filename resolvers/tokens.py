"""Inputs and resolvers of tokens."""

from uuid import UUID

import strawberry

from db.rows import TokenRow
from db.tables import TokenFields
from domain.core.idempotency import Outcome
from domain.core.scope import Permission, WriteScope
from domain.organization import tokens
from domain.organization.tokens import CreatedToken, NewToken
from resolvers.context import Info
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import input_of, input_values, to_uuid

describe_enum(
    Permission,
    "A right.",
    CLIENTS_READ="To see clients, contacts, labels, projects, and registrations without amounts.",
    CLIENTS_WRITE="To change clients, contacts, labels and what links them.",
    REGISTRATIONS_WRITE="To register time, expenses and mileage.",
    FINANCE_READ="To see figures: revenue, rates, bank accounts, invoices.",
    FINANCE_WRITE="To change financial settings, VAT rates, layouts, invoices.",
    CLIENTS_ARCHIVE="To archive clients, take them back, and delete them.",
    CLIENTS_IMPORT="To import clients.",
    CLIENTS_EXPORT="To export clients.",
    ORGANIZATION_WRITE="To change the organization, its members and tokens.",
    OWNERS_WRITE="To make and remove owners.",
)


async def load_created(info: Info, root: strawberry.Parent[Outcome[CreatedToken]]) -> TokenRow | None:
    return None if root.value is None else await info.context.loaders.of(tokens.by_id).load(root.value.id)


@input_of(TokenFields, description="A new token: of a member, or with a role of its own for a machine.")
class TokenCreateInput:
    member_id: GlobalId | None = strawberry.field(
        default=None, description="The member whose token it is: yourself, or one of a role that you may manage. A machine's without."
    )
    scope: list[Permission] | None = strawberry.field(
        default=None, description="The only rights that it is to have; all of its role without."
    )


@strawberry.input(description="A token to revoke.")
class TokenRevokeInput:
    id: GlobalId = strawberry.field(description="The token.")


async def create(scope: WriteScope, input: TokenCreateInput) -> CreatedToken:
    member_id = None if input.member_id is None else to_uuid(input.member_id, "Member")
    return await tokens.create(scope, NewToken(input_values(TokenFields, input), member_id, input.scope))


async def revoke(scope: WriteScope, input: TokenRevokeInput) -> UUID:
    return await tokens.revoke(scope, to_uuid(input.id, "ApiToken"))
