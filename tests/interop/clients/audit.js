// Runs the audit of graphql-http. The audit sends no token, so one is added to each request.

import { auditServer } from "graphql-http";

const [, , url, token] = process.argv;

const fetchFn = (input, init) => fetch(input, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } });
const results = await auditServer({ url, fetchFn });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
