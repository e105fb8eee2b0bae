"""Directives of fields: schema metadata for tools and readers, without effect on execution."""

from collections.abc import Sequence

import strawberry
from strawberry.schema_directive import Location

from domain.core.scope import Permission

FIELD = [Location.FIELD_DEFINITION]


@strawberry.schema_directive(locations=FIELD, name="cost", description="What a field costs.")
class Cost:
    weight: str = strawberry.field(description="A decimal number; an object costs 1 and a plain value nothing unless this says otherwise.")


@strawberry.schema_directive(locations=FIELD, name="listSize", description="How long a list is, to know a document's cost before it runs.")
class ListSize:
    assumed_size: int | None = strawberry.field(
        default=strawberry.UNSET, description="Entries to reckon with where no argument says how many."
    )
    slicing_arguments: Sequence[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Arguments that say how many: by their number, or by their entries. A dot leads into one."
    )
    sized_fields: Sequence[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Fields below this one that have as many entries."
    )
    require_one_slicing_argument: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether one of those has to be given."
    )


@strawberry.schema_directive(
    locations=FIELD,
    name="oneAtATime",
    description="A document has one of these at most, all of them counted together, as often as aliases and fragments bring them.",
)
class OneAtATime: ...


@strawberry.schema_directive(locations=FIELD, name="semanticNonNull", description="Null only where `errors` says why.")
class SemanticNonNull:
    levels: Sequence[int] = strawberry.field(default=(0,), description="Depths of a list for which this holds.")


@strawberry.schema_directive(locations=FIELD, name="permission", description="The right that it takes; the field says what it is without.")
class RequiresPermission:
    any_of: Sequence[Permission] = strawberry.field(description="Any one of these is enough.")
