"""What an operation is compiled to: levels of fields, and what each field needs to be answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLList, GraphQLObjectType, GraphQLOutputType, get_nullable_type

MOST_KNOWN = 20  # classes of rows: a statement with other columns has another
Get = Callable[[Any], Any]


class UncompiledError(Exception):
    """This operation is never compiled."""


class UnusualError(Exception):
    """This run has come to something that graphql-core alone answers."""


@dataclass
class Step:
    """A field of a level that its row's dict is given later: what is in it, and the level below."""

    key: str
    nodes: list[FieldNode]
    definition: GraphQLField
    type: GraphQLOutputType
    parent: GraphQLObjectType
    declared: Any  # Strawberry's field
    get: Get | None = None  # read off the row
    relation: Any = None  # asked of a loader, for all rows at once
    below: "Level | Kinds | None" = None
    leaf: Get | None = None
    call: Any = None  # of its resolver, or of its relation's loader

    @property
    def waits(self) -> bool:
        """Whether anything in it is answered later than its row."""
        return self.get is None or (self.below is not None and self.below.waits)


@dataclass
class Text:
    """The expression of a level's dict, in Python: the name of its row, its fields, and the values of the names it uses."""

    row: str
    parts: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> str:
        return "{" + ", ".join(self.parts) + "}"


@dataclass
class Level:
    """A selection on one object type. `build` makes the dicts of all rows in one comprehension, with None for what the steps bring."""

    of: GraphQLObjectType
    build: Callable[[Sequence[Any], Any], list[dict[str, Any]]]
    build_one: Callable[[Any, Any], dict[str, Any]]
    steps: list[Step]
    sources: tuple[type, ...] | None  # the classes whose rows are of the type; None where its parent says so
    objects: int  # that a row becomes: itself, and those within it that wait for nothing; but those in lists
    most_bytes: int  # of those objects as JSON, without what is within them besides
    known: set[type] = field(default_factory=set)

    @property
    def waits(self) -> bool:
        return any(step.waits for step in self.steps)

    def check(self, rows: Sequence[Any]) -> None:
        """graphql-core asks `is_type_of` for each row; a class that passed once passes always."""
        for kind in {row.__class__ for row in rows} - self.known:
            if issubclass(kind, Exception) or hasattr(kind, "__await__") or not (self.sources is None or issubclass(kind, self.sources)):
                raise UnusualError(f"{kind.__name__} in {self.of.name}")
            if len(self.known) == MOST_KNOWN:
                self.known.clear()
            self.known.add(kind)

    def one(self, row: Any, run: Any) -> dict[str, Any]:  # noqa: ANN401 whatever the row is
        """Of a single row that is within another's, and of a class that was not seen before."""
        if row is None:
            raise UnusualError("null in a non-null place")
        self.check([row])
        return self.build_one(row, run)


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
        return [*found.values()]

    def _choose(self, kind: type) -> Level:
        fitting = [level for level in self.levels if level.sources and issubclass(kind, level.sources)]
        if len(fitting) != 1:
            raise UnusualError(f"{kind.__name__} is of {len(fitting)} types")
        if len(self.chosen) == MOST_KNOWN:
            self.chosen.clear()
        return self.chosen.setdefault(kind, fitting[0])


@dataclass(frozen=True)
class Plan:
    """An operation, for one set of values of the variables that decide which fields are in."""

    root: Level
    size: int  # in fields

    @cached_property
    def asks_once(self) -> bool:
        """Whether all that is asked is one object or page of the root. A list may be asked by one statement for each type in it."""
        asking = [step for step in self.root.steps if step.waits]
        if len(asking) != 1 or asking[0].get or asking[0].below is None or asking[0].below.waits:
            return False
        return not isinstance(get_nullable_type(asking[0].type), GraphQLList)
