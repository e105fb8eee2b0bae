"""Run mutations: check the permission, run a unit of work once for each idempotency key, and return user errors as values.

The unit of work is committed before the payload is read.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import strawberry
from graphql import DirectiveLocation, FieldNode, GraphQLArgument, GraphQLDirective, GraphQLNonNull, GraphQLString
from graphql.execution.values import VariableValues, get_directive_values
from pydantic import TypeAdapter

from db.engine.errors import is_retryable
from domain.core.errors import BadInput, RuleViolation
from domain.core.idempotency import MAX_KEY_LENGTH, Outcome, RequestKey, run_once
from domain.core.scope import Permission, WriteScope
from resolvers.context import Info

V = TypeVar("V")
Change = Callable[[WriteScope, Any], Awaitable[V]]
MAX_ATTEMPTS = 4
IDEMPOTENT = GraphQLDirective(
    name="idempotent",
    locations=[DirectiveLocation.FIELD],
    args={
        "key": GraphQLArgument(
            GraphQLNonNull(GraphQLString),
            description=f"Key that you choose, for example a UUID; 1 to {MAX_KEY_LENGTH} printable characters.",
        )
    },
    description="Makes a mutation safe to repeat. For 24 hours, a repetition with the same key and input returns the first outcome and "
    "changes nothing. With other input it fails with `IDEMPOTENCY_KEY_REUSED`.",
)


@dataclass(frozen=True)
class MutationSpec(Generic[V]):
    """Specification of a mutation: its function, the type of the result, and whether it can affect any number of rows."""

    change: Change[V]
    result_type: Any
    is_long: bool

    @cached_property
    def outcome_adapter(self) -> TypeAdapter[V]:
        return TypeAdapter(self.result_type)


def mutation(
    change: Callable[[WriteScope, Any], Awaitable[Any]],
    *,
    permissions: Sequence[Permission],
    description: str,
    directives: list[object],
    metadata: Mapping[str, object],
    is_long: bool = False,
) -> Any:  # noqa: ANN401 the annotation stands
    """Declare a mutation, for callers with one of the permissions.

    `change` takes the scope and the field's one input, and returns the source of the payload.
    """
    spec: MutationSpec[Any] = MutationSpec(change, get_type_hints(change)["return"], is_long)

    async def resolve(info: Info, input: object) -> Outcome[Any]:
        info.context.read_scope().require_any(permissions)
        key = _request_key(info, input)
        for _ in range(MAX_ATTEMPTS - 1):
            try:
                return await _attempt(info, spec, input, key)
            except Exception as error:
                if not is_retryable(error):
                    raise
        return await _attempt(info, spec, input, key)

    _, input_parameter = inspect.signature(change).parameters.values()
    info, own_parameter, *_ = inspect.signature(resolve).parameters.values()
    annotation: Any = Annotated.__class_getitem__((input_parameter.annotation, strawberry.argument(description="Input of the mutation.")))  # type: ignore[attr-defined]
    signature = inspect.Signature([info, own_parameter.replace(annotation=annotation)], return_annotation=Outcome[Any])
    resolve.__signature__ = signature  # type: ignore[attr-defined]
    return strawberry.mutation(resolver=resolve, description=description, directives=directives, metadata=metadata)


async def _attempt(info: Info, spec: MutationSpec[V], input: object, key: RequestKey | None) -> Outcome[V]:
    """Run one attempt.

    If two concurrent mutations use the same number, the database rejects one of them. Its next attempt finds the number in use.
    """
    try:
        async with info.context.open_write_scope(info.field_name, is_long=spec.is_long) as scope:
            if key is None:
                return Outcome(await spec.change(scope, input))
            return await run_once(scope, key, spec.outcome_adapter, lambda: spec.change(scope, input))
    except RuleViolation as violation:
        return Outcome(None, violation.user_errors)


def _request_key(info: Info, input: object) -> RequestKey | None:
    """Return the key of the directive on the field, or else of the request's header.

    Raises `BadInput` if the operation has several fields for the one key of the header.
    """
    raw_info = info._raw_info  # noqa: SLF001 Strawberry exposes neither directives nor the operation's fields
    request_text = f"{info.field_name} {input!r}"
    variables = VariableValues({}, info.variable_values)  # Strawberry passes only the values of graphql-core's
    if arguments := next(filter(None, (get_directive_values(IDEMPOTENT, node, variables) for node in raw_info.field_nodes)), None):
        return RequestKey(arguments["key"], request_text)
    if info.context.idempotency_key is None:
        return None
    fields = raw_info.operation.selection_set.selections
    if len(fields) != 1 or not isinstance(fields[0], FieldNode):
        raise BadInput("The header `Idempotency-Key` is for one mutation. Use `@idempotent(key: …)` on each of several mutations.")
    return RequestKey(info.context.idempotency_key, request_text)
