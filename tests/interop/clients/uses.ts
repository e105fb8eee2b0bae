// What is written with the types that codegen makes. The compiler accepts it, and refuses each line that says it must.

import type { ResultOf, VariablesOf } from "@graphql-typed-document-node/core";

import {
  type AmountFragment,
  type AnyObjectDocument,
  type ClientCardFragment,
  type ClientFoundDocument,
  type ClientKind,
  type ClientsOverviewDocument,
} from "./generated/graphql";

type Overview = ResultOf<typeof ClientsOverviewDocument>;
type Lookup = VariablesOf<typeof ClientFoundDocument>["by"];

export const asked: VariablesOf<typeof ClientsOverviewDocument> = {
  search: "bakery",
  filter: { status: "ACTIVE", labels: { none: ["TGFiZWw6MQ"] } },
  orderBy: { field: "NUMBER" },
  period: { since: "2025-01-01", until: null },
  first: 10,
};

// Every word of a closed set has a place; a word that the schema adds is missed here.
export const KINDS: Record<ClientKind, string> = {
  COMPANY: "Company",
  PERSON: "Person",
  GOVERNMENT: "Government",
};

// @ts-expect-error No word of the closed set.
export const kind: ClientKind = "FRIEND";

export const byNumber: Lookup = { number: "0012" };

// @ts-expect-error One of the two, not both.
export const byBoth: Lookup = { id: "cli_AYcPNXmxeTOtA6jp4XV3Fw", number: "0012" };

export const price: AmountFragment = { amount: "1234.50", currency: "EUR" };

// @ts-expect-error An amount is text: a number would lose cents.
export const rounded: AmountFragment = { amount: 1234.5, currency: "EUR" };

// A name is always there.
export const initial = (client: ClientCardFragment): string => client.name.slice(0, 1);

// @ts-expect-error A number is not.
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

// A client that throws on errors never sees a null that only an error makes.
export const shown = (page: Overview): number => page.clients.edges.length;
