"""The plan of an operation: nested levels of fields, and how each field gets its values."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, get_nullable_type

MAX_KNOWN_CLASSES = 20  # per level; rows have a class for each set of columns that a statement selects
Getter = Callable[[Any], Any]
BuildFunction = Callable[..., list[dict[str, Any]]]  # takes the rows, the run, and the iterators of fetched fields


class FallbackError(Exception):
    """The plan cannot complete a value, so the operation runs on graphql-core from the beginning."""


@dataclass(frozen=True)
class RowValue:
    """A value that is read from a row: by `getter`, or in generated code by an equivalent path or expression, if there is one."""

    getter: Getter
    path: str | None  # attributes, separated by dots; empty for the row itself
    expression: object = None


@dataclass
class TypedField:
    """Base of the fields of a level: the type, and the objects and bytes of JSON that the field adds to every row.

    Nullable objects and objects in lists are counted when they are built, not here.
    """

    type: GraphQLOutputType
    object_count: int = field(default=0, init=False)
    max_bytes: int = field(default=0, kw_only=True)

    @property
    def is_required(self) -> bool:
        return isinstance(self.type, GraphQLNonNull)

    @property
    def is_list(self) -> bool:
        return isinstance(get_nullable_type(self.type), GraphQLList)


@dataclass
class LeafField(TypedField):
    """A scalar, an enum value or a list of them. The dict of its row contains the expression that serializes it."""

    value: RowValue
    serialize: Getter


@dataclass
class NestedField(TypedField):
    """An object or a list of objects. The dict of its row contains the expression that builds it."""

    value: RowValue
    level: "Level"

    def __post_init__(self) -> None:
        self.is_in_every_row = self.is_required and not self.is_list
        if self.is_in_every_row:
            self.object_count, self.max_bytes = self.level.object_count, self.level.max_bytes


@dataclass
class FetchedField(TypedField):
    """A field whose values are collected for all rows of its level before the dicts are built. An iterator then supplies one for each row.

    There are three kinds. A relation loads the values of all rows with one call. A resolver is called for each row. A getter reads a value
    that the row contains, but that cannot be completed within a dict, such as an object of an abstract type.
    """

    content: "Content"
    inline: LeafField | NestedField | None  # completes a value within the dict of its row; None if `run` completes the values
    getter: Getter | None
    call: Any  # a `FieldCall`, for a resolver or a relation
    relation: Any
    is_exclusive: bool = False  # nothing else in the operation uses its loader


Field: TypeAlias = LeafField | NestedField | FetchedField


@dataclass(frozen=True)
class Fetch:
    """A fetched field of the rows of a level, or of objects within them, to which the getters of `path` lead."""

    field: FetchedField
    path: tuple[Getter, ...]
    name: str  # of its iterator in the generated function


@dataclass
class Level:
    """The selected fields of one object type. `build` creates the dicts of all rows at once, and iterators supply the fetched values."""

    object_type: GraphQLObjectType
    fields: Sequence[tuple[str, Field | None]]  # with their response keys; None is `__typename`
    sources: tuple[type, ...] | None  # the classes of rows of the type; None if any class is
    object_count: int  # in each row: the row and the objects that are always within it
    max_bytes: int  # of JSON for those objects
    known_classes: set[type] = field(default_factory=set)
    fetches: list[Fetch] = field(default_factory=list)
    build: BuildFunction | None = None  # generated on first use

    @property
    def has_fetches(self) -> bool:
        return any(isinstance(each, FetchedField) or (isinstance(each, NestedField) and each.level.has_fetches) for _, each in self.fields)

    def check(self, rows: Iterable[Any]) -> bool:
        """Check that the rows are of the object type. Each class is checked once; graphql-core calls `is_type_of` for each row.

        Raises `FallbackError` if a class does not belong to the type. Returns True, so that generated expressions can call it.
        """
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
        """Check a nested row whose class is not a known one."""
        if row is None:
            raise FallbackError("null in a non-null place")
        return self.check([row])


@dataclass
class AbstractLevel:
    """A selection on an abstract type: a level for each possible type, chosen by the class of the row."""

    levels: list[Level]
    levels_by_class: dict[type, Level] = field(default_factory=dict)

    def partition(self, rows: Sequence[Any]) -> list[tuple[Level, list[int]]]:
        """Return the levels of the rows, each with the indexes of its rows."""
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


Content: TypeAlias = Getter | Level | AbstractLevel
"""The part of a field that completes its values: a serializer for leaves, or a level for objects."""


@dataclass(frozen=True)
class Plan:
    """A compiled operation, for one set of values of its conditional variables."""

    root: Level
    size: int  # memory, as a number of fields
    query_fields: Sequence[FetchedField]  # fields of relations and resolvers
    followers: Sequence[tuple[tuple[type, ...], FetchedField]]  # relations by the id of the root field's rows, of these classes

    @cached_property
    def has_one_query(self) -> bool:
        """Whether the plan queries only one object or page. A list may need a statement for each type in it."""
        return len(self.query_fields) == 1 and not self.query_fields[0].is_list

    @cached_property
    def has_many_queries(self) -> bool:
        """Whether the plan may send several queries to the database."""
        return len(self.query_fields) > 1

    @cached_property
    def has_only_followers(self) -> bool:
        """Whether the plan queries only the root's single field and its followers."""
        return len(self.query_fields) == 1 + len(self.followers)
