// Build the page into assets/: file names with a hash of the content, each file gzipped, and the licences of the packages in them.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const OUT = "assets";

// Use gzip, because the output of node's zlib depends on its version. -n omits the time, so that two builds are equal.
function gzipped() {
  return {
    name: "gzipped",
    closeBundle() {
      const files = readdirSync(OUT).map((name) => join(OUT, name));
      execFileSync("gzip", ["-n", "-9", ...files]);
    },
  };
}

// List the packages that are shipped, not those that build the page. A text that several packages share occurs once.
function licences() {
  return {
    name: "licences",
    closeBundle() {
      const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
      const shipped = Object.entries(packages).filter(([path, { dev, optional }]) => path && !dev && !optional);
      const packagesByText = new Map();
      for (const [path, { version, license }] of shipped) {
        const name = `${path.split("node_modules/").at(-1)} ${version}: ${license}`;
        const text = notices(path);
        packagesByText.set(text, [...(packagesByText.get(text) ?? []), name]);
      }
      const parts = [...packagesByText].map(([text, names]) => `${[...new Set(names)].join("\n")}\n\n${text}`.trim());
      writeFileSync("LICENSES", `${parts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
    },
  };
}

function notices(path) {
  const names = readdirSync(path).filter((name) => /^(licen[cs]e|third-?party-?notices)/i.test(name));
  return names.sort().map((name) => readFileSync(join(path, name), "utf8").replaceAll("\r", "").trim()).join("\n\n");
}

// React marks modules for server components with directives. They mean nothing here, so hide the warnings.
function hideDirectiveWarnings(level, log, handler) {
  if (log.code !== "MODULE_LEVEL_DIRECTIVE") handler(level, log);
}

export default defineConfig({
  base: "/graphiql/assets/",
  logLevel: "warn",
  build: { outDir: OUT, assetsDir: "", modulePreload: { polyfill: false }, target: "es2022", chunkSizeWarningLimit: 5000, rolldownOptions: { onLog: hideDirectiveWarnings } },
  plugins: [licences(), gzipped()],
});
