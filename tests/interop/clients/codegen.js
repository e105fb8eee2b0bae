// Generates TypeScript types, typed documents and the map of persisted documents from documents/.

export default {
  schema: "schema.graphql",
  documents: "documents/*.graphql",
  generates: {
    "generated/": {
      preset: "client",
      presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: "sha256" } },
      config: {
        strictScalars: true,
        scalars: { CurrencyCode: "string", Date: "string", DateTime: "string", Decimal: "string" },
        nullability: { errorHandlingClient: true },
        useTypeImports: true,
      },
    },
  },
};
