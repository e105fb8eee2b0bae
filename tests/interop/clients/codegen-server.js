// Generates the same from the schema that a server shows at /schema.graphql.

import config from "./codegen.js";

const { SCHEMA_URL, TOKEN } = process.env;

export default {
  ...config,
  schema: { [SCHEMA_URL]: { headers: { Authorization: `Bearer ${TOKEN}` } } },
  generates: { "from-server/": config.generates["generated/"] },
};
