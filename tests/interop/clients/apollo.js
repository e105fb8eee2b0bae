// Runs the same requests with Apollo Client twice, so that the second time no document needs to be sent.

import { CombinedGraphQLErrors } from "@apollo/client";
import { filter, firstValueFrom } from "rxjs";

import { createApolloClient } from "./apollo-client";
import { ClientCreateDocument, ClientsOverviewDocument, ClientUpdateDocument } from "./generated/graphql";
import { recording } from "./recording";

const [, , url, token] = process.argv;

async function day(name) {
  const { sent, fetchFn } = recording(token);
  const client = createApolloClient(url, token, fetchFn);
  const pages = client.watchQuery({ query: ClientsOverviewDocument, variables: { first: 2 } });
  const held = () => client.readQuery({ query: ClientsOverviewDocument, variables: { first: 2 } }).clients;
  const names = () => held().edges.map(({ node }) => node.name);
  const watching = pages.subscribe(() => {});
  await firstValueFrom(pages.pipe(filter(({ loading }) => !loading)));
  const first = names();
  await pages.fetchMore({ variables: { first: 2, after: held().pageInfo.endCursor } });
  const second = names();
  watching.unsubscribe();

  const change = async (mutation, field, variables) => (await client.mutate({ mutation, variables })).data[field];
  const { client: made } = await change(ClientCreateDocument, "clientCreate", { input: { name, number: name } });
  const renamed = { input: { id: made.id, expectedVersion: made.version, name: `${name} BV` }, key: name };
  const update = await change(ClientUpdateDocument, "clientUpdate", renamed);
  const again = await change(ClientUpdateDocument, "clientUpdate", renamed);
  const taken = await change(ClientCreateDocument, "clientCreate", { input: { name: "Another", number: name } });
  const asked = { query: ClientsOverviewDocument, variables: { first: 101 }, fetchPolicy: "network-only" };
  const failed = await client.query(asked).catch((error) => error);
  const codes = CombinedGraphQLErrors.is(failed) ? failed.errors.map((error) => error.extensions.code) : [String(failed)];
  return { first, second, made: made.name, update: update.client, again: again.client, taken: taken.userErrors, codes, sent };
}

console.log(JSON.stringify([await day("Made by Apollo 1"), await day("Made by Apollo 2")]));
