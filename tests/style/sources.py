"""Read the project's Python files into the names they define and the texts they contain."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeGuard

PRODUCT = ("db", "domain", "resolvers", "schema", "server")
PACKAGES = (*PRODUCT, "tests", "benchmarks")
INSTALLED = {"node_modules", ".venv"}  # packages of other projects that the benchmarks install inside the tree

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef | ast.Module

# By type of syntax, the kind of the definition and the field that contains the name. Names and attributes count only where they are
# assigned.
DEFINING: dict[type[ast.AST], tuple[str, str]] = {
    ast.ClassDef: ("class", "name"),
    ast.FunctionDef: ("function", "name"),
    ast.AsyncFunctionDef: ("function", "name"),
    ast.arg: ("parameter", "arg"),
    ast.Name: ("variable", "id"),
    ast.ExceptHandler: ("variable", "name"),
    ast.MatchAs: ("variable", "name"),
    ast.MatchStar: ("variable", "name"),
    ast.alias: ("variable", "asname"),
    ast.Attribute: ("attribute", "attr"),
}
STORED = ast.Store()


@dataclass(frozen=True)
class Definition:
    """A place that defines a name: a module, class, function, parameter, variable or attribute."""

    kind: str
    name: str
    qualified: str
    line: int
    is_local: bool = False


@dataclass(frozen=True)
class Text:
    """A docstring, comment or string literal."""

    kind: str
    text: str
    line: int
    is_own_line: bool = False


@dataclass(frozen=True)
class Source:
    """One Python file of the tree. Its path is relative to the root."""

    path: str
    text: str

    @property
    def package(self) -> str:
        """The top-level folder."""
        return self.path.split("/", 1)[0]

    @cached_property
    def definitions(self) -> list[Definition]:
        """All names that the file defines, including its own as a module."""
        stem = Path(self.path).stem
        own = [] if stem == "__init__" else [Definition("module", stem, stem, 1)]
        return own + [definition for node in self._nodes if (definition := _define(node))]

    @cached_property
    def texts(self) -> list[Text]:
        """All docstrings, comments and string literals, including those inside f-strings."""
        docstrings = {docstring for node in self._nodes if (docstring := _docstring(node.syntax))}
        strings = [node.syntax for node in self._nodes if isinstance(node.syntax, ast.Constant) and isinstance(node.syntax.value, str)]
        texts = [Text("docstring" if node in docstrings else "string", str(node.value), node.lineno) for node in strings]
        return texts + (list(_comments(self.text)) if "#" in self.text else [])

    @cached_property
    def _nodes(self) -> list["_Node"]:
        return _walk(ast.parse(self.text, self.path))


def read_sources(root: Path) -> list[Source]:
    """Return all Python files of the project's packages, in the order of their paths."""
    paths = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py") if not INSTALLED.intersection(path.parts))
    return [Source(path.relative_to(root).as_posix(), path.read_text()) for path in paths]


class _Node(NamedTuple):
    """A node of the syntax tree, and the names of the classes and functions around it."""

    syntax: ast.AST
    scope: tuple[str, ...]
    is_local: bool


def _walk(tree: ast.Module) -> list[_Node]:
    # The walks of `ast` are several times slower, and do not track the scope.
    nodes = [_Node(tree, (), is_local=False)]
    for syntax, scope, is_local in nodes:
        if isinstance(syntax, ast.ClassDef | Function):
            scope, is_local = (*scope, syntax.name), not isinstance(syntax, ast.ClassDef)  # noqa: PLW2901 the scope of the children
        for field in syntax._fields:
            value = getattr(syntax, field)
            children = value if isinstance(value, list) else (value,)
            nodes.extend(_Node(child, scope, is_local) for child in children if _is_syntax(child))
    return nodes


def _is_syntax(value: object) -> TypeGuard[ast.AST]:
    return isinstance(value, ast.AST) and not isinstance(value, ast.expr_context)


def _define(node: _Node) -> Definition | None:
    kind, field = DEFINING.get(type(node.syntax), ("", ""))
    if not kind or not isinstance(getattr(node.syntax, "ctx", STORED), ast.Store):
        return None
    name: str | None = getattr(node.syntax, field)
    line: int = getattr(node.syntax, "lineno", 1)
    return Definition(kind, name, ".".join((*node.scope, name)), line, node.is_local) if name else None


def _docstring(node: ast.AST) -> ast.Constant | None:
    if isinstance(node, Documented) and node.body:
        match node.body[0]:
            case ast.Expr(value=ast.Constant(value=str()) as constant):
                return constant
    return None


def _comments(text: str) -> Iterator[Text]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield Text("comment", token.string, token.start[0], is_own_line=not token.line[: token.start[1]].strip())
