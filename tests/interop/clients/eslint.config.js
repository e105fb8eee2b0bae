// The schema and what is asked of it, by all rules of graphql-eslint but the few below, each with its reason.

import graphql from "@graphql-eslint/eslint-plugin";

const { configs, parser } = graphql;
const rules = (...names) => Object.assign({}, ...names.map((name) => configs[`flat/${name}`].rules));

// One configuration for all files, since the plugin keeps the first that it meets; each folder has its own fragments.
const folder = (name) => ({ schema: "schema.graphql", documents: `${name}/*.graphql`, include: [`${name}/*.graphql`] });
const projects = { documents: folder("documents"), examples: folder("examples"), default: { schema: "schema.graphql" } };
const linted = {
  plugins: { "@graphql-eslint": graphql },
  languageOptions: { parser, parserOptions: { graphQLConfig: { projects } } },
};

// A value is part of the object that holds it: it is not asked for again, so it has no id.
const VALUES = [
  "Address", // a client's
  "ArchivePreview", // reckoned, of a client
  "ClientAddress", // a client's, with its type
  "ClientFinancialSettings", // a client's, one to one
  "ClientAmounts", // reckoned, in a currency
  "DeletedCounts", // of a payload
  "DeletionPreview", // reckoned, of a client
  "FieldChange", // of an event
  "ClientUpsertResult", // of a payload
  "CurrencyRevenue", // reckoned, for a period
  "ProjectFinancialSettings", // a project's, one to one
  "Money", // an amount in a currency
  "PageInfo", // Relay's, without an id by its specification
  "QuoteLine", // a quote's, by its position
  "RegistrationExpense", // a registration's, one to one
  "RegistrationFinancial", // a registration's, one to one
  "RegistrationMileage", // a registration's, one to one
  "RegistrationTime", // a registration's, one to one
  "Revenue", // reckoned, for a period
  "Viewer", // who asks: one for each request
];

export default [
  {
    files: ["schema.graphql"],
    ...linted,
    rules: {
      ...rules("schema-all", "schema-relay"),
      "@graphql-eslint/alphabetize": "off", // the order of fields is the reader's: what matters most comes first
      "@graphql-eslint/no-root-type": "off", // forbids mutations and subscriptions, for schemas that are only read
      // Lists without pages are right where few can be: the addresses of a client, its labels.
      "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
      // GraphQL's own @oneOf is printed as its specification has it, without a word.
      "@graphql-eslint/require-description": [
        "error",
        { types: true, DirectiveDefinition: true, FieldDefinition: true, EnumValueDefinition: true, ignoredSelectors: ["DirectiveDefinition[name.value=oneOf]"] },
      ],
      // Of Relay: an edge and a connection are found by the place they lie at.
      "@graphql-eslint/strict-id-in-types": ["error", { exceptions: { types: VALUES, suffixes: ["Connection", "Edge", "Payload", "Error"] } }],
    },
  },
  {
    files: ["documents/*.graphql"],
    ...linted,
    rules: {
      ...rules("operations-all"),
      "@graphql-eslint/alphabetize": "off", // as above
      "@graphql-eslint/require-import-fragment": "off", // a comment of other tools: these find fragments by name
    },
  },
  {
    files: ["examples/*.graphql"],
    ...linted,
    rules: {
      ...rules("operations-recommended"),
      "@graphql-eslint/require-selections": "off", // ids are for a cache; these are read by a person
    },
  },
];
