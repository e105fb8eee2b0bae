"""Mutations of API tokens and their payloads."""

from functools import partial

import strawberry

from domain.core.idempotency import Outcome
from domain.core.scope import Permission
from domain.organization.tokens import CreatedToken, by_id
from resolvers import tokens
from resolvers.tokens import load_created
from schema.core.fields import resolved_field
from schema.core.payload import CHANGED_DESCRIPTION, Payload, changed_object, declare_mutation, mutations
from schema.core.row_type import computed_field
from schema.mutations.members import GRANT_HINT, OWNERS_HINT
from schema.tokens import ApiToken

declare = partial(declare_mutation, permission=Permission.ORGANIZATION_WRITE)


def _secret(outcome: Outcome[CreatedToken]) -> str | None:
    return (outcome.value and outcome.value.secret) or None


@strawberry.type
class TokenCreatePayload(Payload):
    token: ApiToken | None = resolved_field(load_created, CHANGED_DESCRIPTION)
    secret: str | None = computed_field(
        _secret, "Secret to sign in with, as `Authorization: Bearer <secret>`. It is shown only once: null if the request is repeated."
    )


@strawberry.type
class TokenRevokePayload(Payload):
    token: ApiToken | None = changed_object(by_id)


@mutations
class TokenMutations:
    token_create: TokenCreatePayload = declare(tokens.create, f"Creates an API token. {GRANT_HINT} {OWNERS_HINT}")
    token_revoke: TokenRevokePayload = declare(
        tokens.revoke, f"Revokes an API token permanently. It stops working within seconds. {OWNERS_HINT}"
    )
