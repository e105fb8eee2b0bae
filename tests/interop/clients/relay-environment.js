import { Environment, Network, RecordSource, Store } from "relay-runtime";

export function createRelayEnvironment(url, token, fetch = globalThis.fetch) {
  async function network({ id, name }, variables) {
    const body = JSON.stringify({ id, operationName: name, variables });
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const response = await fetch(url, { method: "POST", headers, body });
    return response.json();
  }
  return new Environment({ network: Network.create(network), store: new Store(new RecordSource()) });
}
