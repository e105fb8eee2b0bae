"""What an operation is compiled to: levels of fields, and what each field needs to be answered."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType

MOST_KNOWN = 20  # classes of rows: a statement with other columns has another
Get = Callable[[Any], Any]
Build = Callable[..., list[dict[str, Any]]]  # of rows, the run, and the iterators


class UnusualError(Exception):
    """This run has come to something that graphql-core alone answers."""


@dataclass
class Step:
    """A field of a level: where its values come from, what is in it, and the level below.

    It is built `in_place`, as an expression within the dict of its row, unless its values have to be completed by themselves. It is
    `fetched` if its values are read for all rows of its level before their dicts are built; then an iterator feeds them to the rows.
    """

    type: GraphQLOutputType
    declared: Any  # Strawberry's field
    get: Get | None  # read off the row
    call: Any  # of its resolver, or of its relation's loader
    leaf: Get | None
    below: "Level | Kinds | None"

    def __post_init__(self) -> None:
        metadata = self.declared.metadata
        self.relation = metadata.get("by")  # asked of a loader, for all rows at once
        self.inlined = metadata.get("inlined")
        self.path: str | None = metadata.get("path", self.declared.python_name)  # of attributes; None for a function
        self.is_required = isinstance(self.type, GraphQLNonNull)
        inner: Any = self.type.of_type if isinstance(self.type, GraphQLNonNull) else self.type
        self.is_list = isinstance(inner, GraphQLList)
        self.is_alone = False  # nothing else in the operation asks its loader
        self.in_place = self._has_plain_value(inner.of_type if self.is_list else None)
        self.is_fetched = self.get is None or not self.in_place

    def _has_plain_value(self, entry: Any) -> bool:  # noqa: ANN401 graphql-core's own union of types
        if self.is_list and not (isinstance(entry, GraphQLNonNull) and not isinstance(entry.of_type, GraphQLList)):
            return False
        if not isinstance(self.below, Level):
            return self.leaf is not None
        return not self.below.has_fetches or (self.get is not None and self.is_required and not self.is_list)


@dataclass(frozen=True)
class Fetch:
    """A fetched field of the rows of a level, or of the objects that these getters, one after the other, lead to."""

    step: Step
    path: tuple[Get, ...]
    name: str  # of its iterator


@dataclass
class Level:
    """A selection on one object type. `build` makes the dicts of all rows in one comprehension; each fetch feeds it by an iterator."""

    of: GraphQLObjectType
    fields: list[tuple[str, Step | None]]  # by their keys; None is `__typename`
    sources: tuple[type, ...] | None  # the classes whose rows are of the type; None where its parent says so
    objects: int  # that a row becomes: itself, and those within it that are always there; but those in lists
    most_bytes: int  # of those objects as JSON, without what is within them besides
    known: set[type] = field(default_factory=set)
    fetches: list[Fetch] = field(default_factory=list)
    build: Build | None = None  # written when it is first needed

    @property
    def has_fetches(self) -> bool:
        return any(step.is_fetched or (isinstance(step.below, Level) and step.below.has_fetches) for _, step in self.fields if step)

    def check(self, rows: Iterable[Any]) -> bool:
        """graphql-core asks `is_type_of` for each row; a class that passed once passes always."""
        for kind in {row.__class__ for row in rows} - self.known:
            if issubclass(kind, Exception) or hasattr(kind, "__await__") or not (self.sources is None or issubclass(kind, self.sources)):
                raise UnusualError(f"{kind.__name__} in {self.of.name}")
            if len(self.known) == MOST_KNOWN:
                self.known.clear()
            self.known.add(kind)
        return True

    def check_one(self, row: object) -> bool:
        """Check a row within another's, of a class that was not seen before."""
        if row is None:
            raise UnusualError("null in a non-null place")
        return self.check([row])


@dataclass
class Kinds:
    """A selection on an abstract type: a level for each type that a row may be of, chosen by the row's class."""

    levels: list[Level]
    chosen: dict[type, Level] = field(default_factory=dict)

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
    asking: Sequence[Step]  # all fields whose values are not read off rows
    followers: Sequence[tuple[tuple[type, ...], Step]]  # what is asked by the ids of the rows of the root's only field

    @property
    def asks_once(self) -> bool:
        """Whether all that is asked is one object or page. A list of the root may be asked by one statement for each type in it."""
        return len(self.asking) == 1 and not self.asking[0].is_list

    @property
    def gathers(self) -> bool:
        """Whether it may ask the database several questions."""
        return len(self.asking) > 1

    @property
    def is_led(self) -> bool:
        """Whether nothing is asked besides the root's only field and its followers."""
        return len(self.asking) == 1 + len(self.followers)
