"""Mutations of API tokens, and their payloads."""

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
from schema.tokens import ApiToken

OWNERS_HINT = "What is of an owner takes OWNERS_WRITE as well."
declare = partial(declare_mutation, permission=Permission.ORGANIZATION_WRITE)


def _secret(outcome: Outcome[CreatedToken]) -> str | None:
    return (outcome.value and outcome.value.secret) or None


@strawberry.type
class TokenCreatePayload(Payload):
    token: ApiToken | None = resolved_field(load_created, description=CHANGED_DESCRIPTION)
    secret: str | None = computed_field(
        _secret, description="To sign in with, as `Authorization: Bearer …`. Shown this once: null when the request is sent again."
    )


@strawberry.type
class TokenRevokePayload(Payload):
    token: ApiToken | None = changed_object(by_id)


@mutations
class TokenMutations:
    token_create: TokenCreatePayload = declare(
        tokens.create, description=f"Makes a token, with no more rights than one has oneself. {OWNERS_HINT}"
    )
    token_revoke: TokenRevokePayload = declare(
        tokens.revoke, description=f"Revokes a token for good: within seconds it signs nobody in any more. {OWNERS_HINT}"
    )
