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
from schema.core.errors import UserError, error_interface
from schema.core.fields import NO_OPTIONS, FieldOptions, list_size, relation
from schema.core.row_type import computed_field, identity

if TYPE_CHECKING:
    from schema.query import Query

T = TypeVar("T")
CHANGED_DESCRIPTION = "The object after the mutation. Null if the mutation failed, or if the object was deleted since."


def _declare_user_errors() -> Any:  # noqa: ANN401 the field is annotated where it is declared
    return computed_field(
        attrgetter("user_errors"), "Errors that made the mutation fail. Empty if it succeeded.", directives=[list_size(5)]
    )


@strawberry.type
class Payload:
    """Fields that every payload has."""

    user_errors: Sequence[UserError] = _declare_user_errors()
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


def declare_mutation(  # noqa: PLR0913 all that there is to know about a mutation
    change: Callable[[WriteScope, Any], Awaitable[object]],
    description: str,
    *,
    errors: Sequence[type[UserError]] = (),
    permission: Permission = Permission.CLIENTS_WRITE,
    permissions: Sequence[Permission] = (),
    costs: Sequence[object] = (WRITE_COST,),
    is_exclusive: bool = False,
) -> Any:  # noqa: ANN401 the field is annotated where it is declared
    """Declare a mutation. With `is_exclusive` it may run long, and a document may contain only one such mutation.

    With `permissions`, the caller needs one of them instead of `permission`.

    `errors` are the types of errors that it can return besides `InputError`, which every mutation can return.
    """
    any_of = [*permissions] or [permission]
    directives = [*costs, RequiresPermission(any_of=any_of), SemanticNonNull()]
    if is_exclusive:
        directives.append(OneAtATime())
    metadata = {"errors": errors}
    return mutation(change, permissions=any_of, description=description, directives=directives, metadata=metadata, is_long=is_exclusive)


def mutations(cls: type[T]) -> type[T]:
    """Make a class a part of `Mutation`, and give each of its fields its own types of payload and errors, named after the field.

    The field `label_create: LabelPayload` returns `LabelCreatePayload`, which has the fields of `LabelPayload` and `userErrors` of the
    interface `LabelCreateError`.
    """
    for name, payload in cls.__annotations__.items():
        type_name, mutation_name = to_camel_case(name.capitalize()), to_camel_case(name)
        own_fields: dict[str, object] = {}
        if "user_errors" not in payload.__annotations__:  # otherwise the payload has an interface of its own
            interface: type = type(f"{type_name}Error", (UserError,), {})
            interface = error_interface(mutation_name, *vars(cls)[name].metadata["errors"])(interface)
            own_fields = {"__annotations__": {"user_errors": list[interface]}, "user_errors": _declare_user_errors()}  # type: ignore[valid-type]
        own_payload = strawberry.type(type(f"{type_name}Payload", (payload,), own_fields), description=f"Result of `{mutation_name}`.")
        cls.__annotations__[name] = own_payload | None
    return strawberry.type(cls)
