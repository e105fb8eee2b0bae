// What the browser keeps of GraphiQL: tabs, sizes, history. Never a header, since headers hold tokens;
// its history would keep them for good, whatever it is told of them elsewhere.

const HISTORY = ["queries", "favorites"];

export function storageWithout(defaultHeaders) {
  return {
    getItem: (key) => mapped(key, localStorage.getItem(key), (entry) => ({ ...entry, headers: defaultHeaders })),
    setItem: (key, text) => localStorage.setItem(key, mapped(key, text, ({ headers: _headers, ...entry }) => entry)),
    removeItem: (key) => localStorage.removeItem(key),
    clear: () => localStorage.clear(),
    get length() {
      return localStorage.length;
    },
  };
}

function mapped(key, text, change) {
  const list = HISTORY.find((name) => key === `graphiql:${name}`);
  return list && text ? JSON.stringify({ [list]: JSON.parse(text)[list].map(change) }) : text;
}
