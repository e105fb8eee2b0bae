"""Issue consecutive numbers in the organization's format: `K-####` gives K-0001, K-0002 and so on, without gaps."""

from itertools import count

from db.queries import clients as rows
from db.queries.organizations import lock_sequence
from db.tables import Organization
from db.tables.keys import number_key
from domain.core.scope import WriteScope
from domain.standards.number_formats import format_number

BATCH_SIZES = (100, 1_000, 10_000)  # candidates per query: numbers that were entered by hand are skipped


async def next_client_number(scope: WriteScope, organization: Organization) -> str:
    """Return the next number that no client has. Locks the sequence until the unit of work ends."""
    sequence = await lock_sequence(scope, "client")
    for attempt in count():
        batch_size = BATCH_SIZES[min(attempt, len(BATCH_SIZES) - 1)]
        candidates = {
            format_number(sequence.last + 1 + offset, organization.client_number_format): sequence.last + 1 + offset
            for offset in range(batch_size)
        }
        taken_keys = await rows.existing_number_keys(scope, [number_key(text) for text in candidates])
        free_number = next((text for text in candidates if number_key(text) not in taken_keys), None)
        sequence.last = candidates[free_number] if free_number else sequence.last + batch_size
        if free_number:
            return free_number
    raise AssertionError  # pragma: no cover
