// Uses Relay without React. Each operation of its compiler is sent by the id under which it was persisted.

import {
  commitMutation,
  ConnectionHandler,
  createOperationDescriptor,
  fetchQuery,
  getSelector,
  ROOT_ID,
} from "relay-runtime";

import { recording } from "./recording";
import { createRelayEnvironment } from "./relay-environment";
import clientContactLinkMutation from "./relay/__generated__/clientContactLinkMutation.graphql";
import clientContactsRefetchQuery from "./relay/__generated__/clientContactsRefetchQuery.graphql";
import client_contacts from "./relay/__generated__/client_contacts.graphql";
import clientQuery from "./relay/__generated__/clientQuery.graphql";
import clientRenameMutation from "./relay/__generated__/clientRenameMutation.graphql";
import overview_clients from "./relay/__generated__/overview_clients.graphql";
import overviewClientsRefetchQuery from "./relay/__generated__/overviewClientsRefetchQuery.graphql";
import overviewCreateMutation from "./relay/__generated__/overviewCreateMutation.graphql";
import overviewQuery from "./relay/__generated__/overviewQuery.graphql";

const [, , url, token, contactId] = process.argv;
const { sent, fetchFn } = recording(token);

const environment = createRelayEnvironment(url, token, fetchFn);
const fetched = (query, variables) => fetchQuery(environment, query, variables).toPromise();
const committed = (mutation, variables) =>
  new Promise((resolve, reject) => commitMutation(environment, { mutation, variables, onCompleted: resolve, onError: reject }));

// Returns the data that a component would receive for the fragment, from everything that was loaded so far.
function read(query, variables, fragment, pick = (data) => data) {
  const { data } = environment.lookup(createOperationDescriptor(query, variables).fragment);
  return environment.lookup(getSelector(fragment, pick(data))).data;
}

const wanted = { filter: { status: "ACTIVE" } };
const overview = () => read(overviewQuery, wanted, overview_clients).clients;
const names = () => overview().edges.map(({ node }) => node.name);

await fetched(overviewQuery, wanted);
const first = names().length;
const { endCursor, hasNextPage } = overview().pageInfo;
await fetched(overviewClientsRefetchQuery, { ...wanted, count: 2, cursor: endCursor });
const second = names().length;

const connections = [ConnectionHandler.getConnectionID(ROOT_ID, "overview_clients", wanted)];
const created = (await committed(overviewCreateMutation, { input: { name: "Relay" }, connections })).clientCreate;
const id = created.client.__id;
const newest = names()[0];
const renaming = { input: { id, expectedVersion: 1, name: "Relay BV" }, key: "relay" };
const renamed = (await committed(clientRenameMutation, renaming)).clientUpdate.client;

const linked = () => read(clientQuery, { id }, client_contacts, ({ node }) => node.client_contacts).contacts.edges;
const contacts = () => linked().map(({ node }) => node.fullName);
await fetched(clientQuery, { id });
const before = contacts();
await committed(clientContactLinkMutation, { input: { clientId: id, contactId } });
await fetched(clientContactsRefetchQuery, { id, count: 5 });
console.log(JSON.stringify({ first, hasNextPage, second, newest, renamed, shown: names()[0], before, after: contacts(), sent }));
