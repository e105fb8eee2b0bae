"""The subjects of commits are checked by the rules."""

from pathlib import Path

import pytest

from tests.style.check import check_subjects
from tests.style.history import Commit
from tests.style.subjects import find_faults, is_imperative


@pytest.mark.parametrize(
    "subject",
    [
        "Reject registrations on archived clients",
        "Pass the tenant",
        "Process a batch",
        "Embed it",
        "Bring it back",
        "Re-read the row",
        'Revert "A"',
        "Add `x`",
    ],
)
def test_imperatives_are_accepted(subject: str) -> None:
    assert is_imperative(subject)
    assert list(find_faults(Commit("1", subject))) == []


@pytest.mark.parametrize(
    "subject",
    [
        "Rejects it",
        "Rejected it",
        "Rejecting it",
        "A rest refuses nobody",
        "Where the driver lost its way",
        "Is it",
        "No rest",
        "",
        "`Tx` is renamed",
        "42 lines",
    ],
)
def test_other_moods_are_rejected(subject: str) -> None:
    assert not is_imperative(subject)


def test_a_subject_has_at_most_72_characters() -> None:
    assert list(find_faults(Commit("1", "Add " + "x" * 68))) == []
    assert list(find_faults(Commit("1", "Add " + "x" * 69))) == ["has 73 characters; shorten it to 72 and put the rest in the body"]


def test_a_subject_has_no_full_stop() -> None:
    assert list(find_faults(Commit("1", "Add a line."))) == ["ends with a full stop; drop it"]


def test_tree_without_history_passes_with_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(check_subjects(tmp_path)) == []
    assert capsys.readouterr().out == "Subjects of commits not checked: this tree is no git repository.\n"
