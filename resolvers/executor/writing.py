"""The generated functions of a level: one comprehension that makes the dicts of its rows.

An expression is written for the row that it reads: what writes a field is given what writes an attribute of its row, so that nothing is
ever replaced in a text. Objects and lists that are read off a row, or that a loader brings, are expressions within their parent's dict.
"""

from typing import Any

from resolvers.executor.leaves import expression
from resolvers.executor.plans import Build, Fetch, Get, Level, Step
from resolvers.inlined import Entries, Parts, Read, Text

FUNCTION = "def build(rows, run{fetched}): return [{body} for s in rows]"


def write(level: Level) -> Build:
    """Give a level its function, and what it fetches. One whose rows are built within others' needs none."""
    writer = Writer()
    body = writer.write_row(level, attribute_of("s"), ())
    made: dict[str, Any] = {}  # apart from what they use, so that no ring keeps a plan alive
    text = FUNCTION.format(body=body, fetched="".join(f", {each.name}" for each in writer.fetches))
    exec(text, writer.names, made)  # noqa: S102 made of names of the schema, and of keys as Python's own literals
    level.build, level.fetches = made["build"], writer.fetches
    return level.build


def attribute_of(row: str) -> Read:
    """Return what writes the attributes of the row of that name."""
    return lambda path: f"{row}.{path}" if path else row


class Writer:
    """Write the expressions of one level's functions, with the values of the names that they use."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.fetches: list[Fetch] = []
        self._count = 0

    def write_row(self, level: Level, read: Read, path: tuple[Get, ...]) -> str:
        """Write the dict of a row, which those getters lead to from a row of the level that is being written."""
        parts = [f"{key!r}: {self._write_field(step, read, path) if step else repr(level.of.name)}" for key, step in level.fields]
        return "{" + ", ".join(parts) + "}"

    def _write_field(self, step: Step, read: Read, path: tuple[Get, ...]) -> str:
        self._count += 1
        number = self._count
        if step.is_fetched:
            self.fetches.append(Fetch(step, path, f"i{number}"))
            value = f"next(i{number})"
        else:
            value = self._write_value(step, read, number)
        if not step.in_place:
            return value
        if isinstance(step.below, Level):
            return self._write_inlined(step, step.below, read, number) or self._write_below(step, step.below, value, path, number)
        if isinstance(step.inlined, Text):
            return value
        self.names[f"f{number}"] = step.leaf
        if step.is_list:
            return _write_list(step, value, f"f{number}(x)", "x", "0, 0")
        return expression(step.type, value, f"f{number}")

    def _write_value(self, step: Step, read: Read, number: int) -> str:
        """Write what a field is read off its row by: attributes, or a function of the row."""
        if isinstance(step.inlined, Text):
            self.names |= step.inlined.names
            return step.inlined.expression(read)
        if step.path is not None:
            return read(step.path)
        self.names[f"g{number}"] = step.get
        return f"g{number}({read('')})"

    def _write_inlined(self, step: Step, below: Level, read: Read, number: int) -> str | None:
        """Write an object that is never made, or a list of such objects; None where something in it needs the object itself."""
        paths = {each.path for _, each in below.fields if each}
        size = f"{below.objects}, {below.most_bytes}"
        if isinstance(step.inlined, Parts) and paths == step.inlined.paths.keys():  # each of them is read, and may fail
            body = self.write_row(below, step.inlined.reader(read), ())
            first = read(next(iter(step.inlined.paths.values())))
            return body if step.is_required else f"(None if {first} is None else run.count(1, {size}) or {body})"
        if isinstance(step.inlined, Entries) and None not in paths:
            body = self.write_row(below, step.inlined.reader(read(""), f"s{number}"), ())
            return _write_list(step, read(step.inlined.rows), body, f"s{number}", size)
        return None

    def _write_below(self, step: Step, below: Level, value: str, path: tuple[Get, ...], number: int) -> str:
        """Write the object or the list of objects that is the value. A row of a class that was not seen before is checked."""
        row = f"s{number}"
        body = self.write_row(below, attribute_of(row), (*path, step.get) if step.get else ())
        self.names |= {f"c{number}": below.check_one, f"k{number}": below.known}
        size = f"{below.objects}, {below.most_bytes}"
        checked = f".__class__ in k{number} or c{number}({row}) else None"
        if step.is_list:
            return _write_list(step, value, f"{body} if {row}{checked}", row, size)
        if not step.is_required:
            return f"(None if ({row}:={value}) is None else run.count(1, {size}) or ({body} if {row}{checked}))"
        shown = f"({body} if ({row}:={value}){checked})"
        return f"(run.count(1, {size}) or {shown})" if step.is_fetched else shown


def _write_list(step: Step, value: str, entry: str, row: str, size: str) -> str:
    """Write a list; an entry has so many objects and bytes."""
    if step.is_required:
        return f"[{entry} for {row} in run.listed({value}, {size})]"
    return f"(None if (v:={value}) is None else [{entry} for {row} in run.listed(v, {size})])"
