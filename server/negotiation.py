"""Which media type an answer has: what the request's `Accept` likes best of the two that there are."""

import re
from functools import lru_cache

from server.refusals import ErrorCode, Unanswerable

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
OFFERED = (JSON, GRAPHQL_JSON)  # the first for who has no preference
MAX_CHARACTERS = 1_000
WEIGHT = re.compile(r"\d+(\.\d*)?", re.ASCII)


def negotiated(accept: str) -> str:
    """Choose by weight, then by how closely it is named; of two named alike take the one that says more by its status.

    Only the beginning of the header counts. Browsers send some 200 characters; reading 16 kB of ranges would take a tenth of a second.
    """
    return _negotiated(accept[:MAX_CHARACTERS])


@lru_cache(maxsize=64)
def _negotiated(accept: str) -> str:
    if not accept.strip():
        return JSON
    ranges = [_range(each) for each in accept.split(",")]
    weighed = {kind: max((_fit(kind, *each) for each in ranges), key=lambda fit: fit[1]) for kind in OFFERED}
    best = max(weight for weight, _ in weighed.values())
    if best <= 0:
        raise Unanswerable(ErrorCode.NOT_ACCEPTABLE, f"Answers are {JSON} or {GRAPHQL_JSON}: accept one of them.")
    liked = [kind for kind in OFFERED if weighed[kind][0] == best]
    closest = max(weighed[kind][1] for kind in liked)
    named = [kind for kind in liked if weighed[kind][1] == closest]
    return named[-1] if closest == EXACT else named[0]


ANYTHING, SAME_FAMILY, EXACT = 1, 2, 3


def _fit(kind: str, wanted: str, weight: float) -> tuple[float, int]:
    """The weight that a range gives a media type, and how closely it names it; none where it does not."""
    if wanted == kind:
        return weight, EXACT
    if wanted == "application/*":
        return weight, SAME_FAMILY
    return (weight, ANYTHING) if wanted == "*/*" else (0.0, 0)


def _range(said: str) -> tuple[str, float]:
    """A media range and its weight; one that is no number from 0 to 1 counts as 1."""
    wanted, *parameters = (each.strip().lower() for each in said.split(";"))
    weights = [each[2:] for each in parameters if each.startswith("q=") and WEIGHT.fullmatch(each[2:])]
    return wanted, min(float(weights[0]), 1.0) if weights else 1.0
