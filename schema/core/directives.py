"""Directives of fields: schema metadata for tools and readers, without effect on execution."""

from collections.abc import Sequence

import strawberry
from strawberry.schema_directive import Location

from domain.core.scope import Permission

FIELD = [Location.FIELD_DEFINITION]


@strawberry.schema_directive(
    locations=FIELD, name="cost", description="Cost of a field, from which the cost of an operation is computed before it runs."
)
class Cost:
    weight: str = strawberry.field(description="Points as a decimal number, in addition to 1 point for each object that the field returns.")


@strawberry.schema_directive(
    locations=FIELD, name="listSize", description="Length of a list, from which the cost of an operation is computed before it runs."
)
class ListSize:
    assumed_size: int | None = strawberry.field(default=strawberry.UNSET, description="Number of entries if no argument gives it.")
    slicing_arguments: Sequence[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Arguments that give the number of entries, as an integer or by the length of a list. A dot leads to an input field.",
    )
    sized_fields: Sequence[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Fields of the returned object that have this number of entries."
    )
    require_one_slicing_argument: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether one argument is required.")


@strawberry.schema_directive(
    locations=FIELD,
    name="oneAtATime",
    description="A document may contain at most one field with this directive. Every alias and every use of a fragment counts.",
)
class OneAtATime: ...


@strawberry.schema_directive(locations=FIELD, name="semanticNonNull", description="The field is null only if `errors` has an error for it.")
class SemanticNonNull:
    levels: Sequence[int] = strawberry.field(default=(0,), description="List depths to which this applies.")


@strawberry.schema_directive(
    locations=FIELD,
    name="permission",
    description="The permission that the caller needs. Without it, a field of `Query` or `Mutation` fails with `FORBIDDEN`, and a field "
    "of any other type is null.",
)
class RequiresPermission:
    any_of: Sequence[Permission] = strawberry.field(description="Permissions of which the caller needs one.")
