"""Cursors round-trip for the organization that they were issued to, and any other text is rejected."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.core.cursors import Cursors
from domain.core.errors import BadInput

SECRET, TENANT = b"s" * 32, UUID(int=1)
MOMENTS = st.datetimes(timezones=st.just(UTC))
POSITIONS = st.tuples(st.text() | st.integers(min_value=-(2**31), max_value=2**31) | MOMENTS, st.uuids())
CURSORS = Cursors([SECRET], TENANT)


@given(position=POSITIONS)
def test_cursor_round_trips(position: tuple[str | int | datetime, UUID]) -> None:
    """This holds for every type of sort value."""
    assert CURSORS.decode("order", CURSORS.encode("order", position)) == position


@given(position=POSITIONS, at=st.integers(min_value=0), to=st.characters(codec="ascii"))
def test_changed_cursor_is_rejected(position: tuple[str | int | datetime, UUID], at: int, to: str) -> None:
    """Changing one character is enough."""
    cursor = CURSORS.encode("order", position)
    changed = cursor[: at % len(cursor)] + to + cursor[at % len(cursor) + 1 :]
    assume(changed != cursor)
    with pytest.raises(BadInput):
        CURSORS.decode("order", changed)


@given(text=st.text())
def test_other_text_is_rejected(text: str) -> None:
    """The error has the code BAD_USER_INPUT and is never an internal error."""
    with pytest.raises(BadInput) as raised_error:
        CURSORS.decode("order", text)
    assert raised_error.value.extensions == {"code": "BAD_USER_INPUT"}


def test_cursor_of_another_order_tenant_or_secret_is_rejected() -> None:
    cursor = CURSORS.encode("order", ("a", uuid4()))
    for stranger in (Cursors([SECRET], UUID(int=2)), Cursors([b"t" * 32], TENANT)):
        with pytest.raises(BadInput, match="The cursor is not valid"):
            stranger.decode("order", cursor)
    with pytest.raises(BadInput, match="belongs to the order `order`, not `other`"):
        CURSORS.decode("other", cursor)


def test_rotated_secret_still_verifies() -> None:
    """The first secret signs, and all secrets verify."""
    position = ("a", uuid4())
    rotated = Cursors([b"new" * 12, SECRET], TENANT)
    assert rotated.decode("order", CURSORS.encode("order", position)) == position
    assert rotated.encode("order", position) != CURSORS.encode("order", position)
    with pytest.raises(BadInput):
        CURSORS.decode("order", rotated.encode("order", position))
