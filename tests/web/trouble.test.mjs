// A source in trouble: the table is typed, the run waits or is refused, the columns change, all is deleted in the end.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  SCREENS, accessible, ask, change, eventually, fits, openBrowser, openDoor, setUp, startEmpty, startWarehouses, visit,
} from "./stage.mjs";

const NAME = "Guarded usage";
const STREAM = "Guarded stream";
let warehouses, weir, browser, page, door, source, stream;

const field = (name, within = page) => within.getByRole("textbox", { name, exact: true });
const here = () => new URL(page.url()).pathname;
const stages = () => page.getByRole("list", { name: "Stages" });

before(async () => {
  warehouses = await startWarehouses();
  const { clickhouse } = warehouses;
  door = await openDoor(clickhouse.port, "/clickhouse");
  weir = await startEmpty(warehouses.settings);
  browser = await openBrowser();
  page = await browser.open();
  await setUp(page, weir);
  await change(page, "externalIdSettingCreate", { name: "By Salesforce ID", spaces: ["salesforce"] }, "externalIdSetting { id }");
  const { database, user, password } = clickhouse;
  const config = { host: "127.0.0.1", port: door.port, secure: false, database, user, password, pathPrefix: "/clickhouse" };
  const made = await change(page, "sourceCreate", { name: NAME, config: { clickhouse: config } }, "source { id }");
  source = `/sources/${made.source.id}`;
});

after(async () => {
  // The browser first: a page that asks again after the server has gone complains.
  await browser?.close();
  await weir?.stop();
  await door?.close();
  await warehouses?.stop();
});

/** Starts a run from the stream's page; its own page follows. */
async function runNow() {
  await visit(page, weir.url, stream, STREAM);
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("heading", { name: /^Sync \d+$/, level: 1 }).waitFor();
}

/** Looks at the page one is on, on every screen. */
async function everywhere(heading, name) {
  for (const [screen, options] of SCREENS) {
    const other = await browser.open({ ...options, storageState: await page.context().storageState() });
    await visit(other, weir.url, here(), heading);
    await eventually(async () => (await other.getByText("Loading", { exact: true }).count()) === 0, `${name} has loaded`);
    await accessible(other, `${name} (${screen})`);
    await fits(other, `${name} (${screen})`);
    await other.context().close();
  }
}

test("a table that is not listed is typed, part by part, and a wrong name is told", async () => {
  await visit(page, weir.url, `${source}/streams/new`, "Choose a table");
  await page.getByRole("table", { name: "Tables and views of the source" }).waitFor();
  const typing = page.getByText("The table is not listed");
  await typing.click();
  assert.equal(await field("Database").inputValue(), warehouses.clickhouse.database, "what the source names is there");
  await accessible(page, "typing a table");
  await everywhere("Choose a table", "choosing a table");
  await field("Table or view").fill("nowhere");
  await page.getByRole("button", { name: "Open the table" }).click();
  await page.getByRole("heading", { name: "Map nowhere", level: 1 }).waitFor();
  await page.getByText(/^There is no table or view .*nowhere/).waitFor();
  await page.getByRole("link", { name: "Choose another table" }).click();
  await typing.click();
  await field("Table or view").fill("usage");
  await page.getByRole("button", { name: "Open the table" }).click();
  await page.getByRole("heading", { name: "Map usage", level: 1 }).waitFor();
  await field("Name").fill(STREAM);
  await page.getByLabel("Account IDs are looked for in").selectOption({ label: "By Salesforce ID" });
  await page.getByLabel("Runs").selectOption({ label: "Only by hand" });
  await page.getByRole("button", { name: "Save the stream" }).click();
  await page.getByRole("heading", { name: STREAM, level: 1 }).waitFor();
  stream = here();
});

test("a run that nobody has answered yet is connecting, and its stream cannot be deleted", async () => {
  door.hold();
  await runNow();
  const run = here();
  await stages().getByRole("listitem").filter({ hasText: "Connecting" }).and(page.locator("[aria-current=step]")).waitFor();
  assert.equal(await stages().getByText("Connected", { exact: true }).count(), 0, "nobody has answered");
  await everywhere(/^Sync \d+$/, "a run that is connecting");

  await visit(page, weir.url, stream, STREAM);
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Delete the stream" });
  await field("Name of the stream, to be sure", dialog).fill(STREAM);
  await dialog.getByRole("button", { name: "Delete the stream" }).click();
  await dialog.getByText(/^Run \d+ is at work on this stream/).waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();

  door.release();
  await visit(page, weir.url, run, /^Sync \d+$/);
  await page.getByText("Succeeded").first().waitFor({ timeout: 60_000 });
  await stages().getByText("Connected", { exact: true }).waitFor();
});

test("a refused sign-in is the step that failed, the source says so in words, and so does the diagnosis", async () => {
  door.refuse(true);
  await runNow();
  await page.getByText("Failed").first().waitFor({ timeout: 60_000 });
  await stages().getByText("Not connected").waitFor();
  assert.equal(await stages().getByText("Connected", { exact: true }).count(), 0);
  await everywhere(/^Sync \d+$/, "a run that was refused");

  await visit(page, weir.url, source, NAME);
  const trouble = page.getByRole("alert").filter({ hasText: "Runs cannot use this source." });
  await trouble.waitFor();
  const words = await trouble.innerText();
  assert.match(words, /refused/, "it says what happened");
  assert.doesNotMatch(words, /[{}]|"kind"/, "as a person reads it");
  await everywhere(NAME, "a source in trouble");
  await visit(page, weir.url, "/sources", "Sources");
  const line = await page.getByRole("row").filter({ hasText: NAME }).innerText();
  assert.match(line, /refused/);
  assert.doesNotMatch(line, /[{}]|"kind"/);
  await everywhere("Sources", "the list with a source in trouble");

  await visit(page, weir.url, `${stream}/missing`, "Missing rows");
  await page.getByRole("alert").getByText(/known here without asking/).waitFor();
  await page.getByRole("region", { name: "Findings" }).getByRole("listitem").first().waitFor();
  const reach = page.getByRole("region", { name: "How far it goes" });
  assert.match(await reach.innerText(), /Table ends at\s+could not be asked/);
  assert.match(await reach.innerText(), /Beyond that\s+could not be asked/);
  assert.match(await reach.innerText(), /20 readings, 20 unmatched/);
  await everywhere("Missing rows", "a diagnosis of a source that cannot be asked");

  door.refuse(false);
  await page.getByRole("button", { name: "Look again" }).click();
  await page.getByText(/known here without asking/).waitFor({ state: "detached" });
  assert.match(await reach.innerText(), /Beyond that\s+0 rows/);
  await visit(page, weir.url, source, NAME);
  await trouble.waitFor();
  await page.getByRole("button", { name: "Test now" }).click();
  await page.getByRole("region", { name: "Connection test" }).getByText("The connection works.").waitFor();
  await trouble.waitFor({ state: "detached" });
});

test("a stream whose table has changed is paused, promises no run, and is resumed beside the reason", async () => {
  // Half a day away, so that it does not come while the test looks.
  const time = new Date(Date.now() + 12 * 3_600_000).toISOString().slice(11, 16);
  await change(page, "streamUpdate", { id: stream.split("/")[2], schedule: { daily: { time } } }, "stream { id }");
  await warehouses.run("clickhouse", "ALTER TABLE usage RENAME COLUMN value TO amount");
  await runNow();
  await page.getByText("Failed").first().waitFor({ timeout: 60_000 });
  await visit(page, weir.url, stream, STREAM);
  const reason = page.getByRole("status").filter({ hasText: /^Paused: .*value/ });
  await reason.waitFor();
  await page.getByRole("region", { name: "Schedule" }).getByText("none while it is paused").waitFor();
  assert.equal(await page.getByRole("button", { name: "Pause" }).count(), 0, "it is paused already");
  await everywhere(STREAM, "a stream that its table paused");
  await visit(page, weir.url, "/", "Overview");
  const line = page.getByRole("row").filter({ hasText: STREAM });
  await line.getByText("Paused", { exact: true }).waitFor();
  await line.getByText("none while paused").waitFor();

  await warehouses.run("clickhouse", "ALTER TABLE usage RENAME COLUMN amount TO value");
  await visit(page, weir.url, stream, STREAM);
  await reason.getByRole("button", { name: "Resume" }).click();
  await reason.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.getByText("Fresh", { exact: true }).waitFor({ timeout: 60_000 });
});

test("a stream and its source are deleted once their names are typed", async () => {
  await visit(page, weir.url, stream, STREAM);
  // What was due when it was resumed may still run.
  await eventually(async () => (await page.getByRole("link", { name: /^Watch run/ }).count()) === 0, "no run is at work");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Delete the stream" });
  await dialog.getByText("What stays").waitFor();
  const sure = dialog.getByRole("button", { name: "Delete the stream" });
  await field("Name of the stream, to be sure", dialog).fill("another");
  assert.ok(await sure.isDisabled(), "another name deletes nothing");
  await accessible(page, "deleting a stream");
  await fits(page, "deleting a stream");
  await field("Name of the stream, to be sure", dialog).fill(STREAM);
  await sure.click();
  await page.getByRole("heading", { name: NAME, level: 1 }).waitFor();
  await page.getByText("No streams yet").waitFor();

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const last = page.getByRole("dialog", { name: "Delete the source" });
  await field("Name of the source, to be sure", last).fill(NAME);
  await accessible(page, "deleting a source");
  await last.getByRole("button", { name: "Delete the source" }).click();
  await page.getByRole("heading", { name: "Sources", level: 1 }).waitFor();
  await page.getByText("No sources yet").waitFor();
  const { sources, streams } = await ask(page, "{ sources { totalCount } streams { totalCount } }");
  assert.deepEqual([sources.totalCount, streams.totalCount], [0, 0]);
});
