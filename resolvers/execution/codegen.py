"""Generate the function of a level: one comprehension that creates the dicts of its rows.

Each expression is generated for the row that it reads, by the `Reader` of that row, so that no generated text is ever replaced. Objects and
lists of a row are expressions within its dict.
"""

from typing import Any

from resolvers.execution.expressions import ListExpression, ObjectExpression, Reader, TextExpression
from resolvers.execution.leaves import build_expression
from resolvers.execution.plan import BuildFunction, Fetch, FetchedField, Field, Getter, LeafField, Level, NestedField, RowValue


def generate(level: Level) -> BuildFunction:
    """Generate the function of a level and store it there, with its fetches. Levels within it need no function of their own."""
    generator = CodeGenerator()
    function = generator.generate_function(level)
    namespace: dict[str, Any] = {}  # not the globals of the function: it would be in a cycle with them, which keeps the plan alive
    exec(function, generator.names, namespace)  # noqa: S102 the text contains names of the schema, and keys as Python literals
    level.build, level.fetches = namespace["build"], generator.fetches
    return level.build


def make_attribute_reader(row: str) -> Reader:
    """Return the reader of the row in the variable of that name."""
    return lambda path: f"{row}.{path}" if path else row


class CodeGenerator:
    """Generate the function of one level, and collect its fetches and the values of the names that it uses."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.fetches: list[Fetch] = []
        self._count = 0

    def generate_function(self, level: Level) -> str:
        body = self.generate_row(level, make_attribute_reader("s"), ())
        iterators = "".join(f", {each.name}" for each in self.fetches)
        return f"def build(rows, run{iterators}): return [{body} for s in rows]"

    def generate_row(self, level: Level, read: Reader, path: tuple[Getter, ...]) -> str:
        """Generate the dict of a row. `path` are the getters that lead to it from a row of the level."""
        parts = [
            f"{key!r}: {self._generate_field(each, read, path) if each else repr(level.object_type.name)}" for key, each in level.fields
        ]
        return "{" + ", ".join(parts) + "}"

    def _generate_field(self, field: Field, read: Reader, path: tuple[Getter, ...]) -> str:
        self._count += 1
        if isinstance(field, FetchedField):
            return self._generate_fetched(field, path, self._count)
        return self._generate_inline(field, read, path, self._count)

    def _generate_fetched(self, field: FetchedField, path: tuple[Getter, ...], number: int) -> str:
        """Generate the next value of the field's iterator, and complete it within the dict if possible."""
        self.fetches.append(Fetch(field, path, f"i{number}"))
        value, inline = f"next(i{number})", field.inline
        if inline is None:
            return value
        expression = self._generate_inline(inline, make_attribute_reader(value), (), number)
        if isinstance(inline, NestedField) and inline.is_in_every_row:  # no level counts a fetched object
            return f"(run.count(1, {_size(inline.level)}) or {expression})"
        return expression

    def _generate_inline(self, field: LeafField | NestedField, read: Reader, path: tuple[Getter, ...], number: int) -> str:
        if isinstance(field, LeafField):
            return self._generate_leaf(field, read, number)
        return self._generate_parts(field, read, number) or self._generate_nested(field, read, path, number)

    def _generate_leaf(self, leaf: LeafField, read: Reader, number: int) -> str:
        if isinstance(leaf.value.expression, TextExpression):
            self.names |= leaf.value.expression.names
            return leaf.value.expression.expression(read)
        value = self._generate_value(leaf.value, read, number)
        self.names[f"f{number}"] = leaf.serialize
        if leaf.is_list:
            return _generate_list(leaf, value, f"f{number}(x)", "x", "0, 0")
        return build_expression(leaf.type, value, f"f{number}")

    def _generate_value(self, value: RowValue, read: Reader, number: int) -> str:
        """Generate the value that is read from a row: by its attributes, or by a call of the getter."""
        if value.path is not None:
            return read(value.path)
        self.names[f"g{number}"] = value.getter
        return f"g{number}({read('')})"

    def _generate_parts(self, nested: NestedField, read: Reader, number: int) -> str | None:
        """Generate an object or a list from its parts, without creating the objects. Return None if a field needs the object itself."""
        expression, level = nested.value.expression, nested.level
        paths = {each.value.path for _, each in level.fields if isinstance(each, LeafField | NestedField)}
        if isinstance(expression, ObjectExpression) and paths == expression.paths.keys():  # all are selected, since reading any may fail
            body = self.generate_row(level, expression.attribute_reader(read), ())
            first = read(next(iter(expression.paths.values())))
            return body if nested.is_required else f"(None if {first} is None else run.count(1, {_size(level)}) or {body})"
        if isinstance(expression, ListExpression) and None not in paths:
            row = f"s{number}"
            body = self.generate_row(level, expression.entry_reader(read(""), row), ())
            return _generate_list(nested, read(expression.rows), body, row, _size(level))
        return None

    def _generate_nested(self, nested: NestedField, read: Reader, path: tuple[Getter, ...], number: int) -> str:
        """Generate an object or a list of objects, with the check of rows whose class is not known."""
        value, level, row = self._generate_value(nested.value, read, number), nested.level, f"s{number}"
        body = self.generate_row(level, make_attribute_reader(row), (*path, nested.value.getter))
        self.names |= {f"c{number}": level.check_one, f"k{number}": level.known_classes}
        class_check = f".__class__ in k{number} or c{number}({row}) else None"
        if nested.is_list:
            return _generate_list(nested, value, f"{body} if {row}{class_check}", row, _size(level))
        if nested.is_required:
            return f"({body} if ({row}:={value}){class_check})"
        return f"(None if ({row}:={value}) is None else run.count(1, {_size(level)}) or ({body} if {row}{class_check}))"


def _size(level: Level) -> str:
    return f"{level.object_count}, {level.max_bytes}"


def _generate_list(field: Field, value: str, entry: str, row: str, size: str) -> str:
    """Generate a list. `size` has the objects and the maximum of bytes of each entry."""
    if field.is_required:
        return f"[{entry} for {row} in run.check_list({value}, {size})]"
    return f"(None if (v:={value}) is None else [{entry} for {row} in run.check_list(v, {size})])"
