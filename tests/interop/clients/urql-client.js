import { cacheExchange, createClient, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";

// Pass false for `preferGet` where the server accepts only known documents by GET, as in production.
export function createUrqlClient(url, token, preferGet, fetch = globalThis.fetch) {
  const persisted = persistedExchange({ enableForMutation: true, preferGetForPersistedQueries: preferGet });
  return createClient({
    url,
    fetch,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges: [cacheExchange, persisted, fetchExchange],
    preferGetMethod: false,
  });
}
