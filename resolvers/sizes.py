"""How many bytes a field takes at most as JSON."""

from collections.abc import Iterable

from graphql import GraphQLList, GraphQLNonNull, GraphQLOutputType, GraphQLString, get_named_type

from db.tables import text_lengths

PUNCTUATION = 8  # bytes of JSON around a key and a value
BYTES_PER_CHARACTER = 4  # in UTF-8; what JSON escapes takes two bytes for one
MOST_CHARACTERS = 10_000  # of a text that is of no column, or of one without a limit
MOST_SCALAR_BYTES = 100  # of a number, a date, an id, a word of an enum
MOST_SCALARS = 100  # in a list
CURSORS = dict.fromkeys(("cursor", "start_cursor", "end_cursor"), 1_000)  # characters: a signed sort value of at most a name


def most_bytes(of: GraphQLOutputType, names: Iterable[str]) -> int:
    """Return the bytes that the value of a field takes at most as JSON; `names` are the attributes that it is made of.

    A text is as long as the columns of those names together. Where an attribute is no column it is as long as the longest text.
    """
    is_list = isinstance(of.of_type if isinstance(of, GraphQLNonNull) else of, GraphQLList)
    if get_named_type(of) is GraphQLString:
        each = BYTES_PER_CHARACTER * sum(CURSORS.get(name) or text_lengths().get(name, MOST_CHARACTERS) for name in names)
    else:
        each = MOST_SCALAR_BYTES
    return each * MOST_SCALARS if is_list else each
