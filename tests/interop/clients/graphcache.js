// Reads, pages and changes clients with urql's Graphcache, and prints what it answered, sent and warned about.

import { createClient, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";

import {
  AnyObjectDocument,
  ClientCreateDocument,
  ClientInDepthDocument,
  ClientsOverviewDocument,
  ClientUpdateDocument,
  ContactsFoundDocument,
  LabelsWithClientsDocument,
  ObjectsByIdDocument,
  WhoAsksDocument,
} from "./generated/graphql";
import schema from "./generated/introspection.json";
import { createGraphcacheClient } from "./graphcache-client";
import { recording } from "./recording";

const [, , url, token] = process.argv;
const warnings = [];
console.warn = console.error = (...words) => warnings.push(words.join(" "));

const { sent, fetchFn } = recording(token);
const client = createGraphcacheClient(url, token, fetchFn);
const ask = async (document, variables, context) => {
  const { data, error } = await client.query(document, variables, context).toPromise();
  if (error) throw error;
  return data;
};
const change = async (document, variables) => {
  const { data, error } = await client.mutation(document, variables).toPromise();
  if (error) throw error;
  return Object.values(data).find((payload) => payload?.userErrors);
};
const names = ({ clients }) => clients.edges.map(({ node }) => node.name);

const page = await ask(ClientsOverviewDocument, { first: 2 });
const pages = await ask(ClientsOverviewDocument, { first: 2, after: page.clients.pageInfo.endCursor });
const [first] = page.clients.edges.map(({ node }) => node);
const deep = await ask(ClientInDepthDocument, { id: first.id, period: { since: "2026-01-01" } });
const contacts = deep.client.contacts.edges.map(({ node }) => node.id);
const others = [...contacts, ...deep.client.labels.map(({ id }) => id), ...deep.client.invoices.nodes.map(({ id }) => id)];
await ask(ObjectsByIdDocument, { ids: others });
await ask(AnyObjectDocument, { id: first.id });
await ask(ContactsFoundDocument, { search: "Person", first: 2 });
await ask(LabelsWithClientsDocument, { first: 2 });
const { viewer } = await ask(WhoAsksDocument, {});

const renamed = await change(ClientUpdateDocument, {
  input: { id: first.id, expectedVersion: deep.client.version, name: "Renamed by Graphcache" },
  key: "graphcache",
});
const requests = sent.length;
const cached = await ask(ClientsOverviewDocument, { first: 2 }, { requestPolicy: "cache-only" });
const made = await change(ClientCreateDocument, { input: { name: "Made by Graphcache", number: "Graphcache" } });
const taken = await change(ClientCreateDocument, { input: { name: "Another", number: "Graphcache" } });
await ask(ClientsOverviewDocument, { first: 2 });

const changes = sent.slice(requests);
const configuredCount = warnings.length;
const unconfigured = createClient({
  url,
  fetch: fetchFn,
  fetchOptions: {},
  exchanges: [cacheExchange({ schema }), fetchExchange],
  preferGetMethod: false,
});
await unconfigured.query(ClientInDepthDocument, { id: first.id, period: { since: "2026-01-01" } }).toPromise();

console.log(
  JSON.stringify({
    page: names(page),
    pages: names(pages),
    organization: viewer.organization.name,
    renamed: renamed.client.name,
    cached: names(cached),
    made: made.client.name,
    taken: taken.userErrors.map(({ code, existingClient }) => [code, existingClient.name]),
    changes,
    warnings: warnings.slice(0, configuredCount),
    warningsWithoutKeys: warnings.length - configuredCount,
  }),
);
