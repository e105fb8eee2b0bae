"""Write answers of the API into the documentation."""

import json

from tests.support.pages import ROOT, Block

MAX_WIDTH = 120


def format_answer(value: object, indent: str = "") -> str:
    """Format JSON with each object and list on one line where it fits."""
    line = json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        line = "{" + line[1:-1] + "}"
    if len(indent) + len(line) <= MAX_WIDTH - 20 or not isinstance(value, dict | list) or not value:
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(name)}: {format_answer(part, inner)}" for name, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{inner}{format_answer(part, inner)}" for part in value) + f"\n{indent}]"


def replace_answer(block: Block, text: str) -> None:
    """Replace the text of a block that occurs once with its heading lines, or several times with the same text, on its page."""
    path = ROOT / block.page
    lines = path.read_text().splitlines(keepends=True)
    start = next(index for index in range(len(lines)) if "".join(lines[index:]).startswith(f"```json\n{block.text}```"))
    length = block.text.count("\n")
    path.write_text("".join(lines[: start + 1]) + text + "\n" + "".join(lines[start + 1 + length :]))
