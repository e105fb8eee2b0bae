"""Generate the function of a level: one comprehension that creates the dicts of its rows.

Each expression is generated for the row that it reads: a field gets the function that writes attributes of its row, so that no text is
ever replaced. Objects and lists that are read off a row, or loaded, are expressions within their parent's dict.
"""

from typing import Any

from resolvers.execution.expressions import ListExpression, ObjectExpression, Reader, TextExpression
from resolvers.execution.leaves import build_expression
from resolvers.execution.plan import BuildFunction, Fetch, Getter, Level, Step

FUNCTION_TEMPLATE = "def build(rows, run{fetched}): return [{body} for s in rows]"


def generate(level: Level) -> BuildFunction:
    """Generate the function and the fetches of a level. A level that is built within another needs none."""
    generator = CodeGenerator()
    body = generator.generate_row(level, make_attribute_reader("s"), ())
    namespace: dict[str, Any] = {}  # separate from the names they use, so that no reference cycle keeps a plan alive
    text = FUNCTION_TEMPLATE.format(body=body, fetched="".join(f", {each.name}" for each in generator.fetches))
    exec(text, generator.names, namespace)  # noqa: S102 made of names of the schema, and of keys as Python's own literals
    level.build, level.fetches = namespace["build"], generator.fetches
    return level.build


def make_attribute_reader(row: str) -> Reader:
    """Return a function that writes attribute expressions of the row of that name."""
    return lambda path: f"{row}.{path}" if path else row


class CodeGenerator:
    """Generate the expressions of one level, with the values of the names that they use."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.fetches: list[Fetch] = []
        self._count = 0

    def generate_row(self, level: Level, read: Reader, path: tuple[Getter, ...]) -> str:
        """Generate the dict of a row, which those getters lead to from a row of the level."""
        parts = [
            f"{key!r}: {self._generate_field(step, read, path) if step else repr(level.object_type.name)}" for key, step in level.fields
        ]
        return "{" + ", ".join(parts) + "}"

    def _generate_field(self, step: Step, read: Reader, path: tuple[Getter, ...]) -> str:
        self._count += 1
        number = self._count
        if step.is_fetched:
            self.fetches.append(Fetch(step, path, f"i{number}"))
            value = f"next(i{number})"
        else:
            value = self._generate_value(step, read, number)
        if not step.is_inline:
            return value
        if isinstance(step.child, Level):
            return self._generate_expression(step, step.child, read, number) or self._generate_child(step, step.child, value, path, number)
        if isinstance(step.expression, TextExpression):
            return value
        self.names[f"f{number}"] = step.leaf
        if step.is_list:
            return _generate_list(step, value, f"f{number}(x)", "x", "0, 0")
        return build_expression(step.type, value, f"f{number}")

    def _generate_value(self, step: Step, read: Reader, number: int) -> str:
        """Generate the value that is read off the row: attributes, or a function of the row."""
        if isinstance(step.expression, TextExpression):
            self.names |= step.expression.names
            return step.expression.expression(read)
        if step.path is not None:
            return read(step.path)
        self.names[f"g{number}"] = step.getter
        return f"g{number}({read('')})"

    def _generate_expression(self, step: Step, child: Level, read: Reader, number: int) -> str | None:
        """Generate an object or a list without creating the objects; None if something in it needs the object itself."""
        paths = {each.path for _, each in child.fields if each}
        size = f"{child.object_count}, {child.max_bytes}"
        if (
            isinstance(step.expression, ObjectExpression) and paths == step.expression.paths.keys()
        ):  # all are selected: reading any may fail
            body = self.generate_row(child, step.expression.attribute_reader(read), ())
            first = read(next(iter(step.expression.paths.values())))
            return body if step.is_required else f"(None if {first} is None else run.count(1, {size}) or {body})"
        if isinstance(step.expression, ListExpression) and None not in paths:
            body = self.generate_row(child, step.expression.entry_reader(read(""), f"s{number}"), ())
            return _generate_list(step, read(step.expression.rows), body, f"s{number}", size)
        return None

    def _generate_child(self, step: Step, child: Level, value: str, path: tuple[Getter, ...], number: int) -> str:
        """Generate the object or the list of objects that is the value. Rows of new classes are checked."""
        row = f"s{number}"
        body = self.generate_row(child, make_attribute_reader(row), (*path, step.getter) if step.getter else ())
        self.names |= {f"c{number}": child.check_one, f"k{number}": child.known_classes}
        size = f"{child.object_count}, {child.max_bytes}"
        class_check = f".__class__ in k{number} or c{number}({row}) else None"
        if step.is_list:
            return _generate_list(step, value, f"{body} if {row}{class_check}", row, size)
        if not step.is_required:
            return f"(None if ({row}:={value}) is None else run.count(1, {size}) or ({body} if {row}{class_check}))"
        expression = f"({body} if ({row}:={value}){class_check})"
        return f"(run.count(1, {size}) or {expression})" if step.is_fetched else expression


def _generate_list(step: Step, value: str, entry: str, row: str, size: str) -> str:
    """Generate a list; each entry has so many objects and bytes."""
    if step.is_required:
        return f"[{entry} for {row} in run.check_list({value}, {size})]"
    return f"(None if (v:={value}) is None else [{entry} for {row} in run.check_list(v, {size})])"
