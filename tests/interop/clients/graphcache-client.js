import { createClient, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";

import schema from "./generated/introspection.json";

// An object without an id is a part of the object that has it. Graphcache warns about each such type that has no entry here.
const hasId = ({ fields }) => fields.some(({ name }) => name === "id");
const parts = schema.__schema.types.filter((type) => type.kind === "OBJECT" && !hasId(type));
const keys = Object.fromEntries(parts.map(({ name }) => [name, () => null]));

// A new object may belong to any list: load those in use again.
function reloadClients(_result, _arguments, store) {
  for (const { fieldName, arguments: given } of store.inspectFields("Query")) {
    if (fieldName === "clients") store.invalidate("Query", fieldName, given);
  }
}

export function createGraphcacheClient(url, token, fetch = globalThis.fetch) {
  const cache = cacheExchange({
    schema,
    keys,
    resolvers: { Query: { clients: relayPagination(), contacts: relayPagination(), labels: relayPagination() } },
    updates: { Mutation: { clientCreate: reloadClients } },
  });
  return createClient({
    url,
    fetch,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges: [cache, fetchExchange],
    preferGetMethod: false,
  });
}
