"""Inputs and resolvers of tokens."""

from uuid import UUID

import strawberry

from db.rows import TokenRow
from db.tables import TokenFields
from domain.core.idempotency import Outcome
from domain.core.pagination import MAX_PAGE_SIZE
from domain.core.scope import Permission, WriteScope
from domain.organization import tokens
from domain.organization.tokens import CreatedToken, NewToken
from resolvers.context import Info
from resolvers.enums import describe_enum
from resolvers.ids import GlobalId
from resolvers.inputs import input_of, input_values, to_uuid

describe_enum(
    Permission,
    "A permission of a token.",
    CLIENTS_READ="Read clients, contacts, labels, projects and portals, and registrations without amounts.",
    CLIENTS_WRITE="Change clients, contacts, labels, projects and the links between them.",
    REGISTRATIONS_WRITE="Create, change and delete registrations.",
    FINANCE_READ="Read financial data: revenue, rates, amounts, bank accounts, invoices and quotes.",
    FINANCE_WRITE="Change financial settings, prices, VAT rates and invoice layouts.",
    CLIENTS_ARCHIVE="Archive, unarchive and delete clients.",
    CLIENTS_IMPORT="Import clients, with `clientBulkUpsert`.",
    CLIENTS_EXPORT="Export clients.",
    ORGANIZATION_WRITE="Change the organization, its members and its tokens.",
    OWNERS_WRITE="Add, change and remove owners and their tokens.",
)


async def load_created(info: Info, root: strawberry.Parent[Outcome[CreatedToken]]) -> TokenRow | None:
    return None if root.value is None else await info.context.loaders.of(tokens.by_id).load(root.value.id)


@input_of(TokenFields, description="A new token of a member or, with a role of its own, of a machine.")
class TokenCreateInput:
    member_id: GlobalId | None = strawberry.field(
        default=None,
        description="Id of the member who signs in with the token. Without one it is a machine token, for which `role` is required.",
    )
    scope: list[Permission] | None = strawberry.field(
        default=None,
        description=f"Permissions to limit the token to, at most {MAX_PAGE_SIZE} entries; all of the role if omitted. A repeated entry "
        "counts once.",
    )


@strawberry.input(description="A token to revoke.")
class TokenRevokeInput:
    id: GlobalId = strawberry.field(description="Id of the token.")


async def create(scope: WriteScope, input: TokenCreateInput) -> CreatedToken:
    member_id = None if input.member_id is None else to_uuid(input.member_id, "Member")
    return await tokens.create(scope, NewToken(input_values(TokenFields, input), member_id, input.scope))


async def revoke(scope: WriteScope, input: TokenRevokeInput) -> UUID:
    return await tokens.revoke(scope, to_uuid(input.id, "ApiToken"))
