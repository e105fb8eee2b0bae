// Opens GraphiQL in Chromium as a user does, runs the query of each tab, and prints its observations as JSON for the test to check.
// Arguments: the URL of GraphiQL that the server printed, the browser's program, and the path for the screenshot.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const [printed, program, picture] = process.argv.slice(2);
const { origin: address, hash: code } = new URL(printed);
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const RESPONSE = ".graphiql-response";

const profile = mkdtempSync(join(tmpdir(), "graphiql-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: program,
  args: FLAGS,
  viewport: { width: 1440, height: 900 },
  colorScheme: "light",
});
try {
  console.log(JSON.stringify(await observe(browser), null, 2));
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}

async function observe(context) {
  const [page] = context.pages();
  const [requests, problems] = [[], []];
  context.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));

  await page.goto(`${address}/${code}`);
  await page.locator(".graphiql-tab-button").first().waitFor();
  const title = await page.title();
  const location = page.url();
  const answers = {};
  for (const tab of await page.locator(".graphiql-tab-button").all()) {
    const name = (await tab.textContent()).trim();
    await openTab(page, name);
    answers[name] = await runQuery(page);
  }
  await takeScreenshot(page);
  const docs = await readDocumentation(page);
  const explorer = await readExplorer(page);
  const stored = await page.evaluate(() => JSON.stringify(localStorage));

  await page.reload();
  await page.locator(".graphiql-tab-button").first().waitFor();
  answers.reloaded = await runQuery(page);
  await page.evaluate(() => sessionStorage.clear());
  await Promise.all([page.waitForEvent("load"), page.goto(printed)]); // only the fragment is new
  await page.locator(".graphiql-tab-button").first().waitFor();
  answers.reopened = await runQuery(page);
  const byHand = await signInByHand(await context.newPage());
  return { title, location, answers, docs, byHand, explorer, stored, requests, problems };
}

// GraphiQL reads the operation of a new tab 0.1 s after it was opened, and then stores its text. Before that it would send the
// operation of the previous tab.
async function openTab(page, name) {
  await page.locator(".graphiql-tab-button", { hasText: name }).click();
  await page.waitForFunction((text) => localStorage.getItem("graphiql:query")?.includes(text), `query ${name} {`);
}

// Returns the response to the query in view, once the page shows it.
async function runQuery(page) {
  const reply = page.waitForResponse((response) => response.url().endsWith("/graphql") && isQuery(response));
  await page.locator(".graphiql-execute-button").click();
  const text = await (await reply).text();
  await page.locator(`${RESPONSE} .view-line`, { hasText: "data" }).first().waitFor();
  return JSON.parse(text);
}

function isQuery(response) {
  return !response.request().postData().includes("IntrospectionQuery");
}

async function takeScreenshot(page) {
  await openTab(page, "Overview");
  await runQuery(page);
  await page.mouse.move(720, 5);
  await page.waitForTimeout(500);
  await page.screenshot({ path: picture });
}

async function readDocumentation(page) {
  await page.getByLabel("Show Documentation Explorer").click();
  const explorer = page.locator(".graphiql-doc-explorer");
  await explorer.getByText("Query", { exact: true }).waitFor();
  const start = await explorer.textContent();
  await explorer.getByText("Query", { exact: true }).click();
  const text = start + (await explorer.textContent());
  await page.getByLabel("Hide Documentation Explorer").click();
  return text;
}

async function readExplorer(page) {
  await page.getByLabel("Show GraphiQL Explorer").click();
  const text = await page.locator(".docExplorerWrap").textContent();
  await page.getByLabel("Hide GraphiQL Explorer").click();
  return text;
}

// Uses a new tab without the code. Errors before the token is entered do not count as problems.
async function signInByHand(page) {
  const headers = { "X-GraphiQL-Code": new URLSearchParams(code.slice(1)).get("code") };
  const { token } = await (await fetch(`${address}/graphiql/config`, { headers })).json();
  await page.goto(`${address}/graphiql`);
  await page.locator(".graphiql-editor-tool .monaco-editor:visible").click();
  const shownHeaders = await page.locator(".graphiql-editor-tool .view-lines:visible").textContent();
  for (const key of ["Control+Home", "ArrowDown", "End", "ArrowLeft"]) await page.keyboard.press(key); // after "Bearer "
  await page.keyboard.insertText(token);
  await page.getByLabel("Show Documentation Explorer").click();
  await page.locator(".graphiql-doc-explorer").getByText("Query", { exact: true }).waitFor();
  return { shownHeaders, docs: await page.locator(".graphiql-doc-explorer").textContent() };
}
