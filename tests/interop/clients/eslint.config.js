// Lints the schema and documents with all rules of graphql-eslint except for a few, each with its reason.

import graphql from "@graphql-eslint/eslint-plugin";

const { configs, parser } = graphql;
const rules = (...names) => Object.assign({}, ...names.map((name) => configs[`flat/${name}`].rules));

// One configuration for all files, because the plugin uses the first one it finds. Each folder has its own fragments.
const folder = (name) => ({ schema: "schema.graphql", documents: `${name}/*.graphql`, include: [`${name}/*.graphql`] });
const projects = { documents: folder("documents"), examples: folder("examples"), default: { schema: "schema.graphql" } };
const linted = {
  plugins: { "@graphql-eslint": graphql },
  languageOptions: { parser, parserOptions: { graphQLConfig: { projects } } },
};

// A value is a part of the object that contains it. It is never loaded by itself, so it has no id.
const VALUES = [
  "Address", // of a client
  "ArchivePreview", // calculated for a client
  "ClientAddress", // of a client, with its type
  "ClientFinancialSettings", // of a client, one to one
  "ClientAmounts", // calculated in a currency
  "DeletedCounts", // of a payload
  "DeletionPreview", // calculated for a client
  "FieldChange", // of an event
  "ClientUpsertResult", // of a payload
  "CurrencyRevenue", // calculated for a period
  "ClientExportFile", // of a job
  "JobFailure", // of a job
  "JobProgress", // of a job
  "ProjectFinancialSettings", // of a project, one to one
  "Money", // an amount in a currency
  "PageInfo", // has no id by Relay's specification
  "QuoteLine", // of a quote, by its position
  "RegistrationExpense", // of a registration, one to one
  "RegistrationFinancial", // of a registration, one to one
  "RegistrationMileage", // of a registration, one to one
  "RegistrationTime", // of a registration, one to one
  "Revenue", // calculated for a period
  "Viewer", // the caller: one for each request
];

export default [
  {
    files: ["schema.graphql"],
    ...linted,
    rules: {
      ...rules("schema-all", "schema-relay"),
      "@graphql-eslint/alphabetize": "off", // fields are ordered for readers: the most important ones first
      "@graphql-eslint/no-root-type": "off", // forbids mutations and subscriptions, for read-only schemas
      "@graphql-eslint/require-deprecation-date": "off", // wants an argument of its own for the date; tests check the date in the reason
      // Lists without pages are right where there are always few entries: the addresses and the labels of a client.
      "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
      // The directive @oneOf of GraphQL itself is printed without a description.
      "@graphql-eslint/require-description": [
        "error",
        { types: true, DirectiveDefinition: true, FieldDefinition: true, EnumValueDefinition: true, ignoredSelectors: ["DirectiveDefinition[name.value=oneOf]"] },
      ],
      // In Relay, edges and connections are identified by their place.
      "@graphql-eslint/strict-id-in-types": ["error", { exceptions: { types: VALUES, suffixes: ["Connection", "Edge", "Payload", "Error"] } }],
    },
  },
  {
    files: ["documents/*.graphql"],
    ...linted,
    rules: {
      ...rules("operations-all"),
      "@graphql-eslint/alphabetize": "off", // as above
      "@graphql-eslint/require-import-fragment": "off", // requires a comment that other tools need; these find fragments by name
    },
  },
  {
    files: ["examples/*.graphql"],
    ...linted,
    rules: {
      ...rules("operations-recommended"),
      "@graphql-eslint/require-selections": "off", // ids are for a cache; these documents are read by people
    },
  },
];
