"""From a document to a plan. A field is one of four kinds: read off its row, `by` a loader, by a resolver, or `__typename`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
)
from graphql import language as ast

from resolvers.calls import Call
from resolvers.executor.leaves import exact, expression, most_bytes
from resolvers.executor.plans import Kinds, Level, Plan, Step, Text, UncompiledError

DECIDING = {"skip", "include"}
MADE = "def build(rows, run): return [{body} for {row} in rows]\ndef build_one({row}, run): return {body}"
LEVEL = 3  # fields: what its functions take
PUNCTUATION = 8  # bytes of JSON around a key and a value
Flags = Mapping[str, Any]
Sets = Sequence[ast.SelectionSetNode]
Found = dict[str, list[ast.FieldNode]]
Fragment = ast.InlineFragmentNode | ast.FragmentDefinitionNode


def deciding(sets: Iterable[ast.SelectionSetNode]) -> Iterator[str]:
    """The variables that decide which fields are in."""
    for node in (node for each in sets for node in each.selections):
        for directive in node.directives or ():
            if directive.name.value in DECIDING and isinstance(value := _condition(directive), ast.VariableNode):
                yield value.name.value
        if below := getattr(node, "selection_set", None):
            yield from deciding([below])


def _condition(directive: ast.DirectiveNode) -> object:
    """The value of `if`, the only argument of @skip and @include."""
    return directive.arguments[0].value if directive.arguments else None


def _is_in(node: ast.SelectionNode, flags: Flags) -> bool:
    for directive in node.directives or ():
        if directive.name.value not in DECIDING:
            raise UncompiledError(f"@{directive.name.value}")
        value = _condition(directive)
        is_true = value.value if isinstance(value, ast.BooleanValueNode) else flags[value.name.value]  # type: ignore[attr-defined]
        if is_true == (directive.name.value == "skip"):
            return False
    return True


class Compiler:
    """Of one operation, for one set of values of its deciding variables."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, ast.FragmentDefinitionNode], flags: Flags) -> None:
        self._schema = schema
        self._fragments = fragments
        self._flags = flags
        self._fields = self._levels = 0
        self._texts: dict[int, Text] = {}  # by the id of their level

    def plan(self, operation: ast.OperationDefinitionNode) -> Plan:
        if operation.operation is not ast.OperationType.QUERY or self._schema.query_type is None:
            raise UncompiledError(operation.operation.value)
        root = self._level(self._schema.query_type, [operation.selection_set])
        return Plan(root, self._fields + LEVEL * self._levels)

    def _level(self, of: GraphQLObjectType, sets: Sets) -> Level:
        self._levels += 1
        text, steps, within = Text(f"s{self._levels}"), list[Step](), list[Level]()
        size = 0
        for key, nodes in self._collected(of, sets, {}, set()).items():
            size += len(key) + PUNCTUATION
            if nodes[0].name.value == "__typename":
                text.parts.append(f"{key!r}: {of.name!r}")
                size += len(of.name)
                continue
            step = self._step(of, key, nodes)
            text.parts.append(f"{key!r}: {self._part(step, text, steps, within)}")
            size += most_bytes(step.type, step.declared.metadata.get("reads") or [step.declared.python_name]) if step.leaf else 0
        made: dict[str, Any] = {}  # apart from what they use, so that no ring keeps a plan alive
        exec(MADE.format(row=text.row, body=text.body), text.names, made)  # noqa: S102 made of names of the schema, and of keys as Python's own literals
        declared = (of.extensions or {}).get("strawberry-definition")
        sources = getattr(declared.origin, "sources", None) if declared else None
        if of.is_type_of is not None and sources is None:
            raise UncompiledError(f"is_type_of {of.name}")
        level = Level(
            of,
            made["build"],
            made["build_one"],
            steps,
            sources,
            1 + sum(level.objects for level in within),
            size + sum(level.most_bytes for level in within),
        )
        self._texts[id(level)] = text
        return level

    def _part(self, step: Step, text: Text, steps: list[Step], within: list[Level]) -> str:
        """The expression for a field within its row's dict; None for what a step brings.

        An object that waits for nothing is an expression within its parent's, and so is a list of them.
        """
        self._fields += 1
        name, below = f"f{self._fields}", step.below
        value = f"g{name}({text.row})" if "read" in step.declared.metadata else f"{text.row}.{step.declared.python_name}"
        text.names[f"g{name}"] = step.get
        if step.get and step.leaf and not isinstance(_nullable(step.type), GraphQLList):
            text.names[name] = step.leaf
            return expression(step.type, value, name)
        if step.get and isinstance(below, Level) and not below.steps and str(step.type) in {f"{below.of}!", f"[{below.of}!]!"}:
            inner = self._texts[id(below)]
            row = inner.row
            text.names |= {**inner.names, name: below.one, f"k{name}": below.known}
            if str(step.type) == f"[{below.of}!]!":
                one = f"{inner.body} if {row}.__class__ in k{name} else {name}({row}, run)"
                return f"[{one} for {row} in run.listed({value}, {below.objects}, {below.most_bytes})]"
            within.append(below)
            return f"({inner.body} if ({row}:={value}).__class__ in k{name} else {name}({row}, run))"
        steps.append(step)
        return "None"

    def _step(self, of: GraphQLObjectType, key: str, nodes: list[ast.FieldNode]) -> Step:
        definition = of.fields.get(nodes[0].name.value)
        declared = (definition.extensions or {}).get("strawberry-definition") if definition else None
        if definition is None or declared is None:
            raise UncompiledError(nodes[0].name.value)
        step = Step(key, nodes, definition, definition.type, of, declared)
        if declared.is_basic_field:
            step.get = declared.metadata.get("read") or attrgetter(declared.python_name)
        else:
            step.relation, resolver = declared.metadata.get("by"), declared.base_resolver
            if declared.extensions or not (step.relation or resolver.root_parameter is resolver.self_parameter is None):
                raise UncompiledError(declared.python_name)  # something stands between the field and its resolver
            step.call = Call(cast("Any", self._schema)._strawberry_schema, definition, nodes[0], declared)  # noqa: SLF001 its own way to it
        named, sets = get_named_type(definition.type), [node.selection_set for node in nodes if node.selection_set]
        if isinstance(named, GraphQLObjectType):
            step.below = self._level(named, sets)
        elif isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            step.below = self._kinds(named, sets)
        elif isinstance(named, GraphQLScalarType | GraphQLEnumType):
            step.leaf = exact(named if isinstance(_nullable(definition.type), GraphQLList) else definition.type)
        return step

    def _kinds(self, of: GraphQLInterfaceType | GraphQLUnionType, sets: Sets) -> Kinds:
        made = Kinds([self._level(each, sets) for each in self._schema.get_possible_types(of)])
        if any(level.sources is None for level in made.levels):
            raise UncompiledError(f"abstract {of.name}")
        return made

    def _collected(self, of: GraphQLObjectType, sets: Sets, found: Found, seen: set[str]) -> Found:
        """The fields by the key of the answer, in the order in which the document first has them. A fragment counts once."""
        for node in (node for each in sets for node in each.selections if _is_in(node, self._flags)):
            if isinstance(node, ast.FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, ast.InlineFragmentNode):
                self._collect_fragment(of, node, found, seen)
            elif isinstance(node, ast.FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                self._collect_fragment(of, self._fragments[node.name.value], found, seen)
        return found

    def _collect_fragment(self, of: GraphQLObjectType, fragment: Fragment, found: Found, seen: set[str]) -> None:
        condition = fragment.type_condition
        if condition is None or condition.name.value == of.name or self._is_of(of, condition.name.value):
            self._collected(of, [fragment.selection_set], found, seen)

    def _is_of(self, of: GraphQLObjectType, name: str) -> bool:
        kind = self._schema.get_type(name)
        return is_abstract_type(kind) and self._schema.is_sub_type(kind, of)


def _nullable(of: Any) -> Any:  # noqa: ANN401 graphql-core's own union of types
    return of.of_type if isinstance(of, GraphQLNonNull) else of
