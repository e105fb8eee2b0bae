// Returns a fetch function that adds the token and records what was sent: the operation, the method, the status, and whether the
// request contained the text, the hash or the id of a document.

export function recording(token) {
  const sent = [];
  const fetchFn = async (input, init = {}) => {
    const url = new URL(input);
    const body = init.body ? JSON.parse(init.body) : Object.fromEntries(url.searchParams);
    const extensions = typeof body.extensions === "string" ? JSON.parse(body.extensions) : body.extensions;
    const given = { text: body.query, hash: extensions?.persistedQuery?.sha256Hash, id: body.id ?? body.documentId };
    const response = await fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
    const how = Object.keys(given).filter((name) => given[name]);
    sent.push([body.operationName ?? body.operation, init.method ?? "GET", how.join("+"), response.status].join(" "));
    return response;
  };
  return { sent, fetchFn };
}
