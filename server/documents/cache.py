"""Cache parsed and validated documents by the SHA-256 of their text, within a limit of bytes."""

import gc
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationType,
    ValuesOfCorrectTypeRule,
    VariableValues,
    parse,
    specified_rules,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged as overlapping

from resolvers.execution.operation import MAX_VARIABLE_ERRORS, PreparedOperation
from server.documents.coercion import Coercion
from server.documents.coercion_errors import rewrite_coercion_error, root_cause
from server.documents.cost import CostAnalyzer, CostEstimate, compute_field_costs
from server.documents.input_errors import InputLiteralsRule, describe_variable_error
from server.documents.limits import DocumentStats, check_limits, exclusive_fields
from server.documents.literals import find_long_numbers, find_nul_texts
from server.documents.trusted import hash_document
from server.documents.variables import find_long_lists
from server.errors import ErrorCode, GraphQLRequestError, graphql_error
from server.limit_settings import DocumentLimits

# Limits the comparison of fields that could be merged. Our own documents need at most 156, and twenty fragments with the same fields on one
# type need 6,750. The whole budget takes about 10 ms. graphql-core's default is too high for a server with many clients.
overlapping.MAX_COMPLEXITY_BUDGET = 10_000
# Maximum memory of a document, measured on the densest ones: tokens store their positions and neighbours, and the text is stored twice.
MIN_BYTES, BYTES_PER_TOKEN, BYTES_PER_CHARACTER, BYTES_PER_ERROR = 4000, 560, 10, 2000
REUSED_SHARE = 0.75  # of the bytes, for documents that were sent more than once
TOO_LARGE = re.compile(r"^(Syntax Error: )?(Source|Document) (contains more than|is nested too deeply)")
VALIDATION_ABORTED = "Validation aborted."  # graphql-core's only message when the budget is used up
TOO_MANY_OVERLAPS = "The document selects the same fields too often. Select each field once, or send several requests."
INTROSPECTION_FIELD = re.compile(r"__(schema|type)\b")
CoercionResult: TypeAlias = "VariableValues | list[GraphQLError]"
OPERATION_NAME_REQUIRED = "The document has several operations. Name one of them in `operationName`."
UNKNOWN_OPERATION = "The document has no operation with the name in `operationName`."


class Operation:
    """One operation of a document. `is_long` is true if it has an exclusive mutation, which may take long."""

    def __init__(
        self,
        prepared_operation: PreparedOperation,
        cost_analyzer: CostAnalyzer,
        coercion: Coercion,
        coerce_or_explain: Callable[[PreparedOperation, Mapping[str, Any], bool], CoercionResult],
        *,
        is_long: bool,
    ) -> None:
        node = prepared_operation.operation
        self.prepared_operation = prepared_operation
        self._coercion = coercion
        self._coerce_or_explain = coerce_or_explain
        self.is_long = is_long
        self.kind = node.operation
        self.kind_name = node.operation.value  # stored, because `Enum.value` calls a Python function
        self.name = node.name.value if node.name else None
        first = node.selection_set.selections[0]
        self.root_field = first.name.value if isinstance(first, FieldNode) else None
        self._cost_analyzer = cost_analyzer

    def coerce(self, raw_values: Mapping[str, Any], *, suggests: bool = True) -> VariableValues:
        """Coerce the variables of a request. Errors suggest names if `suggests` is true and the schema is shown.

        Raises `GraphQLRequestError` with all errors of the variables.
        """
        values = self._coercion.coerce(raw_values) or self._coerce_or_explain(self.prepared_operation, raw_values, suggests)
        if isinstance(values, list):
            raise GraphQLRequestError(values)
        return values

    def estimate_cost(self, values: VariableValues) -> CostEstimate:
        return self._cost_analyzer.estimate(values.coerced)


@dataclass(frozen=True)
class Document:
    """A document, or the errors that make it invalid."""

    key: str
    size: int
    ast: DocumentNode
    errors: Sequence[GraphQLError] = ()
    operations: Sequence[Operation] = field(default=())
    uses_introspection: bool = False

    def find_operation(self, name: str | None) -> Operation | GraphQLError:
        """Return the operation with this name, or the only operation if the name is None."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        if name is None and self.operations:
            return graphql_error(ErrorCode.BAD_REQUEST, OPERATION_NAME_REQUIRED)
        operation = next((each for each in self.operations if each.name == name), None)
        return operation or graphql_error(ErrorCode.BAD_REQUEST, UNKNOWN_OPERATION)


class DocumentCache:
    """Cache the most recent documents, including invalid ones, within a limit of bytes.

    Most of the space is for documents that were sent more than once. So a client that always sends new documents does not displace those
    that others use.
    """

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits, *, max_bytes: int, shows_schema: bool) -> None:
        """If `shows_schema` is true, allow introspection, and suggest names in errors."""
        self._schema = schema
        self._limits = limits
        self._max_bytes = max_bytes
        self._shows_schema = shows_schema
        rules = [InputLiteralsRule if each is ValuesOfCorrectTypeRule else each for each in specified_rules]
        self._rules = rules if shows_schema else [*rules, NoSchemaIntrospectionCustomRule]
        self._field_costs = compute_field_costs(schema)
        self._exclusive_fields = exclusive_fields(schema)
        self._new_documents: OrderedDict[str, Document] = OrderedDict()  # sent once; the oldest first
        self._reused_documents: OrderedDict[str, Document] = OrderedDict()  # sent more than once; the least recently used first
        self._reused_bytes = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._new_documents) + len(self._reused_documents)

    def get(self, key: str) -> Document | None:
        """Return the cached document whose text has this SHA-256 in hexadecimal, or None."""
        if document := self._reused_documents.get(key):
            self._reused_documents.move_to_end(key)
        elif document := self._new_documents.pop(key, None):
            self._reused_documents[key] = document
            self._reused_bytes += document.size
            while self._reused_bytes > REUSED_SHARE * self._max_bytes:
                oldest_key, oldest = self._reused_documents.popitem(last=False)
                self._reused_bytes -= oldest.size
                self._new_documents[oldest_key] = oldest
        return document

    def get_or_parse(self, text: str, key: str | None = None) -> Document:
        """Return the cached document, or parse it. `key` is the hash of its text, if it was computed before.

        A document that exceeds the length limit is not cached, since a few of them would fill the cache. A document whose validation had
        an internal error is not cached either.
        """
        key = key or hash_document(text)
        if cached_document := self.get(key):
            return cached_document
        with _collect_young_garbage():
            document = self._parse(key, text)
        is_internal = any(error.original_error for error in document.errors)
        return document if is_internal or len(text) > self._limits.characters else self._add(document)

    def _add(self, document: Document) -> Document:
        self._new_documents[document.key] = document
        self.bytes += document.size
        while self.bytes > self._max_bytes:
            _, oldest = self._new_documents.popitem(last=False)
            self.bytes -= oldest.size
        return document

    def _parse(self, key: str, text: str) -> Document:
        limits = self._limits
        try:
            ast = parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.comments, max_source_length=limits.characters)
        except GraphQLError as error:
            return Document(key, _estimate_size(text), DocumentNode(), [_parse_error(error)])
        long_numbers = find_long_numbers(ast)
        _unlink_tokens(ast)
        errors = (
            check_limits(ast, limits, self._exclusive_fields)
            or long_numbers
            or find_nul_texts(text, ast)
            or ("[" in text and find_long_lists(ast))
            or self._validate(ast, suggests=self._shows_schema and text.isascii())
        )
        size = _estimate_size(text, ast.token_count, len(errors))
        return Document(key, size, ast, errors, () if errors else self._build_operations(ast), bool(INTROSPECTION_FIELD.search(text)))

    def _validate(self, ast: DocumentNode, *, suggests: bool) -> list[GraphQLError]:
        errors = validate(self._schema, ast, self._rules, max_errors=MAX_VARIABLE_ERRORS, hide_suggestions=not suggests)
        if any(error.message == VALIDATION_ABORTED for error in errors):
            return [graphql_error(ErrorCode.QUERY_TOO_COMPLEX, TOO_MANY_OVERLAPS)]
        return [rewrite_coercion_error(error) or _with_code(error, ErrorCode.GRAPHQL_VALIDATION_FAILED) for error in errors]

    def _build_operations(self, ast: DocumentNode) -> list[Operation]:
        fragments = {each.name.value: each for each in ast.definitions if isinstance(each, FragmentDefinitionNode)}
        roots = {kind: root.name for kind in OperationType if (root := self._schema.get_root_type(kind))}
        stats = DocumentStats(ast, self._exclusive_fields)
        prepared_operations = PreparedOperation.prepare_all(self._schema, stats.operations, fragments)
        cost_analyzers = (
            CostAnalyzer(each.operation, fragments, self._field_costs, roots[each.operation.operation]) for each in prepared_operations
        )
        return [
            Operation(
                each,
                cost_analyzer,
                Coercion(self._schema, each.operation),
                self._coerce_or_explain,
                is_long=selection_stats.exclusive_count > 0,
            )
            for each, cost_analyzer, selection_stats in zip(prepared_operations, cost_analyzers, stats.selection_stats, strict=True)
        ]

    def _coerce_or_explain(self, prepared_operation: PreparedOperation, raw_values: Mapping[str, Any], suggests: bool) -> CoercionResult:  # noqa: FBT001 private
        result = prepared_operation.coerce_variables(self._schema, raw_values, hide_suggestions=not (suggests and self._shows_schema))
        return [describe_variable_error(self._schema, each) for each in result] if isinstance(result, list) else result


@contextmanager
def _collect_young_garbage() -> Iterator[None]:
    """Collect the garbage of parsing while it is young.

    To collect old garbage, the collector scans all cached documents too, which takes a tenth of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect(1)


def _estimate_size(text: str, tokens: int = 0, errors: int = 0) -> int:
    return MIN_BYTES + BYTES_PER_TOKEN * tokens + BYTES_PER_CHARACTER * len(text) + BYTES_PER_ERROR * errors


def _parse_error(error: GraphQLError) -> GraphQLError:
    """Return a new error, because the traceback of the parser's error holds all tokens.

    Only the message shows whether the size or the syntax is wrong.
    """
    code = ErrorCode.QUERY_TOO_COMPLEX if TOO_LARGE.search(error.message) else ErrorCode.GRAPHQL_PARSE_FAILED
    return GraphQLError(error.message, source=error.source, positions=error.positions, extensions={"code": code})


def _unlink_tokens(ast: DocumentNode) -> None:
    """Unlink tokens from their neighbours, so that a document is freed as soon as it leaves the cache. Only the parser needs the links.

    They are reference cycles, which would wait for the garbage collector. It rarely scans objects as old as a cached document.
    """
    token = ast.loc.start_token if ast.loc else None
    while token:
        next_token, token.prev, token.next = token.next, None, None
        token = next_token


def _with_code(error: GraphQLError, code: ErrorCode) -> GraphQLError:
    """Return a new error with the code, without the traceback of the original: its frames hold all objects of the validation.

    An internal error keeps its traceback for the log.
    """
    extensions = {"code": code, **(error.extensions or {})}
    return GraphQLError(error.message, error.nodes, extensions=extensions, original_error=error if root_cause(error) else None)
