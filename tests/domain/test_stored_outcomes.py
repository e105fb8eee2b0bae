"""Outcomes of bulk upserts are stored for repeated requests and can be read after an upgrade."""

import pytest
from pydantic import TypeAdapter

from domain.clients.bulk_upsert import UpsertAction, UpsertResult
from domain.core.errors import Duplicate

OUTCOMES = TypeAdapter(list[UpsertResult])


@pytest.mark.parametrize("name", ["user_errors", "refusals"])
def test_errors_are_read_under_their_current_and_former_name(name: str) -> None:
    results = [UpsertResult(UpsertAction.REFUSED, user_errors=[Duplicate(["clients", "1"], "This client is in the input twice.")])]
    (dump,) = OUTCOMES.dump_python(results, mode="json")
    assert OUTCOMES.validate_python([{name if key == "user_errors" else key: value for key, value in dump.items()}]) == results
