// The server creates a code when it starts, and returns the demo token to pages that send it. The printed address has the code in its
// fragment, which browsers never send. It moves to the session storage, so that a reload works, and no address bar, bookmark or history has it.

const KEY = "relaties:code";

export function codeOfThisStart() {
  const code = codeInAddress();
  if (code) {
    sessionStorage.setItem(KEY, code);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY);
}

// A new address that is opened in the same tab changes only the fragment, which does not load the page again.
export function reloadOnNewCode() {
  addEventListener("hashchange", () => codeInAddress() && location.reload());
}

function codeInAddress() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  return code && /^[\w-]+$/.test(code) ? code : null; // other characters cannot be sent in a header
}
