// A table whose rows say everything in one document: mapped by paths, of which the form shows what is there.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { SCREENS, accessible, ask, fits, openBrowser, setUp, startEmpty, visit } from "./stage.mjs";

const EVENTS = `
import sqlite3, sys
file = sqlite3.connect(sys.argv[1])
file.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, payload JSON, updated_at DATETIME NOT NULL)")
for id in range(1, 4):
    document = '{"who": {"id": "a-%d"}, "what": ["seats"], "the value": %d.25, "at": "2026-01-0%dT00:00:00Z"}' % (id, id, id)
    file.execute("INSERT INTO events VALUES (?, ?, ?)", (id, document, "2026-01-01 00:00:0%d" % id))
file.commit()
file.close()
`;
let weir, browser, page, folder, form;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-paths-"));
  const file = path.join(folder, "events.db");
  execFileSync("python3", ["-c", EVENTS, file]);
  weir = await startEmpty({ WEIR_SOURCES__FOLDERS: JSON.stringify([folder]) });
  browser = await openBrowser();
  page = await browser.open();
  await setUp(page, weir);
  const add = "mutation($input: SourceCreateInput!) { sourceCreate(input: $input) { source { id } userErrors { message } } }";
  const { sourceCreate } = await ask(page, add, { input: { name: "Events", config: { sqlite: { path: file } } } });
  assert.deepEqual(sourceCreate.userErrors, []);
  form = `/sources/${sourceCreate.source.id}/streams/new?table=events`;
});

after(async () => {
  // The browser first: a page that asks again after the server has gone complains.
  await browser?.close();
  await weir?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** A field by its whole label: that of a role is the end of that of its path. */
const field = (label) => page.getByLabel(label, { exact: true });

test("a document is mapped by paths that the form finds in it", async () => {
  await visit(page, weir.url, form, "Map events");
  assert.equal(await field("Path to the account ID").count(), 0, "no column, no path");
  await field("Account ID").selectOption("payload");
  await field("Path to the account ID").waitFor();
  await page.getByRole("button", { name: "Show what is inside" }).click();
  const inside = page.getByRole("list", { name: "Inside payload" });
  await inside.getByRole("button", { name: "who.id a-1" }).click();
  assert.equal(await field("Path to the account ID").inputValue(), "who.id");
  assert.equal(await inside.getByRole("button", { pressed: true }).count(), 1);

  await field("Metric").selectOption("payload");
  await field("Path to the metric").fill("what[0]");
  await field("Value").selectOption("payload");
  await field("Measured at").selectOption("payload");
  await field("Cursor").selectOption("updated_at");
  await page.getByText("Say where in its column the value stands.").waitFor();
  await field("Path to the value").fill("$.value");
  await page.getByText("Say where in its column the time stands.").waitFor();
  await field("Path to the time").fill("at");
  const preview = page.getByRole("button", { name: "Preview 20 rows" });
  await preview.click();
  await page.getByText(/is wrong at character 1/).waitFor();

  await field("Path to the value").fill('"the value"');
  await preview.click();
  await page.getByText("3 rows make 3 readings").waitFor();
  await page.getByText("2.25", { exact: true }).waitFor();
  await page.getByText("a-2", { exact: true }).waitFor();
  await accessible(page, "the mapping of documents");

  await page.getByRole("button", { name: "Save the stream" }).click();
  await page.getByRole("heading", { name: "events", level: 1 }).waitFor();
  await page.getByText('payload."the value"', { exact: true }).waitFor();
  await page.getByText("payload.at in UTC", { exact: true }).waitFor();
});

test("what was saved is in the form again, and a wide table takes numbers from inside", async () => {
  await page.getByRole("link", { name: "Edit" }).first().click();
  await page.getByRole("heading", { name: "Edit the stream", level: 1 }).waitFor();
  await field("Path to the metric").waitFor();
  assert.equal(await field("Path to the account ID").inputValue(), "who.id");
  assert.equal(await field("Path to the metric").inputValue(), "what[0]");
  await field("Shape").selectOption("Wide");
  await field("Column").selectOption("payload");
  await field("Path to the number").fill('"the value"');
  await page.getByRole("button", { name: "Add the metric" }).click();
  await page.getByText('payload."the value"', { exact: true }).waitFor();
  await page.getByRole("button", { name: "Preview 20 rows" }).click();
  await page.getByText("3 rows make 3 readings").waitFor();
  await page.getByRole("button", { name: "Save the stream" }).click();
  await page.getByRole("heading", { name: "events", level: 1 }).waitFor();
  const { streams } = await ask(page, "{ streams(first: 1) { nodes { mapping { accountPath valuePath nestedMetrics { column path } } } } }");
  const nestedMetrics = [{ column: "payload", path: '"the value"' }];
  assert.deepEqual(streams.nodes[0].mapping, { accountPath: "who.id", valuePath: null, nestedMetrics });
});

test("the fields of paths fit on every screen", async () => {
  for (const [name, options] of SCREENS) {
    const other = await browser.open({ ...options, storageState: await page.context().storageState() });
    await visit(other, weir.url, form, "Map events");
    await other.getByLabel("Account ID", { exact: true }).selectOption("payload");
    await other.getByRole("button", { name: "Show what is inside" }).click();
    await other.getByRole("list", { name: "Inside payload" }).waitFor();
    await accessible(other, `paths (${name})`);
    await fits(other, `paths (${name})`);
    await other.context().close();
  }
});
