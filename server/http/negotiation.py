"""Parse the weighted lists of `Accept` and `Accept-Encoding` (RFC 9110, 12.4), and choose the representation of a response."""

import re
from functools import lru_cache

from server.errors import ErrorCode, HttpError

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
OFFERED_TYPES = (JSON, GRAPHQL_JSON)  # the first is the default
MAX_CHARACTERS = 1_000
WEIGHT = re.compile(r"\d+(\.\d*)?", re.ASCII)
ANYTHING, SAME_FAMILY, EXACT = 1, 2, 3


def negotiate(accept: str) -> str:
    """Return the media type of a response: the one with the highest weight, then the one that is named more specifically.

    Of two that are named alike, return `GRAPHQL_JSON`, because its status codes are more specific.
    Raises `HttpError` (NOT_ACCEPTABLE) if neither is accepted.
    """
    return _negotiate(_whole_elements(accept))


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether the header gives gzip a weight above 0, by its name or by `*`."""
    weight_by_name = dict(reversed(_parse_weights(_whole_elements(accept_encoding))))  # the first of a name counts
    return weight_by_name.get("gzip", weight_by_name.get("*", 0.0)) > 0


@lru_cache(maxsize=64)
def _negotiate(accept: str) -> str:
    if not accept.strip():
        return JSON
    ranges = _parse_weights(accept)
    fits = {kind: max((_fit(kind, *each) for each in ranges), key=lambda fit: fit[1]) for kind in OFFERED_TYPES}
    best = max(weight for weight, _ in fits.values())
    if best <= 0:
        raise HttpError(ErrorCode.NOT_ACCEPTABLE, f"Responses are `{JSON}` or `{GRAPHQL_JSON}`. Accept one of them.")
    best_types = [kind for kind in OFFERED_TYPES if fits[kind][0] == best]
    closest = max(fits[kind][1] for kind in best_types)
    closest_types = [kind for kind in best_types if fits[kind][1] == closest]
    return closest_types[-1] if closest == EXACT else closest_types[0]


def _fit(kind: str, media_range: str, weight: float) -> tuple[float, int]:
    """Return the weight that a range gives a media type, and how specifically it names the type; 0 if it does not match."""
    if media_range == kind:
        return weight, EXACT
    if media_range == "application/*":
        return weight, SAME_FAMILY
    return (weight, ANYTHING) if media_range == "*/*" else (0.0, 0)


def _whole_elements(header: str) -> str:
    """Return the elements of a list that end within the first `MAX_CHARACTERS`; ignore the rest.

    Browsers send some 200 characters. Parsing 16 kB of elements would block the event loop for a tenth of a second.
    """
    return header if len(header) <= MAX_CHARACTERS else header[: MAX_CHARACTERS + 1].rpartition(",")[0]


def _parse_weights(header: str) -> list[tuple[str, float]]:
    """Parse a list of names, in lower case, with their weights. A weight that is missing or invalid counts as 1."""
    return [_parse_element(element) for element in header.lower().split(",")]


def _parse_element(element: str) -> tuple[str, float]:
    name, *parameters = (each.strip() for each in element.split(";"))
    weights = [each[2:] for each in parameters if each.startswith("q=") and WEIGHT.fullmatch(each[2:])]
    return name, min(float(weights[0]), 1.0) if weights else 1.0
