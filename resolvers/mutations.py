"""The one way to change something: the right, the key, a unit of work committed before its payload is read, refusals as user errors."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import strawberry
from graphql import DirectiveLocation, FieldNode, GraphQLArgument, GraphQLDirective, GraphQLNonNull, GraphQLString
from graphql.execution.values import VariableValues, get_directive_values
from pydantic import TypeAdapter

from db.faults import is_retryable
from domain.errors import BadInput, RuleViolation
from domain.idempotency import Outcome, RequestKey, run_once
from domain.scope import Permission, WriteScope
from resolvers.context import Info

V = TypeVar("V")
Change = Callable[[WriteScope, Any], Awaitable[V]]
TRIES = 4
IDEMPOTENT = GraphQLDirective(
    name="idempotent",
    locations=[DirectiveLocation.FIELD],
    args={"key": GraphQLArgument(GraphQLNonNull(GraphQLString), description="Chosen by you, a UUID for instance; 255 characters at most.")},
    description="Makes a mutation safe to send again: for 24 hours the same key with the same input gives the first outcome.",
)


@dataclass(frozen=True)
class Doing(Generic[V]):
    """What a mutation does, what it comes to, and whether it touches as many rows as there are."""

    change: Change[V]
    returned: Any
    is_long: bool

    @cached_property
    def kind(self) -> TypeAdapter[V]:
        return TypeAdapter(self.returned)


def mutation(
    change: Callable[[WriteScope, Any], Awaitable[Any]],
    *,
    needs: Permission,
    description: str,
    directives: list[object],
    is_long: bool = False,
) -> Any:  # noqa: ANN401 the annotation stands
    """A field of the root. `change` takes the scope and the field's one input, and returns what the payload is read off."""
    doing: Doing[Any] = Doing(change, get_type_hints(change)["return"], is_long)

    async def resolve(info: Info, input: object) -> Outcome[Any]:
        info.context.read().require(needs)
        key = _key(info, input)
        for _ in range(TRIES - 1):
            try:
                return await _tried(info, doing, input, key)
            except Exception as failed:
                if not is_retryable(failed):
                    raise
        return await _tried(info, doing, input, key)

    _, asked = inspect.signature(change).parameters.values()
    info, own, *_ = inspect.signature(resolve).parameters.values()
    annotation: Any = Annotated.__class_getitem__((asked.annotation, strawberry.argument(description="What to do.")))  # type: ignore[attr-defined]
    signature = inspect.Signature([info, own.replace(annotation=annotation)], return_annotation=Outcome[Any])
    resolve.__signature__ = signature  # type: ignore[attr-defined]
    return strawberry.mutation(resolver=resolve, description=description, directives=directives)


async def _tried(info: Info, doing: Doing[V], input: object, key: RequestKey | None) -> Outcome[V]:
    """Two that meet may both find a number free; the one that the database refuses looks again, and finds it taken."""
    try:
        async with info.context.write(info.field_name, is_long=doing.is_long) as scope:
            if key is None:
                return Outcome(await doing.change(scope, input))
            return await run_once(scope, key, doing.kind, lambda: doing.change(scope, input))
    except RuleViolation as refused:
        return Outcome(None, refused.user_errors)


def _key(info: Info, input: object) -> RequestKey | None:
    """From the directive on the field, or from the request's header where the document has but one field."""
    raw = info._raw_info  # noqa: SLF001 Strawberry shows neither directives nor the operation's fields
    request = f"{info.field_name} {input!r}"
    variables = VariableValues({}, info.variable_values)  # which Strawberry takes out of graphql-core's own
    if found := next(filter(None, (get_directive_values(IDEMPOTENT, node, variables) for node in raw.field_nodes)), None):
        return RequestKey(found["key"], request)
    if info.context.idempotency_key is None:
        return None
    fields = raw.operation.selection_set.selections
    if len(fields) != 1 or not isinstance(fields[0], FieldNode):
        raise BadInput("The header `Idempotency-Key` is for one mutation. Put `@idempotent(key: …)` on each of several.")
    return RequestKey(info.context.idempotency_key, request)
