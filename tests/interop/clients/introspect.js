// Writes what a cache needs to know of the schema: types, fields and possible types, without descriptions and directives.

import { readFileSync, writeFileSync } from "node:fs";

import { minifyIntrospectionQuery } from "@urql/introspection";
import { buildSchema, introspectionFromSchema } from "graphql";

const schema = buildSchema(readFileSync("schema.graphql", "utf8"));
const introspection = minifyIntrospectionQuery(introspectionFromSchema(schema));
writeFileSync("generated/introspection.json", JSON.stringify(introspection));
