"""Check that pages are complete: every page is linked, every link has a target, and every code block is run."""

import re
from pathlib import Path

import pytest

from tests.support.pages import BLOCKS, PAGES, ROOT, find_answer, find_links

LONGEST_README = 160
# Where the blocks of each kind are run.
RUN_BY = {
    ("graphql", ""): "test_graphql_blocks",
    ("graphql", "statements"): "test_graphql_blocks",
    ("graphql", "jobs"): "test_job_blocks",
    ("graphql", "exports"): "test_export_blocks",
    ("csv", "exports"): "test_export_blocks",
    ("sh", "make"): "test_shell_blocks",
    ("sh", "demo"): "test_shell_blocks",
    ("sh", "database"): "test_shell_blocks",
    ("sh", "postgresql"): "test_shell_blocks",
    ("diff", ""): "test_contributing",
    ("sh", "generate"): "test_contributing",
    ("sh", "pytest"): "test_contributing",
    ("sh", "anywhere"): "test_shell_blocks",
    ("sql", "postgresql"): "test_shell_blocks",
    ("sh", "install"): "test_deployment_blocks",
    ("sh", "proxy"): "test_deployment_blocks",
    ("nginx", ""): "test_deployment_blocks",
    ("caddy", ""): "test_deployment_blocks",
    ("sh", "backup"): "test_deployment_blocks",
    ("sql", "restore"): "test_deployment_blocks",
    ("sh", "restore"): "test_deployment_blocks",
    ("ini", "environment"): "test_configuration_blocks",
    ("ini", "systemd"): "test_configuration_blocks",
    ("yaml", "prometheus"): "test_configuration_blocks",
    ("json", "log"): "test_configuration_blocks",
    ("js", "apollo-client"): "test_configuration_blocks",
    ("js", "urql-client"): "test_configuration_blocks",
    ("js", "relay-environment"): "test_configuration_blocks",
    ("js", "codegen"): "test_configuration_blocks",
    ("js", "codegen-server"): "test_configuration_blocks",
    ("js", "graphcache-client"): "test_configuration_blocks",
    ("js", "introspect"): "test_configuration_blocks",
    ("json", "relay"): "test_configuration_blocks",
    ("json", "persisted-query-manifest"): "test_configuration_blocks",
    ("json", "request"): "test_configuration_blocks",
}


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= LONGEST_README


def test_readme_links_every_page() -> None:
    pages = [path.relative_to(ROOT).as_posix() for path in (*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"))]
    assert {*pages} - {*PAGES} == set()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page: str) -> None:
    relative_links = [link for link in find_links(page) if not re.match(r"https?://", link)]
    assert [link for link in relative_links if not is_target(page, *link.partition("#")[::2])] == []


def is_target(page: str, path: str, anchor: str) -> bool:
    """Return whether the file exists and has a heading with this anchor, if there is one."""
    file = (ROOT / page).parent / path if path else ROOT / page
    return file.exists() and (not anchor or anchor in find_anchors(file.read_text()))


def find_anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_fence_opens_or_closes_a_block(page: str) -> None:
    """A block without a language, or inside a list, would be run by nobody."""
    fences = [line for line in (ROOT / page).read_text().splitlines() if line.lstrip().startswith("```")]
    assert len(fences) == 2 * len([block for block in BLOCKS if block.page == page])


def test_every_block_is_run() -> None:
    """A JSON block without a word of its own is the answer of the block before it."""
    answers = [answer for block in BLOCKS if block.kind in {"graphql", "sh"} and (answer := find_answer(block))]
    others = [block for block in BLOCKS if block not in answers and (block.kind, block.environment) not in RUN_BY]
    assert [block.name for block in others] == []


def test_every_kind_of_block_occurs() -> None:
    assert {*RUN_BY} - {(block.kind, block.environment) for block in BLOCKS} == set()


def test_every_test_of_blocks_exists() -> None:
    assert [name for name in {*RUN_BY.values()} if not (Path(__file__).parent / f"{name}.py").exists()] == []
