"""Documents: parsed, validated and measured once, and kept by the SHA-256 of their text, within so many bytes."""

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
    StringValueNode,
    TokenKind,
    VariableValues,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.validation.rules import overlapping_fields_can_be_merged as overlapping

from resolvers.core import MAX_VARIABLE_ERRORS, PreparedOperation
from server.coercion import Coercion
from server.costs import Bill, Costing, prices
from server.errors import coercion_error, innermost
from server.json_limits import MAX_DIGITS, has_too_many_digits
from server.limits import DocumentLimits
from server.measures import Measure, alone, refusals
from server.refusals import ErrorCode, RequestError, coded
from server.trusted import hash_of
from server.variables import find_long_lists

# What comparing a document's fields may take. Ours need 156 at most, twenty fragments that all say the same on one type 6,750; all of it
# is about 10 ms. The default is for who serves nobody else.
overlapping.MAX_COMPLEXITY_BUDGET = 10_000
# What a document takes, at most: tokens know their places and neighbours, and texts are kept twice. Measured on the densest there are.
LEAST_BYTES, BYTES_A_TOKEN, BYTES_A_CHARACTER, BYTES_AN_ERROR = 4000, 560, 10, 2000
SHARE_AGAIN = 0.75  # of the bytes, for documents that were sent again
TOO_LARGE = re.compile(r"^(Syntax Error: )?(Source|Document) (contains more than|is nested too deeply)")
GIVEN_UP = "Validation aborted."  # all that graphql-core says where the budget is spent
ENTANGLED = "The document asks for the same fields too often to compare them. Ask for each once, or in several steps."
NUL = re.compile(r"\\u(0000|\{0+\})")  # the only way in: the body of a request has none
NUMBERS = (TokenKind.INT, TokenKind.FLOAT)
LONG_NUMBER = f"A number has at most {MAX_DIGITS} digits."
BAD_INPUT = {"code": ErrorCode.BAD_USER_INPUT}
SCHEMA = re.compile(r"__(schema|type)\b")
Coerced: TypeAlias = "VariableValues | list[GraphQLError]"
NAMELESS = "Name one of the document's operations in `operationName`."
UNKNOWN = "The document has no operation of the name in `operationName`."


class Operation:
    """One operation of a document. `is_long` when it holds a change that comes alone and may take long."""

    def __init__(
        self,
        known: PreparedOperation,
        costing: Costing,
        coercion: Coercion,
        coerce_or_explain: Callable[[PreparedOperation, Mapping[str, Any], bool], Coerced],
        *,
        is_long: bool,
    ) -> None:
        node = known.operation
        self.known = known
        self._coercion = coercion
        self._coerce_or_explain = coerce_or_explain
        self.is_long = is_long
        self.kind = node.operation
        self.kind_name = node.operation.value  # reading an enumeration's value calls Python
        self.name = node.name.value if node.name else None
        first = node.selection_set.selections[0]
        self.root_field = first.name.value if isinstance(first, FieldNode) else None
        self._costing = costing

    def coerce(self, sent: Mapping[str, Any], *, suggests: bool = True) -> VariableValues:
        """Coerce the variables of a request; errors suggest names where the schema is shown at all.

        Raises `RequestError` with what is wrong with them.
        """
        values = self._coercion.coerce(sent) or self._coerce_or_explain(self.known, sent, suggests)
        if isinstance(values, list):
            raise RequestError(values)
        return values

    def bill(self, values: VariableValues) -> Bill:
        return self._costing.bill(values.coerced)


@dataclass(frozen=True)
class Document:
    """A document, or why it is none."""

    key: str
    size: int
    parsed: DocumentNode
    errors: Sequence[GraphQLError] = ()
    operations: Sequence[Operation] = field(default=())
    asks_schema: bool = False

    def operation(self, name: str | None) -> Operation | GraphQLError:
        """The one of that name, or the only one."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        if name is None and self.operations:
            return coded(ErrorCode.BAD_REQUEST, NAMELESS)
        found = next((each for each in self.operations if each.name == name), None)
        return found or coded(ErrorCode.BAD_REQUEST, UNKNOWN)


class Documents:
    """Cache the documents that were sent last, refused ones too, within a number of bytes.

    Those that were sent twice have most of the room, so that a caller who sends new ones all the time does not displace what others use.
    """

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits, *, most_bytes: int, is_open: bool) -> None:
        """`is_open` shows the schema: by introspection, and by suggestions where a name is wrong."""
        self._schema = schema
        self._limits = limits
        self._most_bytes = most_bytes
        self._is_open = is_open
        self._rules = specified_rules if is_open else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._prices = prices(schema)
        self._alone = alone(schema)
        self._once: OrderedDict[str, Document] = OrderedDict()  # sent once, the oldest first
        self._again: OrderedDict[str, Document] = OrderedDict()  # sent again, the one that was used longest ago first
        self._bytes_again = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._once) + len(self._again)

    def known(self, key: str) -> Document | None:
        """By the SHA-256 of its text, in hexadecimal digits."""
        if found := self._again.get(key):
            self._again.move_to_end(key)
        elif found := self._once.pop(key, None):
            self._again[key] = found
            self._bytes_again += found.size
            while self._bytes_again > SHARE_AGAIN * self._most_bytes:
                older, gone = self._again.popitem(last=False)
                self._bytes_again -= gone.size
                self._once[older] = gone
        return found

    def of(self, text: str, key: str | None = None) -> Document:
        """Read the document, unless it is known; `key` is the hash of its text, if it was computed before.

        One whose length alone refuses it is not kept: a few of those would leave no room for others. Nor is one that meets a fault of ours.
        """
        key = key or hash_of(text)
        if found := self.known(key):
            return found
        with _young():
            read = self._read(key, text)
        is_fault = any(error.original_error for error in read.errors)
        return read if is_fault or len(text) > self._limits.characters else self._keep(read)

    def _keep(self, document: Document) -> Document:
        self._once[document.key] = document
        self.bytes += document.size
        while self.bytes > self._most_bytes:
            _, gone = self._once.popitem(last=False)
            self.bytes -= gone.size
        return document

    def _read(self, key: str, text: str) -> Document:
        limits = self._limits
        try:
            parsed = parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.comments, max_source_length=limits.characters)
        except GraphQLError as wrong:
            return Document(key, _size(text), DocumentNode(), [_unparsed(wrong)])
        long_numbers = _long_numbers(parsed)
        _unlink(parsed)
        errors = (
            refusals(parsed, limits, self._alone)
            or long_numbers
            or _unstorable(text, parsed)
            or ("[" in text and find_long_lists(parsed))
            or self._validated(parsed, suggests=self._is_open and text.isascii())
        )
        size = _size(text, parsed.token_count, len(errors))
        return Document(key, size, parsed, errors, () if errors else self._operations(parsed), bool(SCHEMA.search(text)))

    def _validated(self, parsed: DocumentNode, *, suggests: bool) -> list[GraphQLError]:
        found = validate(self._schema, parsed, self._rules, max_errors=MAX_VARIABLE_ERRORS, hide_suggestions=not suggests)
        if any(error.message == GIVEN_UP for error in found):
            return [coded(ErrorCode.QUERY_TOO_COMPLEX, ENTANGLED)]
        return [coercion_error(error) or _coded(error, ErrorCode.GRAPHQL_VALIDATION_FAILED) for error in found]

    def _operations(self, parsed: DocumentNode) -> list[Operation]:
        fragments = {each.name.value: each for each in parsed.definitions if isinstance(each, FragmentDefinitionNode)}
        roots = {kind: root.name for kind in OperationType if (root := self._schema.get_root_type(kind))}
        measure = Measure(parsed, self._alone)
        known = PreparedOperation.prepare_all(self._schema, measure.operations, fragments)
        costings = (Costing(each.operation, fragments, self._prices, roots[each.operation.operation]) for each in known)
        return [
            Operation(each, costing, Coercion(self._schema, each.operation), self._coerce_or_explain, is_long=extent.alone > 0)
            for each, costing, extent in zip(known, costings, measure.extents, strict=True)
        ]

    def _coerce_or_explain(self, known: PreparedOperation, sent: Mapping[str, Any], suggests: bool) -> Coerced:  # noqa: FBT001 private
        return known.coerce_variables(self._schema, sent, hide_suggestions=not (suggests and self._is_open))


@contextmanager
def _young() -> Iterator[None]:
    """What reading makes and drops again is collected while it is young.

    Once old, all documents that are kept would be looked through with it, which takes a tenth of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect(1)


def _size(text: str, tokens: int = 0, errors: int = 0) -> int:
    return LEAST_BYTES + BYTES_A_TOKEN * tokens + BYTES_A_CHARACTER * len(text) + BYTES_AN_ERROR * errors


def _unparsed(wrong: GraphQLError) -> GraphQLError:
    """Made anew, since the trace of the parser's own holds all tokens. Size is told from grammar by the parser's words alone."""
    code = ErrorCode.QUERY_TOO_COMPLEX if TOO_LARGE.search(wrong.message) else ErrorCode.GRAPHQL_PARSE_FAILED
    return GraphQLError(wrong.message, source=wrong.source, positions=wrong.positions, extensions={"code": code})


def _unlink(parsed: DocumentNode) -> None:
    """Tokens know their neighbours, which only the parser needs: without, a document that is not kept is gone at once.

    In a ring it would wait for the collector, which seldom looks through what is as old as a document that was kept.
    """
    token = parsed.loc.start_token if parsed.loc else None
    while token:
        following, token.prev, token.next = token.next, None, None
        token = following


def _long_numbers(parsed: DocumentNode) -> list[GraphQLError]:
    """Refuse number literals that `int` refuses and `float` reads slowly, wherever they stand, before anything converts them."""
    found: list[GraphQLError] = []
    token = parsed.loc.start_token if parsed.loc else None
    while token and parsed.loc and len(found) < MAX_VARIABLE_ERRORS:
        if token.kind in NUMBERS and has_too_many_digits(token.value or ""):
            found.append(GraphQLError(LONG_NUMBER, source=parsed.loc.source, positions=[token.start], extensions=BAD_INPUT))
        token = token.next
    return found


class _Texts(Visitor):
    """Looks for texts that PostgreSQL cannot keep."""

    def __init__(self) -> None:
        super().__init__()
        self.with_nul: list[StringValueNode] = []

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\0" in node.value:
            self.with_nul.append(node)


def _unstorable(text: str, parsed: DocumentNode) -> list[GraphQLError]:
    if not NUL.search(text):
        return []
    visit(parsed, texts := _Texts())
    return [
        GraphQLError("A text cannot hold the character NUL.", node, extensions=BAD_INPUT) for node in texts.with_nul[:MAX_VARIABLE_ERRORS]
    ]


def _coded(error: GraphQLError, code: ErrorCode) -> GraphQLError:
    """Return a new error: one that was raised for a literal has a traceback, whose frames hold all that validated the document.

    A fault of ours keeps its traceback, for the log.
    """
    extensions = {"code": code, **(error.extensions or {})}
    return GraphQLError(error.message, error.nodes, extensions=extensions, original_error=error if innermost(error) else None)
