"""Negotiate the media type of a response from the request's `Accept`."""

import re
from functools import lru_cache

from server.errors import ErrorCode, HttpError

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
OFFERED_TYPES = (JSON, GRAPHQL_JSON)  # the first for who has no preference
MAX_CHARACTERS = 1_000
WEIGHT = re.compile(r"\d+(\.\d*)?", re.ASCII)


def negotiate(accept: str) -> str:
    """Choose by weight, then by how closely it is named; of two named alike take the one whose status is more specific.

    Only the beginning of the header counts. Browsers send some 200 characters; reading 16 kB of ranges would take a tenth of a second.
    """
    return _negotiate(accept[:MAX_CHARACTERS])


@lru_cache(maxsize=64)
def _negotiate(accept: str) -> str:
    if not accept.strip():
        return JSON
    ranges = [_parse_range(each) for each in accept.split(",")]
    fits = {kind: max((_fit(kind, *each) for each in ranges), key=lambda fit: fit[1]) for kind in OFFERED_TYPES}
    best = max(weight for weight, _ in fits.values())
    if best <= 0:
        raise HttpError(ErrorCode.NOT_ACCEPTABLE, f"Answers are {JSON} or {GRAPHQL_JSON}: accept one of them.")
    best_types = [kind for kind in OFFERED_TYPES if fits[kind][0] == best]
    closest = max(fits[kind][1] for kind in best_types)
    closest_types = [kind for kind in best_types if fits[kind][1] == closest]
    return closest_types[-1] if closest == EXACT else closest_types[0]


ANYTHING, SAME_FAMILY, EXACT = 1, 2, 3


def _fit(kind: str, media_range: str, weight: float) -> tuple[float, int]:
    """Return the weight that a range gives a media type, and how closely it names it; 0 if it does not."""
    if media_range == kind:
        return weight, EXACT
    if media_range == "application/*":
        return weight, SAME_FAMILY
    return (weight, ANYTHING) if media_range == "*/*" else (0.0, 0)


def _parse_range(text: str) -> tuple[str, float]:
    """Parse a media range and its weight; an invalid weight counts as 1."""
    media_range, *parameters = (each.strip().lower() for each in text.split(";"))
    weights = [each[2:] for each in parameters if each.startswith("q=") and WEIGHT.fullmatch(each[2:])]
    return media_range, min(float(weights[0]), 1.0) if weights else 1.0
