"""The README's code blocks, and its queries with their documented responses."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
QUERIES = [(text, BLOCKS[index + 1][1]) for index, (kind, text) in enumerate(BLOCKS) if kind == "graphql"]
