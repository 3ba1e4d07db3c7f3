// A run that takes its time: its page follows it without being asked, and stops it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { ask, change, eventually, number, openBrowser, setUp, startEmpty, visit } from "./stage.mjs";

/** A view of which every row costs the engine some counting, far longer in all than the test looks. */
const SLOW = `
import sqlite3, sys
file = sqlite3.connect(sys.argv[1])
file.executescript("""
  CREATE TABLE usage (id INTEGER PRIMARY KEY, account_id TEXT, value INTEGER, measured_at TEXT);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO usage SELECT i, 'a' || (i % 7), i, '2026-01-01 00:00:00' FROM n;
  CREATE VIEW slow_usage AS SELECT id, account_id, 'logins' AS metric, measured_at, (
    WITH RECURSIVE c(x) AS (SELECT usage.value UNION ALL SELECT x + 1 FROM c WHERE x < usage.value + 10000)
    SELECT usage.value FROM c WHERE x = usage.value + 10000) AS value FROM usage;
""")
file.close()
`;
let weir, browser, page, folder;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "weir-slow-"));
  execFileSync("python3", ["-c", SLOW, path.join(folder, "slow.db")]);
  weir = await startEmpty({ WEIR_SYNC__BATCH_ROWS: "200", WEIR_SOURCES__FOLDERS: JSON.stringify([folder]) });
  browser = await openBrowser();
  page = await browser.open();
  await setUp(page, weir);
});

after(async () => {
  // The browser first: a page that asks again after the server has gone complains.
  await browser?.close();
  await weir?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test("the page of a run counts on by itself until the run is stopped", async () => {
  const config = { sqlite: { path: path.join(folder, "slow.db") } };
  const { source } = await change(page, "sourceCreate", { name: "Slow warehouse", config }, "source { id }");
  const setting = { name: "By account ID", spaces: ["account_id"] };
  const { externalIdSetting } = await change(page, "externalIdSettingCreate", setting, "externalIdSetting { id }");
  const draft = {
    sourceId: source.id,
    name: "Slow usage",
    table: { name: "slow_usage" },
    shape: "LONG",
    destination: "USAGE",
    mapping: { account: "account_id", metric: "metric", value: "value", measuredAt: "measured_at", zone: "UTC" },
    cursor: { column: "id", kind: "INT" },
    rowKey: ["id"],
    externalIdSettingId: externalIdSetting.id,
    schedule: { manual: true },
  };
  const { stream } = await change(page, "streamCreate", draft, "stream { id }");
  await visit(page, weir.url, `/streams/${stream.id}`, "Slow usage");
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("heading", { name: /^Sync \d+$/, level: 1 }).waitFor();
  await page.getByText("Running", { exact: true }).first().waitFor();
  await page.evaluate(() => (globalThis.sameDocument = true));

  const balance = page.getByRole("region", { name: "Every row accounted for" });
  const rows = async () => number((await balance.innerText()).match(/([\d,]+)\s*rows read/)[1]);
  const seen = [0];
  for (let step = 0; step < 3; step += 1) {
    const more = await eventually(async () => {
      const now = await rows();
      return now > seen.at(-1) && now;
    }, `the rows go on from ${seen}`, 120_000);
    seen.push(more);
    assert.equal(await balance.getByText("Adds up").count(), 2, "the sums add up on the way, too");
  }
  assert.ok(await page.evaluate(() => globalThis.sameDocument), "the page was not loaded anew");

  await page.getByRole("button", { name: "Stop the run" }).click();
  await page.getByText("Cancelled", { exact: true }).first().waitFor({ timeout: 120_000 });
  await page.getByRole("button", { name: "Run again" }).waitFor();
  const kept = await rows();
  assert.ok(kept >= seen.at(-1) && kept < 100_000, `${kept} rows were read before the stop`);
  const { syncRuns } = await ask(page, "{ syncRuns(first: 1) { nodes { status tally { rowsRead } } } }");
  assert.deepEqual(syncRuns.nodes[0], { status: "CANCELLED", tally: { rowsRead: String(kept) } });
});
