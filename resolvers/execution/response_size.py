"""Estimate the maximum size of a field as JSON."""

from collections.abc import Iterable

from graphql import GraphQLList, GraphQLNonNull, GraphQLOutputType, GraphQLString, get_named_type

from db.tables import text_lengths

PUNCTUATION = 8  # bytes of JSON around a key and a value, and for the value null
BYTES_PER_CHARACTER = 4  # in UTF-8, at most; a JSON escape replaces one byte by two
MAX_CHARACTERS = 10_000  # of a text without a column, or of a column without a limit
MAX_SCALAR_BYTES = 100  # of a number, a date, an identifier or an enum value
MAX_LIST_ENTRIES = 100  # in a list
CURSOR_CHARACTERS = dict.fromkeys(("cursor", "start_cursor", "end_cursor"), 1_000)  # characters: a signed sort value of at most a name


def estimate_max_bytes(output_type: GraphQLOutputType, names: Iterable[str]) -> int:
    """Return the maximum bytes of a field's value as JSON. `names` are the attributes that it is made of.

    A text is at most as long as the columns of those names together. An attribute that is no column counts as the longest text.
    """
    is_list = isinstance(output_type.of_type if isinstance(output_type, GraphQLNonNull) else output_type, GraphQLList)
    if get_named_type(output_type) is GraphQLString:
        entry_bytes = BYTES_PER_CHARACTER * sum(CURSOR_CHARACTERS.get(name) or text_lengths().get(name, MAX_CHARACTERS) for name in names)
    else:
        entry_bytes = MAX_SCALAR_BYTES
    return entry_bytes * MAX_LIST_ENTRIES if is_list else entry_bytes
