// GraphiQL with our examples in its tabs. It loads nothing from other servers.

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

// The server returns the demo token only on loopback addresses, and only for the code in the address that it printed.
const code = codeOfThisStart();
reloadOnNewCode();
const { token } = await (await fetch("/graphiql/config", { headers: code ? { "X-GraphiQL-Code": code } : {} })).json();
const headers = token ? NO_TOKEN.replace("Bearer ", `Bearer ${token}`) : NO_TOKEN;

// GraphiQL sends the introspection query before the header editor exists, so it has no headers yet.
const send = createGraphiQLFetcher({ url: "/graphql" });
const fetcher = (request, { headers: entered, ...rest } = {}) =>
  send(request, { ...rest, headers: entered ?? (request.operationName === "IntrospectionQuery" ? JSON.parse(headers) : {}) });

// Load the schema when the user has entered a token, without a reload.
function LoadSchemaOnSignIn() {
  const { headerEditor, schema } = useGraphiQL(({ headerEditor, schema }) => ({ headerEditor, schema }));
  const { introspect } = useGraphiQLActions();
  useEffect(() => {
    if (!headerEditor || schema) return undefined;
    let timer;
    const listener = headerEditor.onDidChangeModelContent(() => {
      clearTimeout(timer);
      timer = setTimeout(introspect, 500);
    });
    return () => {
      clearTimeout(timer);
      listener.dispose();
    };
  }, [headerEditor, schema, introspect]);
  return null;
}

createRoot(document.getElementById("page")).render(
  <GraphiQL
    fetcher={fetcher}
    schemaDescription
    inputValueDeprecation
    plugins={[HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })]}
    defaultTabs={EXAMPLES.map((query) => ({ query, headers }))}
    defaultHeaders={headers}
    defaultEditorToolsVisibility={token ? false : "headers"}
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
    storage={storageWithout(headers)}
  >
    <GraphiQL.Logo>Relaties</GraphiQL.Logo>
    <LoadSchemaOnSignIn />
  </GraphiQL>,
);
