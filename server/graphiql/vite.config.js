// Builds the page into assets/: names that carry their content's hash, each file gzipped, and the licences of what is in them.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const OUT = "assets";

// gzip and not node's zlib, whose output depends on its version; -n leaves the time out, so that two builds are the same.
function gzipped() {
  return {
    name: "gzipped",
    closeBundle() {
      const files = readdirSync(OUT).map((name) => join(OUT, name));
      execFileSync("gzip", ["-n", "-9", ...files]);
    },
  };
}

// What is shipped, not what builds it; a text that several packages share stands there once.
function licences() {
  return {
    name: "licences",
    closeBundle() {
      const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
      const shipped = Object.entries(packages).filter(([path, { dev, optional }]) => path && !dev && !optional);
      const named = new Map();
      for (const [path, { version, license }] of shipped) {
        const name = `${path.split("node_modules/").at(-1)} ${version}: ${license}`;
        const text = notices(path);
        named.set(text, [...(named.get(text) ?? []), name]);
      }
      const parts = [...named].map(([text, names]) => `${[...new Set(names)].join("\n")}\n\n${text}`.trim());
      writeFileSync("LICENSES", `${parts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
    },
  };
}

function notices(path) {
  const names = readdirSync(path).filter((name) => /^(licen[cs]e|third-?party-?notices)/i.test(name));
  return names.sort().map((name) => readFileSync(join(path, name), "utf8").replaceAll("\r", "").trim()).join("\n\n");
}

// Words of React for servers, of which there is none here.
function told(level, log, tell) {
  if (log.code !== "MODULE_LEVEL_DIRECTIVE") tell(level, log);
}

export default defineConfig({
  base: "/graphiql/assets/",
  logLevel: "warn",
  build: { outDir: OUT, assetsDir: "", modulePreload: { polyfill: false }, target: "es2022", chunkSizeWarningLimit: 5000, rolldownOptions: { onLog: told } },
  plugins: [licences(), gzipped()],
});
