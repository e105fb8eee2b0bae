// The audit of GraphQL over HTTP, as graphql-http has it. It sends no token of its own, so each request is given one.

import { auditServer } from "graphql-http";

const [, , url, token] = process.argv;

const fetchFn = (input, init) => fetch(input, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } });
const results = await auditServer({ url, fetchFn });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
