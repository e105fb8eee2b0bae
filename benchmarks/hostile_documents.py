"""Documents and bodies of attackers, each as dear to refuse as the limits let it be."""

from collections.abc import Callable
from itertools import count

from graphql import get_introspection_query

SERIAL = count()


def fragment_lattice() -> str:
    """120 levels of fragments, each spread twice in the one before."""
    spread = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(120))
    return "{ ...F0 } " + spread + "fragment F120 on Query { __typename }"


def many_aliases() -> str:
    return "{ " + " ".join(f"a{index}: __typename" for index in range(5000)) + " }"


def conflicting_fields(fields: int = 10_000) -> str:
    """Return the same answer for different fields."""
    return "{ clients { nodes { " + " ".join(f"x: contacts(first: {index}) {{ totalCount }}" for index in range(fields)) + " } } }"


def conflicts_within_limits() -> str:
    """As many as pass the limits, without an alias."""
    return "{ clients { nodes { " + " ".join(f"contacts(first: {index + 1}) {{ totalCount }}" for index in range(195)) + " } } }"


def equal_nested_fields() -> str:
    """Equal fields of equal fields, which have to be compared with each other."""
    return "{ clients { nodes { " + "contacts { edges { node { id } } } " * 99 + " } } }"


def many_fragments() -> str:
    """Many fragments that are all compared with each other."""
    names = " ".join(f"...F{index}" for index in range(110))
    return f"{{ clients {{ nodes {{ {names} }} }} }} " + " ".join(f"fragment F{n} on Client {{ name number kind }}" for n in range(110))


def unknown_fields() -> str:
    """Names that there are not, as many as there may be fields."""
    return "{ clients { nodes { " + " ".join(f"n{index}" for index in range(390)) + " } } }"


def deep_fields() -> str:
    return "{ " + "clients { nodes { contacts { nodes { " * 90 + "id" + " } } } }" * 90 + " }"


def many_tokens() -> str:
    """As long as there may be tokens."""
    return "{ " + "viewer { permissions } " * 480 + "}"


def unique_document() -> str:
    """Good, and never sent before."""
    mark = next(SERIAL)
    fields = " ".join(["name", "number", "kind", "email", "phone", "website", "language", "version"] * 20)
    return f"query Q{mark} {{ clients(first: 1) {{ nodes {{ {fields} }} }} }}"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "fragment lattice of 120 levels": fragment_lattice,
    "5,000 aliases": many_aliases,
    "10,000 conflicting fields": conflicting_fields,
    "29 conflicting aliases": lambda: conflicting_fields(29),
    "195 conflicting fields": conflicts_within_limits,
    "99 entangled fields": equal_nested_fields,
    "110 fragments on one level": many_fragments,
    "390 unknown names": unknown_fields,
    "360 levels": deep_fields,
    "2,000 tokens": many_tokens,
    "introspection, not allowed": get_introspection_query,
    "unique documents": unique_document,
}
