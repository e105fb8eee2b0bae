"""The definitions and texts of a file are read with their kinds and lines."""

from pathlib import Path
from textwrap import dedent

from tests.style.sources import Definition, Source, Text, read_sources


def source(text: str, path: str = "db/module.py") -> Source:
    return Source(path, dedent(text))


def test_definitions_have_kinds_qualified_names_and_lines() -> None:
    module = source(
        """\
        import json as j
        class Pool:
            size: int = 1
            def take(self, wait):
                def inner(): pass
                self.taker = wait
                limit = wait.limit
                return [each for each in limit]
        async def close(): ...
        """
    )
    definitions = sorted(module.definitions, key=lambda each: (each.line, each.qualified))
    assert definitions == [
        Definition("variable", "j", "j", 1),
        Definition("module", "module", "module", 1),
        Definition("class", "Pool", "Pool", 2),
        Definition("variable", "size", "Pool.size", 3),
        Definition("function", "take", "Pool.take", 4),
        Definition("parameter", "self", "Pool.take.self", 4, is_local=True),
        Definition("parameter", "wait", "Pool.take.wait", 4, is_local=True),
        Definition("function", "inner", "Pool.take.inner", 5, is_local=True),
        Definition("attribute", "taker", "Pool.take.taker", 6, is_local=True),
        Definition("variable", "limit", "Pool.take.limit", 7, is_local=True),
        Definition("variable", "each", "Pool.take.each", 8, is_local=True),
        Definition("function", "close", "close", 9),
    ]


def test_variables_are_bound_by_every_kind_of_statement() -> None:
    module = source(
        """\
        for a, (b, *c) in rows:
            with open(a) as d:
                try: e: int
                except OSError as f: pass
        if (g := 1):
            match g:
                case [h, *i]: pass
                case object() as j: pass
        """
    )
    assert {each.name for each in module.definitions if each.kind == "variable"} == set("abcdefghij")


def test_uses_of_names_are_not_definitions() -> None:
    module = source("print(kept, pool.kept, take(kept=1))\ndel kept\n")
    assert [each.kind for each in module.definitions] == ["module"]


def test_docstrings_strings_and_comments_are_distinguished() -> None:
    module = source(
        '''\
        """Docstring."""
        #!own line
        size = "string"  # beside code
        def close():
            """Of a function."""
            return f"start {size} end # no comment"
        '''
    )
    assert sorted(module.texts, key=lambda each: (each.line, each.text)) == [
        Text("docstring", "Docstring.", 1),
        Text("comment", "#!own line", 2, is_own_line=True),
        Text("comment", "# beside code", 3),
        Text("string", "string", 3),
        Text("docstring", "Of a function.", 5),
        Text("string", " end # no comment", 6),
        Text("string", "start ", 6),
    ]


def test_only_files_of_our_packages_are_read(tmp_path: Path) -> None:
    for path in ("db/b.py", "db/a.py", "tests/x/c.py", "docs/d.py", "server/node_modules/e.py", "benchmarks/.venv/f.py", "db/g.sql"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    assert [each.path for each in read_sources(tmp_path)] == ["db/a.py", "db/b.py", "tests/x/c.py"]
