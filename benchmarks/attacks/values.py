"""Define attacks by values: texts, lists, numbers and timestamps that are expensive to process or could cause internal errors."""

from collections.abc import Iterator
from itertools import count, cycle

from benchmarks.attacks.scenario import Attack, Body, Run, Scene, post_repeatedly

SERIAL = count()
MARKS = "a" + "\u0300" * 40_000 + "\u0316" * 40_000
TYPENAME = "{ __typename }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
FILTER = "query ($f: ClientFilterInput) { clients(filter: $f) { totalCount } }"
SEARCH = "query ($s: String) { clients(search: $s) { totalCount } }"
LABEL = "mutation ($x: LabelCreateInput!) { labelCreate(input: $x) { userErrors { code } } }"
LABELS = "mutation ($x: ClientLabelsInput!) { clientLabelsAdd(input: $x) { userErrors { code } } }"
UPSERT = "mutation ($x: ClientBulkUpsertInput!) { clientBulkUpsert(input: $x) { userErrors { code } } }"
TOKEN = "mutation ($x: TokenCreateInput!) { tokenCreate(input: $x) { userErrors { code } } }"  # noqa: S105 no secret
DEEP = "query ($n: Int) { clients(first: $n) { nodes { contacts(first: $n) { nodes { clients(first: $n) { nodes { id name } } } } } } }"
DIGITS = "9" * 5_000
WORK = f'registrationCreate(input: {{registeredOn: "2026-01-31", work: {{time: {{minutes: {DIGITS}}}}}}}) {{ userErrors {{ code }} }}'
EDGES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
FEW_CONNECTIONS = 6


def build_variables(query: str, **values: object) -> Body:
    return {"query": query, "variables": values}


def cycle_bodies(*bodies: Body) -> Iterator[Body]:
    return cycle(bodies)


MARKED_TEXTS = cycle_bodies(
    build_variables(LABEL, x={"name": MARKS}), build_variables(SEARCH, s=MARKS), build_variables(FILTER, f={"country": MARKS})
)


def build_long_integers() -> Body:
    """Return a new document with a long integer: as an argument, as a default, or in an input."""
    number = next(SERIAL)
    texts = (
        f"query A{number} {{ clients(first: {DIGITS}) {{ totalCount }} }}",
        f"query A{number} ($n: Int = {DIGITS}) {{ clients(first: $n) {{ totalCount }} }}",
        f"mutation A{number} {{ {WORK} }}",
    )
    return {"query": texts[number % len(texts)]}


AT_EDGES = cycle_bodies(
    *(build_variables(FILTER, f={"updatedSince": edge}) for edge in EDGES),
    *(build_variables(TOKEN, x={"name": "Edge", "role": "VIEWER", "expiresAt": edge}) for edge in EDGES),
)


def build_many_ids(scene: Scene, location: str) -> Body:
    ids = [scene.ids["label"]] * 15_000
    if location == "labels.any":
        return build_variables(FILTER, f={"labels": {"any": ids}})
    if location == "clientLabelsAdd":
        return build_variables(LABELS, x={"clientIds": [scene.ids["client"]], "labelIds": ids})
    return build_variables(NODES, ids=ids)


def send_id_lists(location: str) -> Run:
    """Return an attack that sends 15,000 ids at this location, on six connections."""

    async def run(scene: Scene) -> None:
        body = build_many_ids(scene, location)
        await post_repeatedly(lambda: body, connections=FEW_CONNECTIONS)(scene)

    return run


KEYS = build_variables(TYPENAME, x=dict.fromkeys((f"k{index}" for index in range(88_000)), 0))
EMPTY = build_variables(TYPENAME, x=[[]] * 330_000)
VALUES = build_variables(TYPENAME, x=[{"a": {}}] * 90_000)
TEXT = build_variables(TYPENAME, x="é" * 490_000)
OBJECTS = build_variables(UPSERT, x={"clients": [{}] * 19_000})
ATTACKS = (
    Attack("80,000 combining marks", post_repeatedly(lambda: next(MARKED_TEXTS))),
    Attack("floats as page sizes", post_repeatedly(lambda: build_variables(DEEP, n=100.0))),
    Attack("nodes of 15,000 ids", send_id_lists("nodes")),
    Attack("labels.any of 15,000 ids", send_id_lists("labels.any")),
    Attack("clientLabelsAdd of 15,000 ids", send_id_lists("clientLabelsAdd")),
    Attack("bulk upsert of 19,000 {}", post_repeatedly(lambda: OBJECTS, connections=FEW_CONNECTIONS)),
    Attack("integers of 5,000 digits", post_repeatedly(build_long_integers)),
    Attack("timestamps at the limits", post_repeatedly(lambda: next(AT_EDGES))),
    Attack("88,000 keys", post_repeatedly(lambda: KEYS)),
    Attack("330,000 []", post_repeatedly(lambda: EMPTY)),
    Attack("variables of 1 MB", post_repeatedly(lambda: VALUES)),
    Attack("a text of 1 MB", post_repeatedly(lambda: TEXT)),
)
