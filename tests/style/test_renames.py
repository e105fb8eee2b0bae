"""Old names from the table are found where they are defined or mentioned."""

from pathlib import Path

import pytest

from tests.style.renames import Renames
from tests.style.sources import Source

RENAMES = Renames(
    modules={"db/engine.py": "db/engine/database.py"},
    anywhere={"Bill": "CostEstimate"},
    in_module={"db/engine.py:Line": "DriverConnection"},
    settings={"READERS": "READ_POOL_SIZE"},
    constants={"CONCEPT": "DRAFT"},
    words={"hatch": "transport", "db/engine:flock": "pool"},
)


def old_names(text: str, path: str = "db/module.py") -> list[tuple[int, str, str, str]]:
    return list(RENAMES.find_old_names(Source(path, text)))


def test_old_module_is_found_while_it_exists() -> None:
    assert old_names("", "db/engine.py") == [(1, "module", "engine", "db/engine/database.py")]
    assert old_names("", "db/engine/database.py") == []


def test_unambiguous_old_name_is_found_in_every_module() -> None:
    assert old_names("class Bill: ...\n") == [(1, "class", "Bill", "CostEstimate")]
    assert old_names("class ClosingBill: ...\n") == []


def test_everyday_word_is_found_only_in_its_module_at_the_old_and_new_path() -> None:
    line = (1, "class", "Line", "DriverConnection")
    assert line in old_names("class Line: ...\n", "db/engine.py")
    assert old_names("class Line: ...\n", "db/engine/database.py") == [line]
    assert old_names("class Line: ...\n") == []


def test_local_names_are_not_reported() -> None:
    assert old_names("def close(Bill):\n    Line = Bill\n", "db/engine/database.py") == []


def test_settings_are_found_as_fields_and_in_texts() -> None:
    assert old_names("class Settings:\n    readers: int\n", "server/settings.py") == [(2, "variable", "Settings.readers", "read_pool_size")]
    assert old_names("readers = 1\n") == []
    assert old_names("# RELATIES_READERS=1\n") == [(1, "comment", "RELATIES_READERS", "RELATIES_READ_POOL_SIZE")]
    assert old_names("# RELATIES_READERS_MAX, READERS\n") == []


def test_constants_are_found_only_in_their_exact_spelling() -> None:
    assert old_names("class Status:\n    CONCEPT = 'CONCEPT'\n") == [
        (2, "variable", "Status.CONCEPT", "DRAFT"),
        (2, "string", "CONCEPT", "DRAFT"),
    ]
    assert old_names("concept = 'A concept'\n") == []


def test_words_are_found_in_all_names_and_texts() -> None:
    assert old_names("def close(hatch_open): ...\n") == [(1, "word", "hatch", "transport")]
    assert old_names("class OpenHatch: ...\n") == [(1, "word", "hatch", "transport")]
    assert old_names('"""Close\nthe Hatch."""\n') == [(2, "docstring", "hatch", "transport")]
    assert old_names("# `close_hatch()` hatched\n") == [(1, "comment", "hatch", "transport")]
    assert [*RENAMES.find_in_page("docs/page.md", "A tap.\nA hatch.\n", ())] == [(2, "page", "hatch", "transport")]


def test_word_of_a_folder_is_found_only_below_it() -> None:
    assert old_names("flock = 1\n", "db/engine/pool.py") == [(1, "word", "flock", "pool")]
    assert old_names("flock = 1\n") == []


def test_the_table_is_well_formed() -> None:
    table = Renames.load()
    assert table.anywhere["Tx"] == "Transaction"
    assert table.in_module["db/engine.py:Line"] == "DriverConnection"


def test_malformed_entry_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "renames.toml"
    path.write_text('[modules]\n[anywhere]\n[in_module]\n"Line" = "DriverConnection"\n[settings]\n[constants]\n[words]\n')
    with pytest.raises(ValueError, match=r'renames\.toml: write entries of \[in_module\] as "path/of/module\.py:name", not \[\'Line\'\]'):
        Renames.load(path)


def test_pages_are_searched_for_settings_constants_and_paths() -> None:
    page = "Set `RELATIES_READERS`.\nSee server/guard.py and server/errors.py.\nThe status CONCEPT; a concept.\n"
    assert [*Renames.load().find_in_page("benchmarks/README.md", page, {"server/errors.py"})] == [
        (1, "page", "RELATIES_READERS", "RELATIES_READ_POOL_SIZE"),
        (2, "page", "server/guard.py", "server/runtime/protocol.py"),
        (3, "page", "CONCEPT", "DRAFT"),
    ]
