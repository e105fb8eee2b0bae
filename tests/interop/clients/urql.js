// Runs the same requests with urql twice, so that the second time no document needs to be sent.

import { ClientCreateDocument, ClientsOverviewDocument, ClientUpdateDocument, WhoAsksDocument } from "./generated/graphql";
import { recording } from "./recording";
import { createUrqlClient } from "./urql-client";

// If the server accepts only known documents by GET, urql must send new ones by POST.
const [, , url, token, preferGetForPersistedQueries] = process.argv;

async function day(name) {
  const { sent, fetchFn } = recording(token);
  const client = createUrqlClient(url, token, JSON.parse(preferGetForPersistedQueries), fetchFn);
  const ask = async (document, field, variables) => {
    const { data, error } = await client.query(document, variables).toPromise();
    return error ?? data[field];
  };
  const change = async (document, field, variables) => {
    const { data, error } = await client.mutation(document, variables).toPromise();
    return error ?? data[field];
  };
  const names = ({ edges }) => edges.map(({ node }) => node.name);

  const page = await ask(ClientsOverviewDocument, "clients", { first: 2 });
  const next = await ask(ClientsOverviewDocument, "clients", { first: 2, after: page.pageInfo.endCursor });
  const { client: made } = await change(ClientCreateDocument, "clientCreate", { input: { name, number: name } });
  const renamed = { input: { id: made.id, expectedVersion: made.version, name: `${name} BV` }, key: name };
  const update = await change(ClientUpdateDocument, "clientUpdate", renamed);
  const again = await change(ClientUpdateDocument, "clientUpdate", renamed);
  const taken = await change(ClientCreateDocument, "clientCreate", { input: { name: "Another", number: name } });
  const failed = await ask(ClientsOverviewDocument, "clients", { first: 101 });
  const viewer = await ask(WhoAsksDocument, "viewer", {}); // a document short enough for a URL
  const codes = failed.graphQLErrors?.map((error) => error.extensions.code) ?? [String(failed)];
  return {
    first: names(page),
    second: [...names(page), ...names(next)],
    made: made.name,
    update: update.client,
    again: again.client,
    taken: taken.userErrors,
    codes,
    organization: viewer.organization?.name ?? String(viewer),
    sent,
  };
}

const name = `Made by urql ${preferGetForPersistedQueries}`;
console.log(JSON.stringify([await day(`${name} 1`), await day(`${name} 2`)]));
