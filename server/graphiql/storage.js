// Store GraphiQL's tabs, sizes and history in the browser, without headers, because headers hold tokens.
// GraphiQL's history stores headers in spite of `shouldPersistHeaders={false}`.

const HISTORY = ["queries", "favorites"];

export function storageWithout(defaultHeaders) {
  return {
    getItem: (key) => mapHistory(key, localStorage.getItem(key), (entry) => ({ ...entry, headers: defaultHeaders })),
    setItem: (key, text) => localStorage.setItem(key, mapHistory(key, text, ({ headers: _headers, ...entry }) => entry)),
    removeItem: (key) => localStorage.removeItem(key),
    clear: () => localStorage.clear(),
    get length() {
      return localStorage.length;
    },
  };
}

function mapHistory(key, text, change) {
  const list = HISTORY.find((name) => key === `graphiql:${name}`);
  return list && text ? JSON.stringify({ [list]: JSON.parse(text)[list].map(change) }) : text;
}
