"""Find the functions that write to certain tables by scanning the source, so that no new one is missed.

A function is a writer if it refers to the tables, or to something that holds their rows, and adds, changes or removes rows. A
function with such SQL is a writer too, also when the tables are placeholders in the SQL.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXCLUDED_FOLDERS = (
    "db/demo/",
    "db/migrations/",
    "db/tables/",
    "db/embedded/",
)  # demo data, code that creates tables, and the embedded server have no business rules
WRITING_CALLS = {
    "add",
    "add_all",
    "delete",
    "merge",
    "apply_changes",
    "bump_version",
    "setattr",
    "sqlmodel_update",
    "insert",
    "update",
    "execute",
    "bulk_save_objects",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class SourceModule:
    """The source of a module, and the qualified names of the names in it."""

    name: str
    tree: ast.Module
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self.names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                self.names |= {alias.asname or alias.name: alias.name for alias in node.names}
        for top in self.tree.body:
            if isinstance(top, ast.ClassDef | Function):
                self.names[top.name] = f"{self.name}.{top.name}"
            for target in top.targets if isinstance(top, ast.Assign) else [top.target] if isinstance(top, ast.AnnAssign) else []:
                if isinstance(target, ast.Name):
                    self.names[target.id] = f"{self.name}.{target.id}"

    def referenced_names(self, node: ast.AST | None) -> set[str]:
        """Return the qualified names that the node refers to, also as `rows.by_id` and in annotations that are strings."""
        names_found = set[str]()
        for each in ast.walk(node) if node else ():
            if isinstance(each, ast.Name):
                names_found.add(self.names.get(each.id, each.id))
            elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
                names_found.add(f"{self.names.get(each.value.id, each.value.id)}.{each.attr}")
            elif isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier():
                names_found.add(self.names.get(each.value, each.value))
        return names_found


def read_modules(folders: Iterable[str] = ("domain", "db")) -> list[SourceModule]:
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    paths = [file.relative_to(ROOT) for file in files if not file.relative_to(ROOT).as_posix().startswith(EXCLUDED_FOLDERS)]
    return [SourceModule(".".join(path.with_suffix("").parts), ast.parse((ROOT / path).read_text())) for path in paths]


def find_row_holders(source_modules: Iterable[SourceModule], tables: Iterable[str]) -> set[str]:
    """Return the tables' classes and all that holds their rows: classes with such fields, functions that return them, and constants."""
    holders = {f"db.tables.{table}" for table in tables} | {f"db.tables.projects.{table}" for table in tables}
    while True:
        more = {name for module in source_modules for name in _row_holders_in(module, holders)} - holders
        if not more:
            return holders
        holders |= more


def _row_holders_in(module: SourceModule, holders: set[str]) -> Iterator[str]:
    for top in module.tree.body:
        if isinstance(top, ast.ClassDef):
            fields = [each.annotation for each in top.body if isinstance(each, ast.AnnAssign)]
            if any(module.referenced_names(each) & holders for each in fields):
                yield f"{module.name}.{top.name}"
        elif isinstance(top, Function):
            if module.referenced_names(top.returns) & holders:
                yield f"{module.name}.{top.name}"
        elif isinstance(top, ast.Assign | ast.AnnAssign) and module.referenced_names(top.value) & holders:
            targets = top.targets if isinstance(top, ast.Assign) else [top.target]
            yield from (f"{module.name}.{target.id}" for target in targets if isinstance(target, ast.Name))


def find_writers(tables: dict[str, str], source_modules: Sequence[SourceModule]) -> set[str]:
    """Return the qualified names of the functions that write. `tables` maps classes to table names."""
    holders, texts, words = find_row_holders(source_modules, tables), dict(_constant_texts(source_modules)), "|".join(tables.values())
    verbs = r"(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|COPY|TRUNCATE)"
    sql = re.compile(rf"{verbs}\s+(ONLY\s+)?(relaties\.)?(({words})\b|\{{)", re.IGNORECASE)

    def is_writer(module: SourceModule, node: Function) -> bool:
        names = module.referenced_names(node)
        texts_found = [*_texts(node), *(text for name in names for text in texts.get(name, ()))]
        return any(map(sql.search, texts_found)) or bool(names & holders and any(_is_write(each, tables) for each in ast.walk(node)))

    return {name for module in source_modules for name, node in iterate_functions(module) if is_writer(module, node)}


def _constant_texts(source_modules: Iterable[SourceModule]) -> Iterator[tuple[str, list[str]]]:
    """Yield each constant of the modules with the texts in it."""
    for module in source_modules:
        for top in module.tree.body:
            if isinstance(top, ast.Assign):
                names = [target.id for target in top.targets if isinstance(target, ast.Name)]
                yield from ((f"{module.name}.{name}", _texts(top.value)) for name in names)


def iterate_functions(module: SourceModule) -> Iterator[tuple[str, Function]]:
    """Yield all functions and methods with their qualified names."""
    for top in module.tree.body:
        if isinstance(top, Function):
            yield f"{module.name}.{top.name}", top
        elif isinstance(top, ast.ClassDef):
            yield from ((f"{module.name}.{top.name}.{each.name}", each) for each in top.body if isinstance(each, Function))


def _texts(node: ast.AST) -> list[str]:
    """Return all texts within the node. The placeholders of f-strings become `{`."""
    constants = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    format_strings = [each for each in ast.walk(node) if isinstance(each, ast.JoinedStr)]
    return constants + [
        "".join(str(part.value) if isinstance(part, ast.Constant) else "{" for part in each.values) for each in format_strings
    ]


def _is_write(node: ast.AST, tables: Iterable[str]) -> bool:
    """Return whether the node is a call that adds, changes or removes rows, a constructor of a table, or an assignment to an attribute."""
    if isinstance(node, ast.Call):
        called_name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        return called_name in WRITING_CALLS or called_name in tables
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []
    return any(isinstance(each, ast.Attribute) for each in targets)
