"""The nested query, and the statements that read data."""

NESTED_QUERY = """query ($first: Int!, $after: String) { clients(first: $first, after: $after) {
  edges { cursor node {
    id name number kind email address { city country } archivedAt version
    contacts(first: 2) { edges { cursor isInvoiceContact isPrimary position node { id fullName } } pageInfo { hasNextPage endCursor } }
    labels { id name color }
    revenue(period: {since: "2026-01-01", until: "2026-12-31"}) {
      invoiced { amount currency } paid { amount } outstanding { amount } byCurrency { currency invoiced { amount } } } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
FIGURES = """fragment Figures on Revenue { invoiced { amount currency } paid { amount currency } outstanding { amount currency }
  byCurrency { currency invoiced { amount } paid { amount } outstanding { amount } } }"""


def data_statements(statements: list[str]) -> list[str]:
    return [statement for statement in statements if statement.startswith(("SELECT", "WITH")) and "token_actor" not in statement]
