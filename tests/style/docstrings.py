"""Keep the list of files whose docstrings are not in the imperative yet (ruff's D401). The list may only become shorter.

The list is a part of ruff's settings, so its maximum is a comment in it.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

LIST = Path(__file__).with_name("docstrings.toml")
UPWARDS = "../../"  # ruff reads paths from the folder of the list
ENTRY_LINE = re.compile(rf'^"{UPWARDS}(?P<path>[^"]+)" = ')
MAXIMUM_LINE = re.compile(r"^# maximum = (\d+)$", re.MULTILINE)
SHRINK = "`python -m tests.style.check --shrink` does it"


def read_list(path: Path = LIST) -> list[str]:
    """Return the paths of the listed files, relative to the root."""
    ignores = tomllib.loads(path.read_text())["lint"]["extend-per-file-ignores"]
    return [pattern.removeprefix(UPWARDS) for pattern in ignores]


def find_problems(root: Path, path: Path = LIST) -> Iterator[str]:
    """Yield a problem for each listed file that is gone or no longer breaks the rule, and one if the list has grown."""
    listed, breaking = read_list(path), find_breaking_files(root)
    for file in listed:
        if file not in breaking:
            why = "keeps to ruff's D401 now" if (root / file).exists() else "no longer exists"
            yield f"{path.name}: {file} {why}: remove it ({SHRINK})."
    maximum = _read_maximum(path.read_text())
    if len(listed) > maximum:
        yield f"{path.name}: lists {len(listed)} files, more than its maximum of {maximum}: rewrite the docstrings instead of adding files."
    elif len(listed) < maximum:
        yield f"{path.name}: lists {len(listed)} files: lower its maximum of {maximum} to that ({SHRINK})."


def find_breaking_files(root: Path) -> set[str]:
    """Return the files with a docstring that is not in the imperative, whether listed or not."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "D401", "--output-format", "json", "--exit-zero", str(root)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 fixed arguments
    return {Path(finding["filename"]).relative_to(root.resolve()).as_posix() for finding in json.loads(output)}


def shrink_list(root: Path, path: Path = LIST) -> None:
    """Remove the files that are gone or no longer break the rule, and lower the maximum. Never add or raise anything."""
    breaking, text = find_breaking_files(root), path.read_text()
    lines = [line for line in text.splitlines(keepends=True) if not (match := ENTRY_LINE.match(line)) or match["path"] in breaking]
    maximum = min(_read_maximum(text), sum(bool(ENTRY_LINE.match(line)) for line in lines))
    path.write_text(MAXIMUM_LINE.sub(f"# maximum = {maximum}", "".join(lines)))


def _read_maximum(text: str) -> int:
    match = MAXIMUM_LINE.search(text)
    return int(match[1]) if match else 0
