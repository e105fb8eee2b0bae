"""Generate random valid documents of the whole schema, with valid and invalid arguments."""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

MAX_DEPTH, MAX_FIELDS = 5, 4
Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
TIME_DEPENDENT_FIELDS = {"DeletionPreview.token", "DeletionPreview.expiresAt"}  # differ from one second to the next
TEXTS = ["", "a", "Client 0", "Client 00", "é", "%"]


@dataclass
class Document:
    """A generated document, and the values of its variables."""

    text: str
    variables: dict[str, object]


@dataclass
class DocumentWriter:
    """Write one document. Ids and cursors are drawn from the given ones, of which some may not exist."""

    schema: GraphQLSchema
    draw: DrawFn
    ids: list[str]
    cursors: list[str]
    declarations: dict[str, str] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    key_count: int = 0

    def write(self) -> Document:
        query = self.schema.query_type
        assert query
        body = self._write_selection(query, MAX_DEPTH)
        declarations = ", ".join(f"${name}: {kind}" for name, kind in self.declarations.items())
        text = "\n".join([f"query Asked{f'({declarations})' if declarations else ''} {body}", *self.fragments.values()])
        return Document(text, self.values)

    def _write_selection(self, kind: GraphQLOutputType, depth: int) -> str:
        named_type = get_named_type(kind)
        parts = [self._write_part(named_type, depth) for _ in range(self.draw(st.integers(1, MAX_FIELDS)))]  # type: ignore[arg-type]
        return (
            "{ __typename " + " ".join(parts) + " }"
            if self.draw(st.booleans())
            else "{ " + " ".join([*parts, self._write_key("__typename")]) + " }"
        )

    def _write_part(self, kind: Composite, depth: int) -> str:
        how = self.draw(st.integers(0, 9)) if depth > 0 else 9
        if depth <= 0 and not isinstance(kind, GraphQLObjectType):
            return self._write_key("__typename")
        if isinstance(kind, GraphQLUnionType) or (isinstance(kind, GraphQLInterfaceType) and how > 2):
            possible_type: Composite = self.draw(st.sampled_from(self.schema.get_possible_types(kind)))
            return f"... on {possible_type.name}{self._write_condition()} {self._write_selection(possible_type, depth - 1)}"
        if how == 0:
            type_condition = self.draw(st.sampled_from(["", f" on {kind.name}"]))
            return f"...{type_condition}{self._write_condition()} {self._write_selection(kind, depth - 1)}"
        if how == 1:
            name = f"F{len(self.fragments)}"
            self.fragments[name] = ""
            self.fragments[name] = f"fragment {name} on {kind.name} {self._write_selection(kind, depth - 1)}"
            return f"...{name}{self._write_condition()}"
        return self._write_field(kind, depth)

    def _write_field(self, kind: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> str:
        steady = {name: each for name, each in kind.fields.items() if f"{kind.name}.{name}" not in TIME_DEPENDENT_FIELDS}
        fits = {name: each for name, each in steady.items() if depth > 0 or is_leaf_type(get_named_type(each.type))}
        if not fits:
            return self._write_key("__typename")
        name = self.draw(st.sampled_from(sorted(fits)))
        arguments = self._write_arguments(fits[name])
        below = "" if is_leaf_type(get_named_type(fits[name].type)) else f" {self._write_selection(fits[name].type, depth - 1)}"
        return f"{self._write_key(name)}{arguments}{self._write_condition()}{below}"

    def _write_key(self, name: str) -> str:
        """Return the field under a unique key, because fields with different arguments cannot be merged."""
        self.key_count += 1
        return f"k{self.key_count}: {name}"

    def _write_condition(self) -> str:
        how = self.draw(st.integers(0, 11))
        if how > 3:
            return ""
        name = ["skip", "include"][how % 2]
        if how > 1:
            return f" @{name}(if: {self.draw(st.sampled_from(['true', 'false']))})"
        flag = self.draw(st.sampled_from(["yes", "no"]))
        self.declarations[flag], self.values[flag] = "Boolean!", flag == "yes"
        return f" @{name}(if: ${flag})"

    def _write_arguments(self, argument: GraphQLField) -> str:
        chosen_arguments = [
            (name, each) for name, each in argument.args.items() if is_required_argument(each) or self.draw(st.integers(0, 3)) == 0
        ]
        return (
            f"({', '.join(f'{name}: {self._write_argument(name, each)}' for name, each in chosen_arguments)})" if chosen_arguments else ""
        )

    def _write_argument(self, name: str, argument: GraphQLArgument) -> str:
        variable = f"v{len(self.declarations)}"
        self.declarations[variable] = str(argument.type)
        value = self._draw_value(name, argument.type)
        if value is not None or not isinstance(argument.type, GraphQLNonNull):
            self.values[variable] = value
        return f"${variable}"

    def _draw_value(self, name: str, kind: GraphQLInputType) -> object:
        if isinstance(kind, GraphQLNonNull):
            return self._draw_value(name, kind.of_type)
        if self.draw(st.integers(0, 19)) == 0:
            return None if self.draw(st.booleans()) else ["wrong"]
        if isinstance(kind, GraphQLList):
            return [self._draw_value(name, kind.of_type) for _ in range(self.draw(st.integers(0, 3)))]
        if isinstance(kind, GraphQLInputObjectType):
            fields = {key: each for key, each in kind.fields.items() if is_required_input_field(each) or self.draw(st.booleans())}
            return {key: self._draw_value(key, each.type) for key, each in fields.items()}
        if isinstance(kind, GraphQLEnumType):
            return self.draw(st.sampled_from(sorted(kind.values)))
        assert isinstance(kind, GraphQLScalarType)
        return self.draw(self._scalar_strategy(name, kind.name))

    def _scalar_strategy(self, name: str, kind: str) -> st.SearchStrategy[Any]:
        if kind == "ID":
            return st.sampled_from(self.ids)
        if kind == "Int":
            return st.sampled_from([1, 2, 3, 3, 5, 0, -1, 101])
        if kind == "Boolean":
            return st.booleans()
        if kind == "Date":
            return st.sampled_from(["2025-01-01", "2026-06-30", "2026-12-31", "2026-13-01"])
        if kind == "DateTime":
            return st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01"])
        return st.sampled_from(self.cursors if name in {"after", "before"} else TEXTS)


@st.composite
def documents(draw: DrawFn, schema: GraphQLSchema, ids: list[str], cursors: list[str]) -> Document:
    return DocumentWriter(schema, draw, ids, cursors).write()
