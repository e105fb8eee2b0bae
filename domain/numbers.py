"""Numbers that are given out in turn, in the organization's format: `K-####` gives K-0001, K-0002 and so on, without gaps."""

import re
from itertools import count

from db import clients as rows
from db.keys import number_key
from db.organizations import lock_sequence
from db.tables import Organization
from domain.errors import WrongValue
from domain.scope import WriteScope

USUAL = "####"
PLACE = re.compile("#+")
AT_ONCE = (100, 1_000, 10_000)  # numbers looked at, since those that were given by hand are passed over


def formatted(number: int, pattern: str | None) -> str:
    usual = pattern if pattern and is_format(pattern) else USUAL
    return PLACE.sub(lambda place: str(number).zfill(len(place[0])), usual)


def is_format(pattern: str) -> bool:
    """Whether it has one place for the number."""
    return len(PLACE.findall(pattern)) == 1


def number_format(text: str) -> str:
    """Without one run of # all numbers would be the same."""
    if not is_format(text):
        raise WrongValue("A format of numbers has one run of #, where the number comes", "K-####")
    return text


async def next_for_client(scope: WriteScope, organization: Organization) -> str:
    """The next that no client has. Whoever takes one holds the sequence until the end of the unit of work."""
    sequence = await lock_sequence(scope, "client")
    for turn in count():
        step = AT_ONCE[min(turn, len(AT_ONCE) - 1)]
        tried = {formatted(sequence.last + 1 + more, organization.client_number_format): sequence.last + 1 + more for more in range(step)}
        taken = await rows.existing_number_keys(scope, [number_key(text) for text in tried])
        free = next((text for text in tried if number_key(text) not in taken), None)
        sequence.last = tried[free] if free else sequence.last + step
        if free:
            return free
    raise AssertionError  # pragma: no cover
