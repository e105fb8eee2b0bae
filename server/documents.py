"""Documents: parsed and validated once, within limits, and kept by their text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValidationContext,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension

KEPT = 256
FREE = "ofType"  # of the introspection query, which unfolds a type's wrappers ten deep


@dataclass(frozen=True)
class DocumentLimits:
    """The most tokens and levels of fields in a document."""

    tokens: int
    depth: int


@dataclass(frozen=True)
class Document:
    """A document, or why it is none."""

    parsed: DocumentNode | None
    errors: list[GraphQLError]
    operations: int = 1


def documents(limits: DocumentLimits) -> Callable[[], SchemaExtension]:
    """Strawberry's seam: the steps of parsing and validation take what is kept. One cache for as long as the schema lives."""
    rules = (*specified_rules, depth_rule(limits.depth))

    @lru_cache(maxsize=KEPT)
    def known(schema: GraphQLSchema, text: str) -> Document:
        return _checked(schema, text, limits.tokens, rules)

    class Documents(SchemaExtension):
        def on_parse(self) -> Iterator[None]:
            execution = self.execution_context
            self.document = known(execution.schema._schema, execution.query or "")  # noqa: SLF001
            if self.document.parsed is None:
                raise self.document.errors[0]
            execution.graphql_document = self.document.parsed
            yield

        def on_validate(self) -> Iterator[None]:
            self.execution_context.pre_execution_errors = self.document.errors or self._unnamed()
            yield

        def _unnamed(self) -> list[GraphQLError]:
            """Strawberry takes the first of several operations; the specification asks for a name."""
            if self.document.operations < 2 or self.execution_context._provided_operation_name:  # noqa: PLR2004, SLF001
                return []
            return [GraphQLError("Name one of the document's operations in `operationName`.", extensions={"code": "BAD_REQUEST"})]

    return Documents


def _checked(schema: GraphQLSchema, text: str, tokens: int, rules: tuple[type[ASTValidationRule], ...]) -> Document:
    try:
        parsed = parse(text, max_tokens=tokens)
        errors = [_coded(error, "GRAPHQL_VALIDATION_FAILED") for error in validate(schema, parsed, rules, max_errors=5)]
        return Document(parsed, errors, sum(isinstance(each, OperationDefinitionNode) for each in parsed.definitions))
    except GraphQLError as wrong:
        is_too_much = any(said in wrong.message for said in (f"more than {tokens} tokens", "nested too deeply"))
        return Document(None, [_coded(wrong, "QUERY_TOO_COMPLEX" if is_too_much else "GRAPHQL_PARSE_FAILED")])
    except RecursionError:
        return Document(None, [_coded(GraphQLError("The document is nested too deeply."), "QUERY_TOO_COMPLEX")])


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error


def depth_rule(limit: int) -> type[ASTValidationRule]:
    """Levels of fields, each fragment measured once however often it is spread."""

    class Depth(ASTValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self._measured: dict[str, int] = {}

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
            if (depth := self._below(node.selection_set)) > limit:
                message = f"The document is {depth} levels deep; {limit} are allowed. Ask in several steps."
                self.report_error(GraphQLError(message, node, extensions={"code": "QUERY_TOO_COMPLEX"}))

        def _below(self, selections: SelectionSetNode | None) -> int:
            return max((self._depth(each) for each in selections.selections), default=0) if selections else 0

        def _depth(self, node: SelectionNode) -> int:
            if isinstance(node, FragmentSpreadNode):
                return self._fragment(self.context.get_fragment(node.name.value))
            below = self._below(getattr(node, "selection_set", None))
            return below + 1 if isinstance(node, FieldNode) and node.name.value != FREE else below

        def _fragment(self, fragment: FragmentDefinitionNode | None) -> int:
            """A fragment within itself is another rule's to refuse; here it has no depth."""
            if fragment is None:
                return 0
            name = fragment.name.value
            if name not in self._measured:
                self._measured[name] = 0
                self._measured[name] = self._below(fragment.selection_set)
            return self._measured[name]

    return Depth
