"""Check the subjects of commits.

A subject has at most 72 characters, no full stop at its end, and begins with an imperative. No list of verbs is complete, so the check
rejects only a first word that is certainly no imperative: an article, a pronoun, a question word, or a form in -ed, -ing or -s.
"""

import re
from collections.abc import Iterator

from tests.style.history import Commit
from tests.style.vocabulary import BASE_FORMS, NEVER_VERBS

MAX_LENGTH = 72


def find_faults(commit: Commit) -> Iterator[str]:
    """Yield the faults of the commit's subject."""
    subject = commit.subject
    if len(subject) > MAX_LENGTH:
        yield f"has {len(subject)} characters; shorten it to {MAX_LENGTH} and put the rest in the body"
    if subject.endswith("."):
        yield "ends with a full stop; drop it"
    if not is_imperative(subject):
        yield 'does not begin with an imperative; write "Reject ...", not "Rejects", "Rejected" or "A rejection"'


def is_imperative(subject: str) -> bool:
    """Return whether the subject may begin with an imperative, judged by its first word."""
    match = re.match(r"[A-Za-z]+(?:-[a-z]+)*", subject)
    if match is None:
        return False
    word = match[0].lower()
    is_other_form = word.endswith(("ed", "ing")) or (word.endswith("s") and not word.endswith("ss"))
    return word not in NEVER_VERBS and (word in BASE_FORMS or not is_other_form)
