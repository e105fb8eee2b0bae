"""Describe the API as a whole, for readers of the printed schema and of GraphiQL's documentation."""

from domain.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE

SCHEMA_DESCRIPTION = f"""\
Clients of an organization with their contacts, labels, projects, registrations and revenue.

- **Sign-in:** every request has a token, `Authorization: Bearer …`, which determines the organization and the permissions. See `viewer`.
- **Ids** are opaque, never change and are unique among all types. `node` and `nodes` read any object by its id.
- **Nulls:** a field with `@semanticNonNull` is null only if `errors` has an error for it. `@permission` names what the caller needs.
- **Errors:** a rejected mutation changes nothing and returns `userErrors`, each with a `code`, a `message` and the `path` of the value. \
`errors` of the response have their code in `extensions.code`.
- **Versions:** pass the `version` that you read as `expectedVersion`. If the object has changed since, nothing is overwritten.
- **Updates:** an omitted field stays unchanged, and null clears a field.
- **Pages:** read a list by `first` and `after`, or by `last` and `before`. A page has {DEFAULT_PAGE_SIZE} entries unless you ask for \
another number, at most {MAX_PAGE_SIZE}.
- **Amounts** are exact decimals in text, with their currency. Amounts of different currencies are never added up.
- **Dates:** a `Date` is a day, and a `DateTime` a moment in UTC.
- **Retries:** a mutation with `@idempotent`, or with the header `Idempotency-Key`, can safely be sent again.
- **Limits:** an operation costs points, which `@cost` and `@listSize` determine. Send `extensions: {{"cost": true}}` to see them.
- **Changes:** fields, types, error types and enum values may be added at any time, so accept unknown ones. Ids and codes never change. \
The reason of `@deprecated` names what to use instead and the last day on which the old one works.
- **Tools:** generate code from this text, which is `GET /schema.graphql` on servers that allow introspection. Introspection does not show \
directives."""
