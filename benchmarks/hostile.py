"""Documents and bodies of attackers, each as dear to refuse as the limits let it be."""

from collections.abc import Callable
from itertools import count

from graphql import get_introspection_query

SERIAL = count()


def lattice() -> str:
    """120 levels of fragments, each spread twice in the one before."""
    spread = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(120))
    return "{ ...F0 } " + spread + "fragment F120 on Query { __typename }"


def aliases() -> str:
    return "{ " + " ".join(f"a{place}: __typename" for place in range(5000)) + " }"


def conflicts(fields: int = 10_000) -> str:
    """The same answer for different fields."""
    return "{ clients { nodes { " + " ".join(f"x: contacts(first: {place}) {{ totalCount }}" for place in range(fields)) + " } } }"


def conflicts_within() -> str:
    """As many as pass the limits, without an alias."""
    return "{ clients { nodes { " + " ".join(f"contacts(first: {place + 1}) {{ totalCount }}" for place in range(195)) + " } } }"


def entangled() -> str:
    """Equal fields of equal fields, which have to be compared with each other."""
    return "{ clients { nodes { " + "contacts { edges { node { id } } } " * 99 + " } } }"


def fragments() -> str:
    """Many fragments that are all compared with each other."""
    names = " ".join(f"...F{place}" for place in range(110))
    return f"{{ clients {{ nodes {{ {names} }} }} }} " + " ".join(f"fragment F{n} on Client {{ name number kind }}" for n in range(110))


def unknown() -> str:
    """Names that there are not, as many as there may be fields."""
    return "{ clients { nodes { " + " ".join(f"n{place}" for place in range(390)) + " } } }"


def deep() -> str:
    return "{ " + "clients { nodes { contacts { nodes { " * 90 + "id" + " } } } }" * 90 + " }"


def tokens() -> str:
    """As long as there may be tokens."""
    return "{ " + "viewer { permissions } " * 480 + "}"


def unique() -> str:
    """Good, and never sent before."""
    mark = next(SERIAL)
    fields = " ".join(["name", "number", "kind", "email", "phone", "website", "language", "version"] * 20)
    return f"query Q{mark} {{ clients(first: 1) {{ nodes {{ {fields} }} }} }}"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "fragment lattice of 120 levels": lattice,
    "5,000 aliases": aliases,
    "10,000 conflicting fields": conflicts,
    "29 conflicting aliases": lambda: conflicts(29),
    "195 conflicting fields": conflicts_within,
    "99 entangled fields": entangled,
    "110 fragments on one level": fragments,
    "390 unknown names": unknown,
    "360 levels": deep,
    "2,000 tokens": tokens,
    "introspection, not allowed": get_introspection_query,
    "unique documents": unique,
}
