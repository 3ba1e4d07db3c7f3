// Cloud warehouses: connected by the form, let in by the scripts as they are shown, their rows found again when missing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  SCREENS, accessible, ask, change, eventually, fits, openBrowser, setUp, startEmpty, startWarehouses, visit,
} from "./stage.mjs";

/** Making a key pair is work; a machine that is busy otherwise may not have done it in the time a request has. */
const SLOW = /status of 503/;
let warehouses, weir, browser, page, setting;
/** Screens to be looked at once they have something to show: address and heading. */
const screens = new Map();

const field = (name, within = page) => within.getByRole("textbox", { name, exact: true });
const here = () => new URL(page.url()).pathname;

before(async () => {
  warehouses = await startWarehouses();
  weir = await startEmpty(warehouses.settings);
  browser = await openBrowser();
  page = await browser.open({ expected: SLOW });
  await setUp(page, weir);
  for (const account of ["8120000001", "8120000002", "8120000003"]) {
    const externalIds = [{ space: "hubspot", value: account }];
    await change(page, "accountCreate", { name: `Account ${account}`, externalIds }, "account { id }");
  }
  const spaces = { name: "By Salesforce ID", spaces: ["salesforce"] };
  setting = await change(page, "externalIdSettingCreate", spaces, "externalIdSetting { id }");
});

after(async () => {
  // The browser first: a page that asks again after the server has gone complains.
  await browser?.close();
  await weir?.stop();
  await warehouses?.stop();
});

async function fill(values) {
  for (const [name, value] of Object.entries(values)) await field(name).fill(value);
}

/** Waits for the pair in a slot; one that could not be made in time is made by the button, as a person would. */
async function pairIn(slot, button) {
  const pair = page.getByRole("region", { name: `Key pair in slot ${slot}` });
  const make = page.getByRole("button", { name: button });
  await eventually(async () => {
    if ((await pair.count()) === 0 && (await make.count()) > 0 && (await make.isEnabled())) await make.click();
    return pair.waitFor({ timeout: 12_000 }).then(() => true, () => false);
  }, `there is a pair in slot ${slot}`, 60_000);
  return pair;
}

/** Runs a script line by line, as an administrator who pastes it does. */
async function run(system, script) {
  const lines = script.split("\n").filter((line) => line.trim() && !line.startsWith("--"));
  for (const line of lines) await warehouses.run(system, line.replace(/;\s*$/, ""));
}

test("a ClickHouse source is connected by the form, which says what is wrong step by step", async () => {
  const { clickhouse } = warehouses;
  await visit(page, weir.url, "/sources/new", "Add a source");
  await page.getByRole("radio", { name: "ClickHouse" }).check();
  await fill({ Name: "ClickHouse usage", Host: "127.0.0.1", Database: clickhouse.database, User: clickhouse.user });
  await page.getByLabel("Port").fill("1");
  await page.getByLabel("Use TLS").uncheck();
  const result = page.getByRole("region", { name: "Connection test" });
  const tested = async (verdict) => {
    await page.getByRole("button", { name: "Test the connection" }).click();
    await result.getByText(verdict).waitFor();
  };
  await tested("The connection does not work yet.");
  await result.getByText(/^Cannot connect to/).waitFor();
  await page.getByLabel("Port").fill(String(clickhouse.port));
  await page.getByLabel("Password", { exact: true }).fill("wrong");
  await tested("The connection does not work yet.");
  assert.match(await result.getByRole("listitem").last().innerText(), /Sign in/);
  await page.getByLabel("Password", { exact: true }).fill(clickhouse.password);
  await tested("The connection works.");
  const steps = await result.getByRole("listitem").allInnerTexts();
  assert.ok(steps.length >= 3 && steps.every((step) => /\d m?s$/.test(step)), `each step has its time: ${steps}`);
  await page.getByRole("button", { name: "Save and choose a table" }).click();
  await page.getByRole("table", { name: "Tables and views of the source" }).getByRole("link", { name: /usage$/ }).click();
  await page.getByRole("heading", { name: "Map usage", level: 1 }).waitFor();
  await page.getByLabel("Account IDs are looked for in").selectOption({ label: "By Salesforce ID" });
  await page.getByRole("button", { name: "Preview 20 rows" }).click();
  await page.getByText(/^20 rows make 20 readings/).waitFor();
  await page.getByLabel("Runs").selectOption({ label: "Only by hand" });
  await fill({ Name: "Usage by account" });
  await page.getByRole("button", { name: "Save the stream" }).click();
  await page.getByRole("heading", { name: "Usage by account", level: 1 }).waitFor();
  screens.set("a stream of ClickHouse", [here(), "Usage by account"]);
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByText("Succeeded").first().waitFor({ timeout: 60_000 });
  const cost = page.getByRole("region", { name: "Details" }).getByText(/^\d+ statements?, .* rows and .* scanned$/);
  await cost.waitFor();
  screens.set("a run with its cost", [here(), /^Sync \d+$/]);
});

test("what is saved has been tested, and its page has the scripts and the addresses", async () => {
  await visit(page, weir.url, "/sources", "Sources");
  await page.getByRole("link", { name: "ClickHouse usage", exact: true }).click();
  await page.getByRole("region", { name: "Connection test" }).getByText("The connection works.").waitFor();
  const access = page.getByRole("region", { name: "Access at the source" });
  await access.getByText("192.0.2.10/32").waitFor();
  const named = (name) => access.locator("pre", { hasText: new RegExp(`GRANT SELECT ON .*${name}`) }).waitFor();
  await named("`usage`");
  await field("Tables Weir may read").fill("billing.invoices");
  await named("`billing`.`invoices`");
  screens.set("a source of ClickHouse", [here(), "ClickHouse usage"]);

  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "For your data team" }).click();
  const dialog = page.getByRole("dialog", { name: "For your data team" });
  await accessible(page, "the page for the data team");
  await dialog.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("status").getByText("The page is copied").waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^# Let Weir read ClickHouse/);
  assert.match(copied, /192\.0\.2\.11\/32/);
  assert.ok(!copied.includes(warehouses.clickhouse.password), "no secret is in it");
  const saving = page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Save as Markdown" }).click();
  assert.equal((await saving).suggestedFilename(), "let-weir-read.md");
});

test("the diagnosis says that the IDs are another system's, and what would know them", async () => {
  await visit(page, weir.url, ...screens.get("a stream of ClickHouse"));
  await page.getByRole("link", { name: "Missing rows?" }).click();
  await page.getByRole("heading", { name: "Missing rows", level: 1 }).waitFor();
  const findings = page.getByRole("region", { name: "Findings" });
  await findings.getByText(/look like numbers.*"salesforce", which knows 0 %, while "hubspot" knows 75 % of them/).waitFor();
  await findings.getByText(/^Let the stream’s external-ID setting try|^Let the stream's external-ID setting try/).waitFor();
  const known = page.getByRole("table", { name: "How many of the IDs each ID space knows" });
  assert.match(await known.getByRole("row").filter({ hasText: "hubspot" }).innerText(), /75\s%/);
  screens.set("a diagnosis", [here(), "Missing rows"]);
});

test("a row that came too late is found by comparing, and put right", async () => {
  await visit(page, weir.url, ...screens.get("a stream of ClickHouse"));
  // Days before the watermark, and further back than is read again by itself.
  await warehouses.run("clickhouse", "INSERT INTO usage VALUES ('8120000001', 'seats', 7, '2026-03-02 12:00:00')");
  const panel = page.getByRole("region", { name: "Compared with the table" });
  await panel.getByText("Never", { exact: true }).waitFor();
  await panel.getByRole("button", { name: "Compare now" }).click();
  await panel.getByText(/^1 of \d+ days differed; reading again wrote \d+ readings?$/).waitFor({ timeout: 60_000 });
  const found = panel.getByRole("listitem");
  assert.equal(await found.count(), 1);
  assert.match(await found.innerText(), /^2026-03-02: 1 reading more in the table, 7 in sum\s+Put right by run \d+$/);
  await panel.getByRole("button", { name: "Compare now" }).click();
  await panel.getByText(/^Nothing new differs in \d+ days$/).waitFor({ timeout: 60_000 });
  await panel.getByText("Earlier comparisons").click();
  const earlier = panel.getByRole("listitem").filter({ hasText: "2026-03-02" });
  assert.match(await earlier.innerText(), /^1 of \d+ days differed; reading again wrote \d+ readings?\s+2026-03-02\s/);
  await accessible(page, "earlier comparisons");
  await panel.getByRole("button", { name: "Schedule" }).click();
  const dialog = page.getByRole("dialog", { name: "When to compare" });
  await dialog.getByLabel("Compare every day").check();
  await accessible(page, "when a stream is compared");
  await dialog.getByRole("button", { name: "Save" }).click();
  await panel.getByText(/^Every day at 03:00 UTC, the last \d+ days$/).waitFor();
});

test("a Snowflake source: the pair is made with it, the script lets it in, the key is tested, used and rotated", async () => {
  const { snowflake } = warehouses;
  const names = { User: "WEIR_SVC", Role: "WEIR_ROLE", Warehouse: "WEIR_WH" };
  await visit(page, weir.url, "/sources/new", "Add a source");
  await page.getByRole("radio", { name: "Snowflake" }).check();
  await fill({ Name: "Snowflake usage", Account: "https://x.snowflakecomputing.com/", ...names });
  await page.getByRole("button", { name: "Save and make a key pair" }).click();
  await page.getByText(/without https:/).waitFor();
  await fill({ Account: snowflake.account, Database: snowflake.database, Schema: snowflake.schema });
  await page.getByRole("button", { name: "Save and make a key pair" }).click();
  await page.getByRole("heading", { name: "Snowflake usage", level: 1 }).waitFor();
  screens.set("a source with key pairs", [here(), "Snowflake usage"]);

  const first = await pairIn(1, "Make a key pair");
  await first.getByText("Not in use yet").waitFor();
  await first.getByRole("button", { name: "Test this key" }).click();
  await first.getByText("Snowflake refused the token").waitFor();
  const access = page.getByRole("region", { name: "Access at the source" });
  await field("Tables Weir may read").fill(`${snowflake.database}.${snowflake.schema}.${snowflake.table}`);
  const script = access.locator("pre", { hasText: "GRANT SELECT ON TABLE" });
  await script.waitFor();
  await run("snowflake", await script.innerText());
  await first.getByRole("button", { name: "Test this key" }).click();
  await first.getByText("The connection works.").waitFor();
  await first.getByRole("button", { name: "Use this key" }).click();
  await first.getByText("In use since").waitFor();
  await page.getByRole("region", { name: "Connection test" }).getByText("The connection works.").waitFor();

  // The next pair, in the other slot; the first stays in use until it is switched.
  const second = await pairIn(2, "Rotate");
  const install = second.locator("pre", { hasText: "RSA_PUBLIC_KEY_2" });
  await install.waitFor();
  await accessible(page, "two key pairs");
  await run("snowflake", await install.innerText());
  await second.getByRole("button", { name: "Test this key" }).click();
  await second.getByText("The connection works.").waitFor();
  await second.getByRole("button", { name: "Switch to this key" }).click();
  await first.getByText("Replaced").waitFor();
  await run("snowflake", await first.locator("pre", { hasText: "UNSET RSA_PUBLIC_KEY" }).innerText());
  await first.getByRole("button", { name: "Retire" }).click();
  await first.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Test now" }).click();
  await page.getByRole("region", { name: "Connection test" }).getByText("The connection works.").waitFor();

  await page.getByRole("link", { name: "New stream" }).first().click();
  await page.getByRole("table", { name: "Tables and views of the source" }).getByRole("link", { name: /USAGE$/ }).waitFor();
});

test("a Databricks source says when its schedule keeps the warehouse awake", async () => {
  const { databricks } = warehouses;
  await visit(page, weir.url, "/sources/new", "Add a source");
  await page.getByRole("radio", { name: "Databricks" }).check();
  await fill({ Name: "Databricks usage", Host: "dbc-a1b2345c-d6e7.cloud.databricks.com", "SQL warehouse": databricks.warehouse });
  await page.getByLabel("Sign in with").selectOption({ label: "A personal access token" });
  await page.getByLabel("Personal access token", { exact: true }).fill(databricks.token);
  await page.getByRole("button", { name: "Test the connection" }).click();
  await page.getByText("The connection works.").waitFor();
  await page.getByRole("button", { name: "Save and choose a table" }).click();
  await page.getByRole("table", { name: "Tables and views of the source" }).getByRole("link", { name: /usage$/ }).click();
  await page.getByRole("heading", { name: "Map usage", level: 1 }).waitFor();
  const warning = page.getByText(/warehouse sleeps after 10 min without work/);
  const runs = page.getByLabel("Runs");
  await eventually(async () => {
    // The test that tells it was sent with the source; it may still be on its way.
    await runs.selectOption({ label: "Every 30 minutes" });
    await runs.selectOption({ label: "Every 5 minutes" });
    return warning.waitFor({ timeout: 2_000 }).then(() => true, () => false);
  }, "the warning comes");
  assert.match(await warning.innerText(), /It runs every 5 minutes, .* it never sleeps, 24 h a day/);
  await accessible(page, "a schedule that keeps a warehouse awake");
  await runs.selectOption({ label: "Every 30 minutes" });
  await warning.waitFor({ state: "detached" });
  await field("Name").fill("Databricks stream");
  await runs.selectOption({ label: "Every 10 minutes" });
  await page.getByLabel("Account IDs are looked for in").selectOption({ label: "By Salesforce ID" });
  await page.getByRole("button", { name: "Save the stream" }).click();
  await page.getByRole("heading", { name: "Databricks stream", level: 1 }).waitFor();
  await page.getByRole("region", { name: "Schedule" }).getByText(/it never sleeps, 24 h a day/).waitFor();
  screens.set("a stream that keeps a warehouse awake", [here(), "Databricks stream"]);
});

test("a table that is named in part is refused beside the field, which says the form it needs", async () => {
  await page.getByRole("navigation", { name: "You are here" }).getByRole("link", { name: "Databricks usage" }).click();
  await page.getByRole("heading", { name: "Databricks usage", level: 1 }).waitFor();
  const access = page.getByRole("region", { name: "Access at the source" });
  await access.getByText(/^One on each line, as catalog\.schema\.table\./).waitFor();
  const script = access.locator("pre", { hasText: "GRANT SELECT ON" });
  await script.waitFor();
  const tables = field("Tables Weir may read");
  await tables.fill("usage");
  await access.getByText(/^Table usage names no catalog, .* write it as CATALOG\.SCHEMA\.TABLE\.$/).waitFor();
  assert.equal(await tables.getAttribute("aria-invalid"), "true");
  assert.equal(await script.count(), 0, "no script stands for what was refused");
  assert.equal(await page.getByText("What you see may be old").count(), 0, "it is said once, beside the field");
  await accessible(page, "a table that is refused");
  await tables.fill("main.default.usage");
  await access.locator("pre", { hasText: "GRANT SELECT ON TABLE `main`.`default`.`usage`" }).waitFor();
});

test("a BigQuery stream says beforehand what it would read, and keeps to a limit of its own", async () => {
  const { bigquery } = warehouses;
  await visit(page, weir.url, "/sources/new", "Add a source");
  await page.getByRole("radio", { name: "BigQuery" }).check();
  await fill({ Name: "BigQuery usage", Project: bigquery.project, Dataset: bigquery.dataset, "Most a statement may read": "1 MB" });
  await page.getByLabel("Service account key", { exact: true }).fill(bigquery.key);
  await page.getByRole("button", { name: "Test the connection" }).click();
  await page.getByText(/^Give at least 10485760/).waitFor();
  // Rights on single tables hide them from lists: that none is seen is no failure, and no success either.
  await fill({ "Most a statement may read": "20 GiB", Dataset: "nowhere" });
  const result = page.getByRole("region", { name: "Connection test" });
  await page.getByRole("button", { name: "Test the connection" }).click();
  await result.getByText("The connection works. One step has a warning.").waitFor();
  const last = result.getByRole("listitem").last();
  assert.match(await last.textContent(), /^See tables: warningNo table is listed/);
  assert.equal(await last.locator("svg.text-warning").count(), 1, "it is shown as a warning");
  await accessible(page, "a step with a warning");
  await fill({ Dataset: bigquery.dataset });
  await page.getByRole("button", { name: "Test the connection" }).click();
  await result.getByText("The connection works.", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Save and choose a table" }).click();
  await page.getByRole("table", { name: "Tables and views of the source" }).getByRole("link", { name: /usage$/ }).click();
  await page.getByRole("heading", { name: "Map usage", level: 1 }).waitFor();
  await page.getByLabel("Cursor", { exact: true }).selectOption({ label: "measured_at · TIMESTAMP" });
  for (const column of ["account_id", "metric", "measured_at"]) {
    await page.getByRole("group", { name: /^Row key/ }).getByLabel(column, { exact: true }).check();
  }
  await page.getByRole("button", { name: "Preview 20 rows" }).click();
  await page.getByText("A run reads about 1.2 GiB, at most 115.2 GiB a day at this schedule. The first one reads 4.0 GiB.").waitFor();
  await page.getByText(/neither partitioned nor clustered by "measured_at"/).waitFor();
  const limit = field("Most a statement may read");
  await limit.fill("1 GiB");
  await page.getByText("Every run would read more than the limit of 1 GiB and fail.").waitFor();
  await accessible(page, "a preview with its cost");
  await limit.fill("2 GiB");
  await page.getByText("The first run would read more than the limit of 2 GiB and fail.").waitFor();
  await limit.fill("much");
  await fill({ Name: "BigQuery stream" });
  await page.getByLabel("Runs").selectOption({ label: "Only by hand" });
  await page.getByLabel("Account IDs are looked for in").selectOption({ label: "By Salesforce ID" });
  await page.getByRole("button", { name: "Save the stream" }).click();
  await page.getByText(/^Must be at least 10485760/).waitFor();
  await limit.fill("10 GiB");
  await page.getByRole("button", { name: "Save the stream" }).click();
  await page.getByRole("heading", { name: "BigQuery stream", level: 1 }).waitFor();
  await page.getByRole("region", { name: "Schedule" }).getByText("10 GiB").waitFor();
  screens.set("a stream with a limit", [here(), "BigQuery stream"]);
});

test("each way to sign in has its own fields", async () => {
  await visit(page, weir.url, "/sources/new", "Add a source");
  const ways = {
    Snowflake: { "A key pair made here": null, "A programmatic access token": "Programmatic access token" },
    BigQuery: { "A service account of yours, by its key": "Service account key", "Weir’s own service account": null },
    Databricks: { "A service principal (OAuth)": "OAuth secret", "A personal access token": "Personal access token" },
    ClickHouse: { "A password": "Password", "A JSON Web Token": "JSON Web Token", "A client certificate": "Client certificate and private key" },
  };
  const secrets = Object.values(ways).flatMap((fields) => Object.values(fields)).filter(Boolean);
  for (const [kind, fields] of Object.entries(ways)) {
    await page.getByRole("radio", { name: kind }).check();
    for (const [way, secret] of Object.entries(fields)) {
      await page.getByLabel("Sign in with").selectOption({ label: way });
      for (const other of secrets) {
        const there = await page.getByLabel(other, { exact: true }).count();
        assert.equal(there, other === secret ? 1 : 0, `${kind}, ${way}: ${other}`);
      }
      await accessible(page, `${kind}, ${way}`);
    }
  }
});

for (const [name, options] of SCREENS) {
  test(`the screens of warehouses are accessible and fit: ${name}`, async () => {
    const other = await browser.open({ ...options, storageState: await page.context().storageState() });
    for (const [screen, [address, heading]] of screens) {
      await visit(other, weir.url, address, heading);
      await eventually(async () => (await other.getByText("Loading", { exact: true }).count()) === 0, `${screen} has loaded`);
      await accessible(other, `${screen} (${name})`);
      await fits(other, `${screen} (${name})`);
    }
    await visit(other, weir.url, "/sources/new", "Add a source");
    for (const kind of ["Snowflake", "BigQuery", "Databricks", "ClickHouse"]) {
      await other.getByRole("radio", { name: kind }).check();
      await accessible(other, `the form of ${kind} (${name})`);
      await fits(other, `the form of ${kind} (${name})`);
    }
    await other.context().close();
  });
}
