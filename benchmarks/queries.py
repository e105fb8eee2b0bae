"""The queries of the comparison: one text that every server answers with the same JSON."""

from dataclasses import dataclass, field

CLIENT = """fragment Shown on Client {
  id name number kind email phone website language kvkNumber vatNumber archivedAt version
  contacts { edges { isInvoiceContact node { firstName lastName email } } }
  labels { name color }
  revenue(period: {since: "2026-01-01", until: "2026-12-31"}) {
    invoiced { amount currency } paid { amount currency } outstanding { amount currency }
  }
}"""
PAGE = """query ($first: Int!) { clients(first: $first) {
  edges { cursor node { ...Shown } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
ONE = "query ($id: ID!) { node(id: $id) { ... on Client { ...Shown } } }"
NAMES = "query ($first: Int!) { clients(first: $first) { edges { node { id name } } } }"


@dataclass(frozen=True)
class Asked:
    """A query, its variables, and what it is."""

    text: str
    what: str
    variables: dict[str, object] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, object]:
        return {"query": self.text, "variables": self.variables}


def asked(client_id: str) -> dict[str, Asked]:
    """Q1 to Q4; the second asks for the client of that id."""
    return {
        "Q1": Asked(f"{PAGE} {CLIENT}", "50 clients with contacts, labels and revenue", {"first": 50}),
        "Q2": Asked(f"{ONE} {CLIENT}", "one client by id with the same", {"id": client_id}),
        "Q3": Asked(f"{PAGE} {CLIENT}", "Q1 with 100 clients, the most there may be", {"first": 100}),
        "Q4": Asked(NAMES, "50 clients, id and name alone", {"first": 50}),
    }


def without_cursors(answer: object) -> object:
    """The same answer, each cursor replaced by whether it is there: every server writes them its own way."""
    if isinstance(answer, dict):
        return {key: value is not None if "cursor" in key.lower() else without_cursors(value) for key, value in answer.items()}
    return [without_cursors(each) for each in answer] if isinstance(answer, list) else answer
