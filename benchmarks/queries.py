"""Define the queries of the comparison. Every server answers the same text with the same JSON."""

from dataclasses import dataclass, field

from db import demo
from resolvers.ids import parse_id

CLIENT = """fragment Shown on Client {
  id name number kind email phone website language kvkNumber vatNumber archivedAt version
  contacts { edges { isInvoiceContact node { firstName lastName email } } }
  labels { name color }
  revenue(period: $period) {
    invoiced { amount currency } paid { amount currency } outstanding { amount currency }
  }
}"""
FIRST_CLIENT = "{ clients(filter: {status: ACTIVE}, first: 1) { edges { node { id } } } }"
# The comparison sends a period with each request; other programs use the default.
PERIOD = '$period: PeriodInput = {since: "2026-01-01", until: "2026-12-31"}'
CLIENTS = "clients(filter: {status: ACTIVE}, first: $first, after: $after)"
PAGE = f"""query ($first: Int!, $after: String, {PERIOD}) {{ {CLIENTS} {{
  edges {{ cursor node {{ ...Shown }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
CLIENT_QUERY = f"query ($id: ID!, {PERIOD}) {{ node(id: $id) {{ ... on Client {{ ...Shown }} }} }}"
NAMES = f"query ($first: Int!, $after: String) {{ {CLIENTS} {{ edges {{ node {{ id name }} }} }} }}"
CURSORS = f"query ($first: Int!, $after: String) {{ {CLIENTS} {{ edges {{ cursor }} pageInfo {{ hasNextPage }} }} }}"
PAGE_OF_IDS = f"query ($first: Int!, $after: String) {{ {CLIENTS} {{ edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage }} }} }}"
LARGEST_PAGE = 100
POSTGRAPHILE = "postgraphile"

# PostGraphile generates its own schema from the tables. With these names and aliases it returns the same JSON.
GENERATED_CLIENT = CLIENT.replace("  id name", "  id: globalId name").replace(
    "contacts { edges { isInvoiceContact node {",
    "contacts: clientContactsByTenantIdAndClientId(first: 25, orderBy: [POSITION_ASC, CONTACT_ID_ASC]) {\n"
    "    edges: nodes { isInvoiceContact node: contactByTenantIdAndContactId {",
)
OWN_TENANT = f'tenantId: "{demo.TENANT}"'
GENERATED_NAMES = {
    CLIENTS: "clients: allClients("
    f"condition: {{{OWN_TENANT}, archivedAt: null}}, orderBy: [NAME_KEY_ASC, ROW_ID_ASC], first: $first, after: $after)",
    "$after: String": "$after: Cursor",
    "{ id name }": "{ id: globalId name }",
    "$id: ID!": "$id: UUID!",
    "node(id: $id) { ... on Client { ...Shown } }": f"node: clientByTenantIdAndRowId({OWN_TENANT}, rowId: $id) {{ ...Shown }}",
    CLIENT: GENERATED_CLIENT,
}


@dataclass(frozen=True)
class BenchmarkQuery:
    """A query, its description and its variables."""

    text: str
    description: str
    variables: dict[str, object] = field(default_factory=dict)

    def build_body(self, server: str = "") -> dict[str, object]:
        """Return the request body for this server. PostGraphile's generated schema has other names and takes the key of a client."""
        if server != POSTGRAPHILE:
            return {"query": self.text, "variables": self.variables}
        text = self.text
        for ours, theirs in GENERATED_NAMES.items():
            text = text.replace(ours, theirs)
        return {"query": text, "variables": {name: decode_key(value) if name == "id" else value for name, value in self.variables.items()}}


def decode_key(global_id: object) -> str:
    return str(parse_id(global_id).key)


def build_queries(client_id: str) -> dict[str, BenchmarkQuery]:
    """Build Q1 to Q4. Q2 requests the client with this id."""
    return {
        "Q1": BenchmarkQuery(f"{PAGE} {CLIENT}", "50 active clients with contacts, labels and revenue", {"first": 50}),
        "Q2": BenchmarkQuery(f"{CLIENT_QUERY} {CLIENT}", "one client by id with the same", {"id": client_id}),
        "Q3": BenchmarkQuery(f"{PAGE} {CLIENT}", "Q1 with 100 clients, the most there may be", {"first": 100}),
        "Q4": BenchmarkQuery(NAMES, "50 clients, id and name alone", {"first": 50}),
    }


def replace_cursors(answer: object, server: str) -> object:
    """Return the answer with each cursor replaced by whether it is present, since every server has its own form of cursors.

    `hasPreviousPage` of PostGraphile is left out: it is always false when reading forwards, as the Relay specification allows.
    """
    if isinstance(answer, list):
        return [replace_cursors(each, server) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {
        key: value is not None if "cursor" in key.lower() else replace_cursors(value, server)
        for key, value in answer.items()
        if key != "hasPreviousPage" or server != POSTGRAPHILE
    }
