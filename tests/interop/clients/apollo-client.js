import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { createPersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";
import { createHash } from "node:crypto";

const sha256 = (text) => createHash("sha256").update(text).digest("hex"); // in a browser: crypto.subtle

export function createApolloClient(uri, token, fetch = globalThis.fetch) {
  const persisted = createPersistedQueryLink({ sha256, useGETForHashedQueries: true });
  const http = new HttpLink({ uri, fetch, headers: { authorization: `Bearer ${token}` } });
  return new ApolloClient({
    link: ApolloLink.from([persisted, http]),
    cache: new InMemoryCache({
      possibleTypes: {
        UserError: ["ClientVersionConflictError", "InUseError", "InputError", "NumberTakenError"],
        VersionConflictError: ["ClientVersionConflictError"],
      },
      typePolicies: { Query: { fields: { clients: relayStylePagination() } } },
    }),
  });
}
