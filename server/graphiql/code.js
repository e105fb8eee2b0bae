// The code of this start of the server, for which it gives the demo's token. The printed address carries it in its fragment, which no
// browser sends anywhere. It moves to the session's storage, so that a reload works and the address bar, bookmarks and history lack it.

const KEY = "relaties:code";

export function codeOfThisStart() {
  const code = codeInAddress();
  if (code) {
    sessionStorage.setItem(KEY, code);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY);
}

// A newly printed address that is opened in the same tab changes the fragment alone, which loads nothing.
export function reloadOnNewCode() {
  addEventListener("hashchange", () => codeInAddress() && location.reload());
}

function codeInAddress() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  return code && /^[\w-]+$/.test(code) ? code : null; // anything else could not be sent as a header
}
