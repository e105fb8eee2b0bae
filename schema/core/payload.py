"""The fields of every payload, and the id of a deleted object."""

from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.core.idempotency import Outcome
from resolvers.ids import make_id_encoder
from schema.core.errors import UserError
from schema.core.fields import list_size
from schema.core.row_type import computed_field, identity

if TYPE_CHECKING:
    from schema.build import Query

NOW_DESCRIPTION = "As it is now; null when it was refused."


@strawberry.type
class Payload:
    """The fields of every payload."""

    user_errors: list[UserError] = computed_field(
        attrgetter("user_errors"), description="Why it was not done; empty when it was.", directives=[list_size(5)]
    )
    query: Annotated["Query", strawberry.lazy("schema.build")] = computed_field(identity, description="To ask on in the same request.")


def declare_deleted_id(name: str) -> Any:  # noqa: ANN401 the annotation stands
    """Declare the id of the deleted object."""
    encode = make_id_encoder(name)
    return computed_field(lambda outcome: _encode_deleted_id(outcome, encode), description="The id that it had; null when it was refused.")


def _encode_deleted_id(outcome: Outcome[Any], encode: Any) -> str | None:  # noqa: ANN401
    return None if outcome.value is None else encode(outcome.value)
