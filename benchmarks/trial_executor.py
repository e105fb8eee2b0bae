"""A trial, not product code: an operation compiled once into a plan that completes one level at a time.

Only the error-free path of queries is compiled. Anything unusual (null in a non-null place, an exception, a mutation, introspection, a
directive we do not know) runs on graphql-core's own executor, which gives the exact errors; queries have no side
effects to lose. A field is one of four kinds: read off its row (by attribute or by `read`), `by` a loader, a resolver, or `__typename`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    ExecutionResult,
    FieldNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
    InlineFragmentNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.arguments import convert_arguments

STATS = {"compiled": 0, "run": 0, "bailed": 0, "unsupported": 0}
WHY: dict[str, int] = {}
INT_MAX = 2**31 - 1
KEPT_PLANS = 500


class Unsupported(Exception):  # noqa: N818
    """This operation is never compiled."""


class Bail(Exception):  # noqa: N818
    """This run leaves the path without errors."""


def _condition(directive: DirectiveNode) -> Any:
    """The value of `if`, the only argument of @skip and @include."""
    return directive.arguments[0].value if directive.arguments else None


def _is_included(node: SelectionNode, flags: dict[str, Any]) -> bool:
    for directive in node.directives or ():
        name = directive.name.value
        if name not in {"skip", "include"}:
            raise Unsupported("directive " + name)
        value = _condition(directive)
        is_true = value.value if isinstance(value, BooleanValueNode) else flags[value.name.value]
        if is_true == (name == "skip"):
            return False
    return True


@dataclass
class Plan:
    """A field of a level, and the level below it."""

    key: str
    nodes: list[FieldNode]
    definition: GraphQLField
    type: Any
    parent: GraphQLObjectType
    place: int
    strawberry: Any
    get: Callable[[Any], Any] | None = None
    relation: Any = None
    child: "Level | Kinds | None" = None
    leaf: Callable[[Any], Any] | None = None

    @property
    def is_plain(self) -> bool:
        return self.get is not None and (self.child is None or not self.child.waits)


@dataclass
class Level:
    """A selection on one object type; `build` makes the dicts of all its rows in one comprehension."""

    of: GraphQLObjectType
    build: Callable[[Sequence[Any]], list[Any]]
    build_one: Callable[[Any], dict[str, Any]]
    later: list[Plan]
    sources: tuple[type, ...] | None
    known: set[type] = field(default_factory=set)

    @property
    def waits(self) -> bool:
        return any(not plan.is_plain for plan in self.later)

    def check(self, rows: Sequence[Any]) -> None:
        """graphql-core asks `is_type_of` for each row; a class that passed once passes always."""
        for kind in {row.__class__ for row in rows} - self.known:
            if issubclass(kind, Exception) or hasattr(kind, "__await__") or not (self.sources is None or issubclass(kind, self.sources)):
                raise Bail(f"{kind.__name__} in {self.of.name}")
            self.known.add(kind)


@dataclass
class Kinds:
    """A selection on an abstract type: a level for each type that a row may be of, chosen by the row's class."""

    levels: list[Level]
    chosen: dict[type, Level] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        return any(level.waits for level in self.levels)

    def parts(self, rows: Sequence[Any]) -> list[tuple[Level, list[int]]]:
        """The places of the rows of each level."""
        found: dict[int, tuple[Level, list[int]]] = {}
        for place, row in enumerate(rows):
            level = self.chosen.get(row.__class__) or self._choose(row.__class__)
            found.setdefault(id(level), (level, []))[1].append(place)
        return list(found.values())

    def _choose(self, kind: type) -> Level:
        fitting = [level for level in self.levels if level.sources and issubclass(kind, level.sources)]
        if len(fitting) != 1:
            raise Bail(f"{kind.__name__} is of {len(fitting)} types")
        return self.chosen.setdefault(kind, fitting[0])


def _named(of: Any) -> Any:
    while hasattr(of, "of_type"):
        of = of.of_type
    return of


def _serializer(of: Any) -> Callable[[Any], Any]:
    """The slow but exact way; None where a value is due, or an awaitable, ends the compiled run."""
    is_required = isinstance(of, GraphQLNonNull)
    serialize = (of.of_type if is_required else of).coerce_output_value

    def leaf(value: Any) -> Any:
        if value is None and not is_required:
            return None
        shown = None if value is None or isinstance(value, Exception) or hasattr(value, "__await__") else serialize(value)
        if shown is None:
            raise Bail("null leaf")
        return shown

    return leaf


def _leaf_text(of: Any, value: str, exact: str) -> str:
    """The expression for a leaf: the value itself where its class shows that it needs no conversion."""
    named = of.of_type if isinstance(of, GraphQLNonNull) else of
    null = "" if isinstance(of, GraphQLNonNull) else " or v is None"
    if named in (GraphQLString, GraphQLID) or named.name in {"ID", "Decimal"}:
        return f"v if (v:={value}).__class__ is str{null} else {exact}(v)"
    if named is GraphQLBoolean:
        return f"v if (v:={value}) is True or v is False{null} else {exact}(v)"
    if named is GraphQLInt:
        return f"v if (v:={value}).__class__ is int and -{INT_MAX + 1}<=v<={INT_MAX}{null} else {exact}(v)"
    return f"{exact}({value})"


class Compiler:
    def __init__(self, context: Any, flags: dict[str, Any]) -> None:
        self._schema = context.schema
        self._fragments = context.fragment_definitions
        self._flags = flags
        self.places = 0

    def root(self, operation: Any) -> Level:
        if operation.operation is not OperationType.QUERY:
            raise Unsupported("operation type")
        return self.level(self._schema.query_type, [operation.selection_set])

    def level(self, of: GraphQLObjectType, selections: Sequence[SelectionSetNode | None]) -> Level:
        env: dict[str, Any] = {"Bail": Bail}
        later: list[Plan] = []
        parts = []
        for key, nodes in self._collected(of, selections, {}).items():
            if nodes[0].name.value == "__typename":
                parts.append(f"{key!r}: {of.name!r}")
            else:
                parts.append(f"{key!r}: {self._part(self._plan(of, key, nodes), later, env)}")
        body = "{" + ", ".join(parts) + "}"
        exec(f"def build(rows): return [{body} for s in rows]\ndef one(s):\n if s is None: raise Bail('null')\n return {body}", env)
        definition = (of.extensions or {}).get("strawberry-definition")
        sources = getattr(definition.origin, "sources", None) if definition else None
        if of.is_type_of is not None and sources is None:
            raise Unsupported("is_type_of of " + of.name)
        return Level(of, env["build"], env["one"], later, sources)

    def _part(self, plan: Plan, later: list[Plan], env: dict[str, Any]) -> str:
        """The expression for a field within its row's dict; None for what is filled in later."""
        name = f"f{len(env)}"
        value = f"g{name}(s)" if "read" in plan.strawberry.metadata else f"s.{plan.strawberry.python_name}"
        env["g" + name] = plan.get
        if plan.get and plan.leaf and not isinstance(_unwrapped(plan.type), GraphQLList):
            env[name] = plan.leaf
            return _leaf_text(plan.type, value, name)
        if (
            plan.get
            and isinstance(plan.child, Level)
            and isinstance(plan.type, GraphQLNonNull)
            and not plan.child.later
            and plan.type.of_type is plan.child.of
        ):
            env[name] = plan.child.build_one if plan.child.sources is None else _checked_one(plan.child)
            return f"{name}({value})"
        later.append(plan)
        return "None"

    def _plan(self, of: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Plan:
        definition = of.fields.get(nodes[0].name.value)
        declared = (definition.extensions or {}).get("strawberry-definition") if definition else None
        if definition is None or declared is None:
            raise Unsupported(nodes[0].name.value)
        plan = Plan(key, nodes, definition, definition.type, of, self.places, declared)
        self.places += 1
        if declared.is_basic_field:
            plan.get = declared.metadata.get("read") or attrgetter(declared.python_name)
        elif not declared.extensions:
            plan.relation = declared.metadata.get("by")
        named = _named(definition.type)
        if isinstance(named, GraphQLObjectType):
            plan.child = self.level(named, [node.selection_set for node in nodes])
        elif isinstance(named, GraphQLScalarType | GraphQLEnumType):
            plan.leaf = _serializer(named if isinstance(_unwrapped(definition.type), GraphQLList) else definition.type)
        else:
            sets = [node.selection_set for node in nodes]
            plan.child = Kinds([self.level(each, sets) for each in self._schema.get_possible_types(named)])
            if any(level.sources is None for level in plan.child.levels):
                raise Unsupported("abstract type " + named.name)
        return plan

    def _collected(self, of: GraphQLObjectType, sets: Sequence[Any], found: dict[str, list[FieldNode]]) -> dict[str, list[FieldNode]]:
        for node in (node for selection in sets for node in selection.selections if _is_included(node, self._flags)):
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
                continue
            fragment = node if isinstance(node, InlineFragmentNode) else self._fragments[node.name.value]
            condition = fragment.type_condition
            if condition is None or condition.name.value == of.name or self._is_kind(of, condition.name.value):
                self._collected(of, [fragment.selection_set], found)
        return found

    def _is_kind(self, of: GraphQLObjectType, name: str) -> bool:
        kind = self._schema.get_type(name)
        return kind is not None and not isinstance(kind, GraphQLObjectType) and self._schema.is_sub_type(kind, of)


def _checked_one(level: Level) -> Callable[[Any], dict[str, Any]]:
    def one(row: Any) -> dict[str, Any]:
        if row.__class__ not in level.known:
            level.check([row])
        return level.build_one(row)

    return one


def _unwrapped(of: Any) -> Any:
    return of.of_type if isinstance(of, GraphQLNonNull) else of


class Run:
    """One operation in progress."""

    def __init__(self, context: Any, places: int) -> None:
        self._context = context
        self._arguments: list[dict[str, Any] | None] = [None] * places

    async def level(self, level: Level | Kinds, rows: Sequence[Any]) -> list[Any]:
        if isinstance(level, Kinds):
            parts = level.parts(rows)
            return _merged([(places, await self.level(of, [rows[place] for place in places])) for of, places in parts], len(rows))
        level.check(rows)
        built = level.build(rows)
        if not built:
            return built
        waiting = []
        for plan in level.later:
            if plan.is_plain:
                _put(plan, built, _completed(plan, plan.type, [plan.get(row) for row in rows]))  # type: ignore[misc]
            else:
                waiting.append(self._later(plan, rows, built))
        if len(waiting) == 1:
            await waiting[0]
        elif waiting:
            await asyncio.gather(*waiting)
        return built

    async def _later(self, plan: Plan, rows: Sequence[Any], built: list[Any]) -> None:
        values = await self._values(plan, rows)
        if plan.child is not None and plan.child.waits:
            _put(plan, built, await self._completed(plan, plan.type, values))
        else:
            _put(plan, built, _completed(plan, plan.type, values))

    async def _values(self, plan: Plan, rows: Sequence[Any]) -> list[Any]:
        if plan.get:
            return [plan.get(row) for row in rows]
        if plan.relation is None:
            return [await value if isinstance(value, Awaitable) else value for value in (self._called(plan, row) for row in rows)]
        loader = plan.relation.loader(self._context.context_value.loaders, **self._converted(plan))
        keys = [getattr(row, plan.relation.key) for row in rows]
        if None not in keys:
            loaded: list[Any] = await loader.load_level(keys)
            return loaded
        places = [place for place, key in enumerate(keys) if key is not None]
        return _merged([(places, await loader.load_level([keys[place] for place in places]))], len(keys))

    def _converted(self, plan: Plan) -> dict[str, Any]:
        known = self._arguments[plan.place]
        if known is None:
            schema = self._context.schema._strawberry_schema
            raw = get_argument_values(plan.definition, plan.nodes[0], self._context.variable_values, None)
            scalars = schema.schema_converter.scalar_registry
            known = convert_arguments(raw, plan.strawberry.arguments, scalar_registry=scalars, config=schema.config) if raw else {}
            self._arguments[plan.place] = known
        return known

    def _called(self, plan: Plan, row: Any) -> Any:
        info = self._context.build_resolve_info(plan.definition, plan.nodes, plan.parent, Path(None, plan.key, plan.parent.name))
        raw = get_argument_values(plan.definition, plan.nodes[0], self._context.variable_values, None)
        if plan.definition.resolve is None:
            raise Bail("no resolver")
        return plan.definition.resolve(row, info, **raw)

    async def _completed(self, plan: Plan, of: Any, values: Sequence[Any]) -> list[Any]:
        inner, present, back = _present(of, values)
        if isinstance(inner, GraphQLList):
            flat, split = _flattened(present)
            return back(split(await self._completed(plan, inner.of_type, flat)))
        return back(await self.level(plan.child, present))  # type: ignore[arg-type]


def _put(plan: Plan, built: list[Any], values: list[Any]) -> None:
    key = plan.key
    for row, value in zip(built, values, strict=True):
        row[key] = value


def _completed(plan: Plan, of: Any, values: Sequence[Any]) -> list[Any]:
    inner, present, back = _present(of, values)
    if isinstance(inner, GraphQLList):
        flat, split = _flattened(present)
        return back(split(_completed(plan, inner.of_type, flat)))
    if plan.child is None:
        return back([plan.leaf(value) for value in present])  # type: ignore[misc]
    return back(_level(plan.child, present))


def _level(level: Level | Kinds, rows: Sequence[Any]) -> list[Any]:
    """A level that waits for nothing."""
    if isinstance(level, Kinds):
        return _merged([(places, _level(of, [rows[place] for place in places])) for of, places in level.parts(rows)], len(rows))
    level.check(rows)
    built = level.build(rows)
    for below in level.later:
        _put(below, built, _completed(below, below.type, [below.get(row) for row in rows]))  # type: ignore[misc]
    return built


def _merged(parts: Sequence[tuple[list[int], list[Any]]], size: int) -> list[Any]:
    """What became of the rows at those places; None at all others."""
    found: list[Any] = [None] * size
    for places, done in parts:
        for place, value in zip(places, done, strict=True):
            found[place] = value
    return found


def _present(of: Any, values: Sequence[Any]) -> tuple[Any, Sequence[Any], Callable[[list[Any]], list[Any]]]:
    """The values that are not null, and how to put what they become back in their places."""
    places = [place for place, value in enumerate(values) if value is not None]
    if len(places) == len(values):
        return _unwrapped(of), values, list
    if isinstance(of, GraphQLNonNull):
        raise Bail("null in a non-null place")

    def back(done: list[Any]) -> list[Any]:
        found: list[Any] = [None] * len(values)
        for place, value in zip(places, done, strict=True):
            found[place] = value
        return found

    return of, [values[place] for place in places], back


def _flattened(values: Sequence[Any]) -> tuple[list[Any], Callable[[list[Any]], list[Any]]]:
    if any(value.__class__ is not list and value.__class__ is not tuple for value in values):
        raise Bail("not a list")

    def split(done: list[Any]) -> list[Any]:
        rest = iter(done)
        return [[next(rest) for _ in value] for value in values]

    return [item for value in values for item in value], split


_plans: dict[tuple[int, int], tuple[Any, Any, list[str], dict[tuple[Any, ...], tuple[Level, int] | None]]] = {}


def _variables(selection: SelectionSetNode) -> Iterator[str]:
    """The variables that decide which fields are in."""
    for node in selection.selections:
        for directive in node.directives or ():
            if directive.name.value in {"skip", "include"} and isinstance(value := _condition(directive), VariableNode):
                yield value.name.value
        if (below := getattr(node, "selection_set", None)) is not None:
            yield from _variables(below)


def _compiled(context: Any, flags: dict[str, Any]) -> tuple[Level, int] | None:
    try:
        compiler = Compiler(context, flags)
        root = compiler.root(context.operation)
    except Unsupported as why:
        STATS["unsupported"] += 1
        WHY[str(why)] = WHY.get(str(why), 0) + 1
        return None
    STATS["compiled"] += 1
    return root, compiler.places


def plan_of(context: Any) -> tuple[Level, int] | None:
    """The kept plan of this schema, parsed document, and values of the variables that decide which fields are in."""
    operation, schema = context.operation, context.schema
    kept = _plans.get((id(schema), id(operation)))
    if kept is None or kept[0] is not operation or kept[1] is not schema:
        if len(_plans) > KEPT_PLANS:
            _plans.clear()
        sets = [operation.selection_set, *(fragment.selection_set for fragment in context.fragment_definitions.values())]
        kept = (operation, schema, sorted({name for each in sets for name in _variables(each)}), {})
        _plans[id(schema), id(operation)] = kept
    values = context.variable_values.coerced
    flags = {name: values.get(name) for name in kept[2]}
    key = tuple(flags.values())
    if key not in kept[3]:
        kept[3][key] = _compiled(context, flags)
    return kept[3][key]


class LevelExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, with the error-free path of queries compiled."""

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: FBT001 graphql-core's signature
        plan = None if self.middleware_manager and self.middleware_manager.middlewares else plan_of(self)
        return super().execute_operation(serially) if plan is None else self._run(*plan)

    async def _run(self, root: Level, places: int) -> Any:
        try:
            data = (await Run(self, places).level(root, [self.root_value]))[0]
        except Exception as why:  # noqa: BLE001 graphql-core runs it again and gives the exact error
            STATS["bailed"] += 1
            WHY[repr(why)] = WHY.get(repr(why), 0) + 1
            result = super().execute_operation(None)
            return await result if isinstance(result, Awaitable) else result
        STATS["run"] += 1
        return ExecutionResult(data, None)
