// GraphiQL with our examples in its tabs. Everything it needs comes from the server it asks.

import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./style.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";

import { codeOfThisStart, reloadOnNewCode } from "./code.js";
import { storageWithout } from "./storage.js";

const EXAMPLES = Object.values(import.meta.glob("./examples/*.graphql", { query: "?raw", import: "default", eager: true }));
const NO_TOKEN = '{\n  "Authorization": "Bearer "\n}';

// The token of the demo, where the server gives it away: on a person's own machine, to who opened the address that it printed.
const code = codeOfThisStart();
reloadOnNewCode();
const { token } = await (await fetch("/graphiql/config", { headers: code ? { "X-GraphiQL-Code": code } : {} })).json();
const headers = token ? NO_TOKEN.replace("Bearer ", `Bearer ${token}`) : NO_TOKEN;

// The schema is asked for before the header editor is there to be read.
const send = createGraphiQLFetcher({ url: "/graphql" });
const fetcher = (asked, { headers: typed, ...rest } = {}) =>
  send(asked, { ...rest, headers: typed ?? (asked.operationName === "IntrospectionQuery" ? JSON.parse(headers) : {}) });

// A token that is typed in brings the schema, without a reload.
function SchemaOnceSignedIn() {
  const { headerEditor, schema } = useGraphiQL(({ headerEditor, schema }) => ({ headerEditor, schema }));
  const { introspect } = useGraphiQLActions();
  useEffect(() => {
    if (!headerEditor || schema) return undefined;
    let waiting;
    const listener = headerEditor.onDidChangeModelContent(() => {
      clearTimeout(waiting);
      waiting = setTimeout(introspect, 500);
    });
    return () => {
      clearTimeout(waiting);
      listener.dispose();
    };
  }, [headerEditor, schema, introspect]);
  return null;
}

createRoot(document.getElementById("page")).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={[HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })]}
    defaultTabs={EXAMPLES.map((query) => ({ query, headers }))}
    defaultHeaders={headers}
    defaultEditorToolsVisibility={token ? false : "headers"}
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
    storage={storageWithout(headers)}
  >
    <GraphiQL.Logo>Relaties</GraphiQL.Logo>
    <SchemaOnceSignedIn />
  </GraphiQL>,
);
