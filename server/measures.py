"""How large a document is, and what it may ask for but once, before anything else is done with it.

One walk, each fragment measured once however often it is spread.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from schema.directives import OneAtATime
from server.limits import DocumentLimits
from server.refusals import ErrorCode, coded

FREE = "ofType"  # of the introspection query, which unfolds a type's wrappers ten deep


@dataclass(frozen=True)
class Extent:
    """Of a selection: levels of fields below, fields on its own level, those of them that come alone, and fields in all."""

    depth: int = 0
    wide: int = 0
    alone: int = 0
    fields: int = 0


class Measure:
    """The extents of a document's selections."""

    def __init__(self, document: DocumentNode, alone: Collection[str] = ()) -> None:
        """`alone`: the changes of which a document has one at most."""
        self._alone = alone
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self._measured: dict[str, Extent] = {}
        self.operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        self.aliases = self.directives = self.empty_selections = 0
        self.extents = [self._of(each.selection_set) for each in self.operations]
        for name in self._fragments:
            self._fragment(name)  # one that nobody spreads has aliases too
        self.directives += sum(len(each.directives or ()) for each in (*self.operations, *self._fragments.values()))

    def _of(self, selections: SelectionSetNode | None) -> Extent:
        depth = wide = alone = fields = 0
        self.empty_selections += selections is not None and not selections.selections
        for node in selections.selections if selections else ():
            self.directives += len(node.directives or ())
            match node:
                case FieldNode():
                    self.aliases += node.alias is not None
                    below = self._of(node.selection_set)
                    depth, wide, fields = max(depth, below.depth + (node.name.value != FREE)), wide + 1, fields + 1 + below.fields
                    alone += node.name.value in self._alone
                case FragmentSpreadNode() | InlineFragmentNode():
                    part = self._fragment(node.name.value) if isinstance(node, FragmentSpreadNode) else self._of(node.selection_set)
                    depth, wide, fields = max(depth, part.depth), wide + part.wide, fields + part.fields
                    alone += part.alone
        return Extent(depth, wide, alone, fields)

    def _fragment(self, name: str) -> Extent:
        """A fragment within itself is the validation's to refuse; here it adds nothing."""
        if name not in self._measured:
            self._measured[name] = Extent()
            if name in self._fragments:
                self._measured[name] = self._of(self._fragments[name].selection_set)
        return self._measured[name]


def alone(schema: GraphQLSchema) -> frozenset[str]:
    """The changes of which a document has one at most: those that the schema says so of, by `@oneAtATime`."""
    fields = schema.mutation_type.fields if schema.mutation_type else {}
    return frozenset(name for name, field in fields.items() if any(isinstance(each, OneAtATime) for each in _said(field)))


def _said(field: GraphQLField) -> list[object]:
    """The directives on a field."""
    found: list[object] = (field.extensions or {})["strawberry-definition"].directives
    return found


def refusals(document: DocumentNode, limits: DocumentLimits, alone: Collection[str] = ()) -> list[GraphQLError]:
    """What is too much. Nothing may look at a document closely before this is empty."""
    try:
        measure = Measure(document, alone)
        found = [f"The document {what}." for what in _excesses(measure, limits)]
    except RecursionError:
        return [_too_complex("The document is nested too deeply.")]
    return [_too_complex(what) for what in found] or _empty(measure) or _together(measure, alone)


def _empty(found: Measure) -> list[GraphQLError]:
    """The specification wants a field in every selection; graphql-core's parser and its rules do not."""
    message = "A selection has no fields. Ask for one at least, for example `{ __typename }`."
    return [coded(ErrorCode.GRAPHQL_PARSE_FAILED, message)] if found.empty_selections else []


def _too_complex(what: str) -> GraphQLError:
    return coded(ErrorCode.QUERY_TOO_COMPLEX, f"{what} Ask in several steps.")


def _together(found: Measure, alone: Collection[str]) -> list[GraphQLError]:
    """Of all operations, though one is asked for: who writes two in a document means to run both."""
    count = sum(each.alone for node, each in zip(found.operations, found.extents, strict=True) if node.operation is OperationType.MUTATION)
    if count <= 1:
        return []
    names = " or ".join(f"`{name}`" for name in sorted(alone))
    message = f"A document has one {names} at most, aliases and fragments counted; this has {count}. Send a request for each."
    return [coded(ErrorCode.ONE_AT_A_TIME, message)]


def _excesses(found: Measure, limits: DocumentLimits) -> Iterator[str]:
    depth = max((each.depth for each in found.extents), default=0)
    if depth > limits.depth:
        yield f"is {depth} levels deep; {limits.depth} are allowed"
    counts = {
        "operations": (len(found.operations), limits.operations),
        "aliases": (found.aliases, limits.aliases),
        "directives": (found.directives, limits.directives),
        "fields at the root": (max((each.wide for each in found.extents), default=0), limits.root_fields),
        "fields": (max((each.fields for each in found.extents), default=0), limits.fields),
    }
    for what, (count, most) in counts.items():
        if count > most:
            yield f"has more than {most} {what}"
