"""The commits since the language rules are read, in repositories that the tests create."""

import subprocess
from pathlib import Path

import pytest

from tests.style.history import Commit, HistoryRewrittenError, HistoryUnavailableError, read_commits


class Repository:
    """A git repository that uses only its own settings."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false")
        return subprocess.check_output(["git", "-C", str(self.root), *identity, *arguments], text=True).strip()  # noqa: S603, S607

    def commit(self, subject: str) -> str:
        """Make an empty commit and return its id."""
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def subjects(commits: list[Commit]) -> list[str]:
    return [commit.subject for commit in commits]


def test_commits_after_the_base_are_read_without_merges(repository: Repository) -> None:
    base = repository.commit("Before the rules")
    repository.git("switch", "--quiet", "--create", "other")
    repository.commit("Add a tab\tin the subject")
    repository.git("switch", "--quiet", "main")
    repository.commit("Reject it")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merged", "other")
    assert sorted(subjects(read_commits(repository.root, base))) == ["Add a tab\tin the subject", "Reject it"]


def test_right_after_the_base_there_are_no_commits(repository: Repository) -> None:
    assert read_commits(repository.root, repository.commit("Before the rules")) == []


def test_shallow_clone_without_the_base_is_unavailable(repository: Repository, tmp_path: Path) -> None:
    base = repository.commit("Before the rules")
    repository.commit("Add a line")
    repository.git("clone", "--quiet", "--depth=1", repository.root.as_uri(), str(tmp_path / "clone"))
    with pytest.raises(HistoryUnavailableError, match=f"shallow clone does not reach back to commit {base[:8]}"):
        read_commits(tmp_path / "clone", base)


def test_a_shallow_clone_with_the_base_is_read(repository: Repository, tmp_path: Path) -> None:
    repository.commit("Start")
    base = repository.commit("Before the rules")
    repository.commit("Add a line")
    repository.git("clone", "--quiet", "--depth=2", repository.root.as_uri(), str(tmp_path / "clone"))
    assert subjects(read_commits(tmp_path / "clone", base)) == ["Add a line"]


def test_exported_tree_is_unavailable_even_inside_another_repository(repository: Repository) -> None:
    base = repository.commit("Before the rules")
    exported = repository.root / "exported"
    exported.mkdir()
    with pytest.raises(HistoryUnavailableError, match="no git repository"):
        read_commits(exported, base)


def test_base_that_is_no_ancestor_is_an_error(repository: Repository) -> None:
    repository.commit("Before the rules")
    repository.git("switch", "--quiet", "--orphan", "other")
    base = repository.commit("Start elsewhere")
    repository.git("switch", "--quiet", "main")
    for wrong in (base, "0" * 40):
        with pytest.raises(HistoryRewrittenError, match=f"commit {wrong[:8]} is no ancestor of HEAD"):
            read_commits(repository.root, wrong)
