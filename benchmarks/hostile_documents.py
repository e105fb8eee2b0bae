"""Build documents of attackers, each as expensive to reject as the limits allow."""

from collections.abc import Callable
from itertools import count

from graphql import get_introspection_query

SERIAL = count()


def fragment_lattice() -> str:
    """Return 120 levels of fragments, each spread twice in the previous level."""
    spread = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(120))
    return "{ ...F0 } " + spread + "fragment F120 on Query { __typename }"


def many_aliases() -> str:
    return "{ " + " ".join(f"a{index}: __typename" for index in range(5000)) + " }"


def conflicting_fields(fields: int = 10_000) -> str:
    """Return different fields with the same response name."""
    return "{ clients { nodes { " + " ".join(f"x: contacts(first: {index}) {{ totalCount }}" for index in range(fields)) + " } } }"


def conflicts_within_limits() -> str:
    """Return as many conflicting fields as pass the limits, without aliases."""
    return "{ clients { nodes { " + " ".join(f"contacts(first: {index + 1}) {{ totalCount }}" for index in range(195)) + " } } }"


def equal_nested_fields() -> str:
    """Return equal fields with equal subfields, all of which must be compared with each other."""
    return "{ clients { nodes { " + "contacts { edges { node { id } } } " * 99 + " } } }"


def many_fragments() -> str:
    """Return many fragments, all of which must be compared with each other."""
    names = " ".join(f"...F{index}" for index in range(110))
    return f"{{ clients {{ nodes {{ {names} }} }} }} " + " ".join(f"fragment F{n} on Client {{ name number kind }}" for n in range(110))


def unknown_fields() -> str:
    """Return as many unknown field names as the limit of fields allows."""
    return "{ clients { nodes { " + " ".join(f"n{index}" for index in range(390)) + " } } }"


def deep_fields() -> str:
    return "{ " + "clients { nodes { contacts { nodes { " * 90 + "id" + " } } } }" * 90 + " }"


def many_tokens() -> str:
    """Return a document with as many tokens as the limit allows."""
    return "{ " + "viewer { permissions } " * 480 + "}"


def unique_document() -> str:
    """Return a valid document that was never sent before."""
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
