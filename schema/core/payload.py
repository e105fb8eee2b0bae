"""Declare mutations and their payloads."""

from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain.core.scope import Permission, WriteScope
from resolvers.ids import make_id_encoder
from resolvers.mutations import mutation
from schema.core.directives import Cost, OneAtATime, RequiresPermission, SemanticNonNull
from schema.core.errors import UserError
from schema.core.fields import NO_OPTIONS, FieldOptions, list_size, relation
from schema.core.row_type import computed_field, identity

if TYPE_CHECKING:
    from schema.query import Query

T = TypeVar("T")
CHANGED_DESCRIPTION = "The object after the mutation. Null if the mutation failed, or if the object was deleted since."


@strawberry.type
class Payload:
    """Fields that every payload has."""

    user_errors: list[UserError] = computed_field(
        attrgetter("user_errors"), "Errors that made the mutation fail. Empty if it succeeded.", directives=[list_size(5)]
    )
    query: Annotated["Query", strawberry.lazy("schema.query")] = computed_field(identity, "Queries to run after the mutation.")


def changed_object(batch: Callable[..., Awaitable[Sequence[object]]], *, options: FieldOptions = NO_OPTIONS) -> Any:  # noqa: ANN401 the field is annotated where it is declared
    """Declare the changed object. The batch function loads it after the commit, by the id in the outcome."""
    return relation(batch, CHANGED_DESCRIPTION, key="value", options=options)


def declare_deleted_id(name: str) -> Any:  # noqa: ANN401 the field is annotated where it is declared
    """Declare the id of the deleted object, whose type has this name."""
    encode: Any = make_id_encoder(name)
    return computed_field(
        lambda outcome: None if outcome.value is None else encode(outcome.value),
        "Id of the deleted object. Null if the mutation failed.",
    )


WRITE_COST = Cost(weight="500")


def declare_mutation(
    change: Callable[[WriteScope, Any], Awaitable[object]],
    description: str,
    *,
    permission: Permission = Permission.CLIENTS_WRITE,
    costs: Sequence[object] = (WRITE_COST,),
    is_exclusive: bool = False,
) -> Any:  # noqa: ANN401 the field is annotated where it is declared
    """Declare a mutation. With `is_exclusive` it may run long, and a document may contain only one such mutation."""
    directives = [*costs, RequiresPermission(any_of=[permission]), SemanticNonNull()]
    if is_exclusive:
        directives.append(OneAtATime())
    return mutation(change, permission=permission, description=description, directives=directives, is_long=is_exclusive)


def mutations(cls: type[T]) -> type[T]:
    """Make a class a part of `Mutation`, and give each of its fields its own payload type, named after the field.

    The field `label_create: LabelPayload` returns `LabelCreatePayload`, which has the fields of `LabelPayload`.
    """
    for name, payload in cls.__annotations__.items():
        type_name = f"{to_camel_case(name.capitalize())}Payload"
        own_payload = strawberry.type(type(type_name, (payload,), {}), description=f"Result of `{to_camel_case(name)}`.")
        cls.__annotations__[name] = own_payload | None
    return strawberry.type(cls)
