"""Read the subjects of the commits to which the language rules apply."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

BASE = "ad4ed270b95f5c38c28335f35f0994fb5611c4a3"  # the last commit before the rules


@dataclass(frozen=True)
class Commit:
    """A commit that is not a merge."""

    id: str
    subject: str


class HistoryUnavailableError(Exception):
    """Raised if the tree has no history, or too little of it to check its subjects."""


class HistoryRewrittenError(Exception):
    """Raised if the base is no ancestor of the current commit."""


def read_commits(root: Path, base: str = BASE) -> list[Commit]:
    """Return the commits after the base except merges, newest first.

    Raises `HistoryUnavailableError` in an exported tree, and in a clone that does not reach back to the base.
    """
    # An exported tree may lie inside another repository, whose history must not be checked.
    if not (root / ".git").exists():
        raise HistoryUnavailableError("this tree is no git repository")
    status, answer = _git(root, "rev-parse", "--is-shallow-repository")
    if status:
        raise HistoryUnavailableError(answer)
    if _git(root, "merge-base", "--is-ancestor", base, "HEAD")[0]:
        if answer == "true":
            raise HistoryUnavailableError(
                f"this shallow clone does not reach back to commit {base[:8]}; `git fetch --unshallow` gets the rest"
            )
        raise HistoryRewrittenError(
            f"commit {base[:8]} is no ancestor of HEAD; if history was rewritten, correct BASE in {Path(__file__).name}"
        )
    _, log = _git(root, "log", "--no-merges", "--format=%h%x09%s", f"{base}..HEAD")
    return [Commit(*line.partition("\t")[::2]) for line in log.split("\n") if line]


def _git(root: Path, *arguments: str) -> tuple[int, str]:
    command = ["git", "-C", str(root), *arguments]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 fixed arguments
    except FileNotFoundError:
        raise HistoryUnavailableError("git is not installed") from None
    return process.returncode, (process.stdout or process.stderr).strip()
