"""Read the documentation: its pages in reading order, their code blocks, and their queries with the documented answers."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)(?: ([\w-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced code block. A word after its language, which pages do not show, says where the block is run: ```` ```sh demo ````."""

    page: str
    line: int
    kind: str
    environment: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def find_links(page: str) -> list[str]:
    """Return the targets of the page's links. Blocks of code have none."""
    return [*LINK.findall(FENCE.sub("", (ROOT / page).read_text()))]


def find_blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    return [Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2] or "", match[3]) for match in FENCE.finditer(text)]


# The order of the README's links is the order in which a reader, and the tests, go through the pages.
PAGES = ["README.md", *dict.fromkeys(link for link in find_links("README.md") if link.endswith(".md"))]
BLOCKS = [block for page in PAGES for block in find_blocks(page)]


def find_answer(block: Block) -> Block | None:
    """Return the JSON that follows the block on its page, if it does."""
    following = BLOCKS[BLOCKS.index(block) + 1 :][:1]
    return next((answer for answer in following if (answer.page, answer.kind, answer.environment) == (block.page, "json", "")), None)


QUERIES = [
    (block.text, answer.text) for block in BLOCKS if (block.kind, block.environment) == ("graphql", "") and (answer := find_answer(block))
]
