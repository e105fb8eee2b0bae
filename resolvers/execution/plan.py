"""The plan of an operation: levels of fields, and what each field needs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType

MAX_KNOWN_CLASSES = 20  # classes of rows: each set of columns of a statement has its own
Getter = Callable[[Any], Any]
BuildFunction = Callable[..., list[dict[str, Any]]]  # of rows, the run, and the iterators


class FallbackError(Exception):
    """The run has met something that only graphql-core can answer."""


@dataclass
class Step:
    """A field of a level: the source of its values, its leaf or child level.

    It is built inline, as an expression within the dict of its row, unless its values must be completed separately. It is
    fetched if its values are read for all rows of its level before their dicts are built; then an iterator feeds them to the rows.
    """

    type: GraphQLOutputType
    strawberry_field: Any  # Strawberry's field
    getter: Getter | None  # read off the row
    call: Any  # of its resolver, or of its relation's loader
    leaf: Getter | None
    child: "Level | AbstractLevel | None"

    def __post_init__(self) -> None:
        metadata = self.strawberry_field.metadata
        self.relation = metadata.get("relation")  # loaded for all rows at once
        self.expression = metadata.get("expression")
        self.path: str | None = metadata.get("path", self.strawberry_field.python_name)  # of attributes; None for a function
        self.is_required = isinstance(self.type, GraphQLNonNull)
        nullable_type: Any = self.type.of_type if isinstance(self.type, GraphQLNonNull) else self.type
        self.is_list = isinstance(nullable_type, GraphQLList)
        self.is_exclusive = False  # nothing else in the operation uses its loader
        self.is_inline = self._has_plain_value(nullable_type.of_type if self.is_list else None)
        self.is_fetched = self.getter is None or not self.is_inline

    def _has_plain_value(self, entry: Any) -> bool:  # noqa: ANN401 graphql-core's own union of types
        if self.is_list and not (isinstance(entry, GraphQLNonNull) and not isinstance(entry.of_type, GraphQLList)):
            return False
        if not isinstance(self.child, Level):
            return self.leaf is not None
        return not self.child.has_fetches or (self.getter is not None and self.is_required and not self.is_list)


@dataclass(frozen=True)
class Fetch:
    """A fetched field of the rows of a level, or of the objects that these getters, applied in order, lead to."""

    step: Step
    path: tuple[Getter, ...]
    name: str  # of its iterator


@dataclass
class Level:
    """A selection on one object type. `build` creates the dicts of all rows in one comprehension, fed by the iterators of its fetches."""

    object_type: GraphQLObjectType
    fields: list[tuple[str, Step | None]]  # by their keys; None is `__typename`
    sources: tuple[type, ...] | None  # the classes whose rows are of the type; None where its parent says so
    object_count: int  # of a row: itself and those that are always within it, without lists
    max_bytes: int  # of those objects as JSON, without other nested values
    known_classes: set[type] = field(default_factory=set)
    fetches: list[Fetch] = field(default_factory=list)
    build: BuildFunction | None = None  # generated on first use

    @property
    def has_fetches(self) -> bool:
        return any(step.is_fetched or (isinstance(step.child, Level) and step.child.has_fetches) for _, step in self.fields if step)

    def check(self, rows: Iterable[Any]) -> bool:
        """Check the classes of the rows, as `is_type_of` does for each row; a class passes once for all."""
        for row_class in {row.__class__ for row in rows} - self.known_classes:
            if (
                issubclass(row_class, Exception)
                or hasattr(row_class, "__await__")
                or not (self.sources is None or issubclass(row_class, self.sources))
            ):
                raise FallbackError(f"{row_class.__name__} in {self.object_type.name}")
            if len(self.known_classes) == MAX_KNOWN_CLASSES:
                self.known_classes.clear()
            self.known_classes.add(row_class)
        return True

    def check_one(self, row: object) -> bool:
        """Check a nested row of a class that was not seen before."""
        if row is None:
            raise FallbackError("null in a non-null place")
        return self.check([row])


@dataclass
class AbstractLevel:
    """A selection on an abstract type: a level for each possible type, chosen by the class of the row."""

    levels: list[Level]
    levels_by_class: dict[type, Level] = field(default_factory=dict)

    def partition(self, rows: Sequence[Any]) -> list[tuple[Level, list[int]]]:
        """Return the indexes of the rows of each level."""
        parts: dict[int, tuple[Level, list[int]]] = {}
        for index, row in enumerate(rows):
            level = self.levels_by_class.get(row.__class__) or self._choose_level(row.__class__)
            parts.setdefault(id(level), (level, []))[1].append(index)
        return [*parts.values()]

    def _choose_level(self, row_class: type) -> Level:
        candidates = [level for level in self.levels if level.sources and issubclass(row_class, level.sources)]
        if len(candidates) != 1:
            raise FallbackError(f"{row_class.__name__} is of {len(candidates)} types")
        if len(self.levels_by_class) == MAX_KNOWN_CLASSES:
            self.levels_by_class.clear()
        return self.levels_by_class.setdefault(row_class, candidates[0])


@dataclass(frozen=True)
class Plan:
    """A compiled operation, for one set of values of its conditional variables."""

    root: Level
    size: int  # in fields
    query_steps: Sequence[Step]  # all fields whose values are not read off rows
    followers: Sequence[tuple[tuple[type, ...], Step]]  # relations that are loaded by the ids of the rows of the root's only field

    @property
    def has_one_query(self) -> bool:
        """Whether only one object or page is queried. A list of the root may take a statement for each type in it."""
        return len(self.query_steps) == 1 and not self.query_steps[0].is_list

    @property
    def has_many_queries(self) -> bool:
        """Whether the database may get several queries."""
        return len(self.query_steps) > 1

    @property
    def has_only_followers(self) -> bool:
        """Whether nothing is queried besides the root's only field and its followers."""
        return len(self.query_steps) == 1 + len(self.followers)
