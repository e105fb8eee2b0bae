// Uses the types that codegen generates. The compiler accepts them, and rejects every line with `@ts-expect-error`.

import type { ResultOf, VariablesOf } from "@graphql-typed-document-node/core";

import {
  type AmountFragment,
  type AnyObjectDocument,
  type ClientCardFragment,
  type ClientFoundDocument,
  type ClientKind,
  type ClientUpdateDocument,
  type ClientsOverviewDocument,
} from "./generated/graphql";

type Overview = ResultOf<typeof ClientsOverviewDocument>;
type UpdateError = ResultOf<typeof ClientUpdateDocument>["clientUpdate"]["userErrors"][number];
type Lookup = VariablesOf<typeof ClientFoundDocument>["by"];

export const asked: VariablesOf<typeof ClientsOverviewDocument> = {
  search: "bakery",
  filter: { status: "ACTIVE", labels: { none: ["TGFiZWw6MQ"] } },
  orderBy: { field: "NUMBER" },
  period: { since: "2025-01-01", until: null },
  first: 10,
};

// Every value of the enum has an entry. If the schema adds a value, the compiler reports it here.
export const KINDS: Record<ClientKind, string> = {
  COMPANY: "Company",
  PERSON: "Person",
  GOVERNMENT: "Government",
};

// @ts-expect-error Not a value of the enum.
export const kind: ClientKind = "FRIEND";

export const byNumber: Lookup = { number: "0012" };

// @ts-expect-error A one-of input accepts one field, not both.
export const byBoth: Lookup = { id: "cli_AYcPNXmxeTOtA6jp4XV3Fw", number: "0012" };

export const price: AmountFragment = { amount: "1234.50", currency: "EUR" };

// @ts-expect-error An amount is text: a number would lose cents.
export const rounded: AmountFragment = { amount: 1234.5, currency: "EUR" };

// A name is never null.
export const initial = (client: ClientCardFragment): string => client.name.slice(0, 1);

// @ts-expect-error A number may be null.
export const prefix = (client: ClientCardFragment): string => client.number.slice(0, 1);

export function cities(page: Overview): (string | null)[] {
  return page.clients?.edges.map(({ node }) => node.address?.city ?? null) ?? [];
}

export function named({ node }: ResultOf<typeof AnyObjectDocument>): string | null {
  switch (node?.__typename) {
    case "Client":
    case "Label":
      return node.name;
    case "Contact":
      return node.fullName;
    default:
      return null;
  }
}

// The mutation can return these types of errors and no others, so the cases are complete without a default.
export function explained(error: UpdateError): string {
  switch (error.__typename) {
    case "ClientVersionConflictError":
      return `${error.current?.name} has the version ${error.currentVersion.toFixed()} by now.`;
    case "ClientAlreadyArchivedError":
      return `Archived since ${error.archived?.archivedAt}.`;
    case "NumberTakenError":
      return error.existingClient?.name ?? error.message;
    case "InputError":
      return error.message;
  }
}

// @ts-expect-error Only another mutation returns this type.
export const impossible: UpdateError["__typename"] = "FiscalRetentionError";

// For a client that throws on errors, a field is not nullable if only an error can make it null.
export const shown = (page: Overview): number => page.clients.edges.length;
