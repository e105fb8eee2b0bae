"""Attacks by values: texts, lists, numbers and moments that are dear to take or fail inside."""

from collections.abc import Iterator
from itertools import count, cycle

from benchmarks.attacks.scene import Attack, Body, Run, Scene, posting

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
FEW = 6  # connections


def variables(query: str, **given: object) -> Body:
    return {"query": query, "variables": given}


def in_turn(*bodies: Body) -> Iterator[Body]:
    return cycle(bodies)


MARKED = in_turn(variables(LABEL, x={"name": MARKS}), variables(SEARCH, s=MARKS), variables(FILTER, f={"country": MARKS}))


def long_integers() -> Body:
    """In a document, as a default, and in an input; each time another document."""
    number = next(SERIAL)
    texts = (
        f"query A{number} {{ clients(first: {DIGITS}) {{ totalCount }} }}",
        f"query A{number} ($n: Int = {DIGITS}) {{ clients(first: $n) {{ totalCount }} }}",
        f"mutation A{number} {{ {WORK} }}",
    )
    return {"query": texts[number % len(texts)]}


AT_EDGES = in_turn(
    *(variables(FILTER, f={"updatedSince": edge}) for edge in EDGES),
    *(variables(TOKEN, x={"name": "Edge", "role": "VIEWER", "expiresAt": edge}) for edge in EDGES),
)


def many_ids(scene: Scene, what: str) -> Body:
    ids = [scene.ids["label"]] * 15_000
    if what == "labels.any":
        return variables(FILTER, f={"labels": {"any": ids}})
    if what == "clientLabelsAdd":
        return variables(LABELS, x={"clientIds": [scene.ids["client"]], "labelIds": ids})
    return variables(NODES, ids=ids)


def listing(what: str) -> Run:
    """15,000 ids on six connections."""

    async def run(scene: Scene) -> None:
        body = many_ids(scene, what)
        await posting(lambda: body, connections=FEW)(scene)

    return run


KEYS = variables(TYPENAME, x=dict.fromkeys((f"k{place}" for place in range(88_000)), 0))
EMPTY = variables(TYPENAME, x=[[]] * 330_000)
VALUES = variables(TYPENAME, x=[{"a": {}}] * 90_000)
TEXT = variables(TYPENAME, x="é" * 490_000)
OBJECTS = variables(UPSERT, x={"clients": [{}] * 19_000})
ATTACKS = (
    Attack("80,000 combining marks", posting(lambda: next(MARKED))),
    Attack("floats as page sizes", posting(lambda: variables(DEEP, n=100.0))),
    Attack("nodes of 15,000 ids", listing("nodes")),
    Attack("labels.any of 15,000 ids", listing("labels.any")),
    Attack("clientLabelsAdd of 15,000 ids", listing("clientLabelsAdd")),
    Attack("bulk upsert of 19,000 {}", posting(lambda: OBJECTS, connections=FEW)),
    Attack("integers of 5,000 digits", posting(long_integers)),
    Attack("moments at the limits", posting(lambda: next(AT_EDGES))),
    Attack("88,000 keys", posting(lambda: KEYS)),
    Attack("330,000 []", posting(lambda: EMPTY)),
    Attack("variables of 1 MB", posting(lambda: VALUES)),
    Attack("a text of 1 MB", posting(lambda: TEXT)),
)
