"""The maximum number of rows of a page."""

import pytest

from db.sql.pagination import MAX_PAGE_ROWS, PageSlice
from domain.core import pagination


def test_a_page_has_no_more_rows_than_its_statement_reads() -> None:
    """The SQL contains the maximum, so a larger page would silently have too few rows."""
    assert PageSlice(is_ascending=True, after=None, size=MAX_PAGE_ROWS).size == MAX_PAGE_ROWS > pagination.MAX_PAGE_SIZE
    with pytest.raises(ValueError, match="A page has at most 1000 rows, not 1001"):
        PageSlice(is_ascending=True, after=None, size=MAX_PAGE_ROWS + 1)
