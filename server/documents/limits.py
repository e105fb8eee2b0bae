"""Check the size of a document and its exclusive mutations before any other work on it.

One walk measures the document, and each fragment only once, however often it is spread.
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

from schema.core.directives import OneAtATime
from server.errors import ErrorCode, graphql_error
from server.limit_settings import DocumentLimits

UNCOUNTED_FIELD = "ofType"  # the introspection query nests it ten levels deep for the wrappers of a type


@dataclass(frozen=True)
class SelectionStats:
    """Size of a selection set: levels of nested fields, fields on its own level, exclusive fields among those, and all fields."""

    depth: int = 0
    width: int = 0
    exclusive_count: int = 0
    fields: int = 0


class DocumentStats:
    """Statistics of a document and its selections."""

    def __init__(self, document: DocumentNode, exclusive_fields: Collection[str] = ()) -> None:
        """Measure the document. It may contain at most one of the mutations in `exclusive_fields`."""
        self._exclusive_fields = exclusive_fields
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self._fragment_stats: dict[str, SelectionStats] = {}
        self.operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        self.aliases = self.directives = self.empty_selections = 0
        self.selection_stats = [self._measure_selection(each.selection_set) for each in self.operations]
        for name in self._fragments:
            self._measure_fragment(name)  # the aliases of an unused fragment count, too
        self.directives += sum(len(each.directives or ()) for each in (*self.operations, *self._fragments.values()))

    def _measure_selection(self, selections: SelectionSetNode | None) -> SelectionStats:
        depth = width = exclusive_count = fields = 0
        self.empty_selections += selections is not None and not selections.selections
        for node in selections.selections if selections else ():
            self.directives += len(node.directives or ())
            match node:
                case FieldNode():
                    self.aliases += node.alias is not None
                    below = self._measure_selection(node.selection_set)
                    depth = max(depth, below.depth + (node.name.value != UNCOUNTED_FIELD))
                    width, fields = width + 1, fields + 1 + below.fields
                    exclusive_count += node.name.value in self._exclusive_fields
                case FragmentSpreadNode() | InlineFragmentNode():
                    part = (
                        self._measure_fragment(node.name.value)
                        if isinstance(node, FragmentSpreadNode)
                        else self._measure_selection(node.selection_set)
                    )
                    depth, width, fields = max(depth, part.depth), width + part.width, fields + part.fields
                    exclusive_count += part.exclusive_count
        return SelectionStats(depth, width, exclusive_count, fields)

    def _measure_fragment(self, name: str) -> SelectionStats:
        """Measure a fragment. A spread of a fragment within itself counts nothing here, as validation rejects it."""
        if name not in self._fragment_stats:
            self._fragment_stats[name] = SelectionStats()
            if name in self._fragments:
                self._fragment_stats[name] = self._measure_selection(self._fragments[name].selection_set)
        return self._fragment_stats[name]


def exclusive_fields(schema: GraphQLSchema) -> frozenset[str]:
    """Return the mutations with `@oneAtATime` in the schema. A document may contain at most one of them."""
    fields = schema.mutation_type.fields if schema.mutation_type else {}
    return frozenset(name for name, field in fields.items() if any(isinstance(each, OneAtATime) for each in _field_directives(field)))


def _field_directives(field: GraphQLField) -> list[object]:
    """Return the directives of a field."""
    directives: list[object] = (field.extensions or {})["strawberry-definition"].directives
    return directives


def check_limits(document: DocumentNode, limits: DocumentLimits, exclusive_fields: Collection[str] = ()) -> list[GraphQLError]:
    """Return an error for each limit that the document exceeds. Do no other work on a document with such an error."""
    try:
        stats = DocumentStats(document, exclusive_fields)
        messages = [f"The document {text}." for text in _excesses(stats, limits)]
    except RecursionError:
        return [_too_complex_error("The document is nested too deeply.")]
    return (
        [_too_complex_error(text) for text in messages]
        or _empty_selection_errors(stats)
        or _exclusive_field_errors(stats, exclusive_fields)
    )


def _empty_selection_errors(stats: DocumentStats) -> list[GraphQLError]:
    """Return an error if a selection set is empty, which the specification forbids but graphql-core accepts."""
    message = "A selection set is empty. Select at least one field, for example `{ __typename }`."
    return [graphql_error(ErrorCode.GRAPHQL_PARSE_FAILED, message)] if stats.empty_selections else []


def _too_complex_error(text: str) -> GraphQLError:
    return graphql_error(ErrorCode.QUERY_TOO_COMPLEX, f"{text} Send several requests.")


def _exclusive_field_errors(stats: DocumentStats, exclusive_fields: Collection[str]) -> list[GraphQLError]:
    """Return an error if the document has several exclusive mutations.

    The mutations of all operations count, although only one operation runs: a client that writes two wants to run both.
    """
    count = sum(
        each.exclusive_count
        for node, each in zip(stats.operations, stats.selection_stats, strict=True)
        if node.operation is OperationType.MUTATION
    )
    if count <= 1:
        return []
    names = " or ".join(f"`{name}`" for name in sorted(exclusive_fields))
    message = f"A document may have at most one {names}, also by aliases and fragments, but this has {count}. Send a request for each."
    return [graphql_error(ErrorCode.ONE_AT_A_TIME, message)]


def _excesses(stats: DocumentStats, limits: DocumentLimits) -> Iterator[str]:
    depth = max((each.depth for each in stats.selection_stats), default=0)
    if depth > limits.depth:
        yield f"is {depth} levels deep; {limits.depth} are allowed"
    counts = {
        "operations": (len(stats.operations), limits.operations),
        "aliases": (stats.aliases, limits.aliases),
        "directives": (stats.directives, limits.directives),
        "root fields": (max((each.width for each in stats.selection_stats), default=0), limits.root_fields),
        "fields": (max((each.fields for each in stats.selection_stats), default=0), limits.fields),
    }
    for label, (count, limit) in counts.items():
        if count > limit:
            yield f"has more than {limit} {label}"
