// The journeys people make every day, on the demo: look, run, resolve, see the measurement.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, eventually, number, openBrowser, picture, signIn, startDemo, visit } from "./stage.mjs";

let weir, browser, page;

before(async () => {
  weir = await startDemo();
  browser = await openBrowser();
  page = await browser.open();
  await signIn(page, weir);
});

after(async () => {
  // The browser first: a page that asks again after the server has gone complains.
  await browser?.close();
  await weir?.stop();
});

test("the overview shows every stream and what waits", async () => {
  const streams = page.getByRole("table", { name: "Streams, those that need attention first" });
  for (const name of ["Contract usage", "Product usage", "Account health"]) {
    await streams.getByRole("link", { name, exact: true }).waitFor();
  }
  const tile = page.getByRole("link", { name: /Unmatched readings/ });
  assert.ok(number(await tile.innerText()) > 0, "the demo has readings that wait");
  await picture(page);
});

test("a source says how it is reached and whether that works", async () => {
  await page.getByRole("link", { name: "Sources" }).first().click();
  await page.getByRole("link", { name: "Warehouse", exact: true }).click();
  await page.getByRole("heading", { name: "Warehouse", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Test now" }).click();
  await page.getByText("The connection works.").waitFor();
});

test("a stream is run and watched until every row is accounted for", async () => {
  await visit(page, weir.url, "/", "Overview");
  await page.getByRole("link", { name: "Contract usage", exact: true }).click();
  await page.getByRole("heading", { name: "Contract usage", level: 1 }).waitFor();
  // The schedule may be quicker than the hand.
  await page.getByRole("button", { name: "Run now" }).or(page.getByRole("link", { name: /^Watch run/ })).first().click();
  await page.getByRole("heading", { name: /^Sync \d+$/, level: 1 }).waitFor();
  await page.getByText("Succeeded").first().waitFor({ timeout: 60_000 });
  const balance = page.getByRole("region", { name: "Every row accounted for" });
  await eventually(async () => (await balance.getByText("Adds up").count()) === 2, "both sums add up");
});

test("a range is read again beside the schedule and changes nothing", async () => {
  await visit(page, weir.url, "/", "Overview");
  await page.getByRole("link", { name: "Account health", exact: true }).click();
  await page.getByRole("button", { name: "Read a range" }).click();
  const dialog = page.getByRole("dialog", { name: "Read a range again" });
  assert.ok(await dialog.getByLabel("Up to").inputValue(), "the range ends at the watermark unless said otherwise");
  await dialog.getByLabel("From").fill("not a cursor");
  await dialog.getByRole("button", { name: "Read the range" }).click();
  await dialog.getByLabel("From").and(page.locator("[aria-invalid=true]")).waitFor();
  await dialog.getByLabel("From").fill(await dialog.getByLabel("Up to").inputValue());
  await dialog.getByRole("button", { name: "Read the range" }).click();
  await page.getByRole("heading", { name: /^Backfill \d+$/, level: 1 }).waitFor();
  await page.getByText("Succeeded").first().waitFor({ timeout: 60_000 });
  const balance = page.getByRole("region", { name: "Every row accounted for" });
  await eventually(async () => (await balance.getByText("Adds up").count()) === 2, "both sums add up");
});

test("the cursor is moved only after the count has been seen", async () => {
  await visit(page, weir.url, "/", "Overview");
  await page.getByRole("link", { name: "Account health", exact: true }).click();
  await page.getByRole("button", { name: "Move the cursor" }).click();
  const dialog = page.getByRole("dialog", { name: "Move the cursor" });
  assert.equal(await dialog.getByRole("button", { name: "Move the cursor" }).count(), 0);
  await dialog.getByRole("button", { name: "Show what happens" }).click();
  await dialog.getByText(/^[\d,]+ rows will be read again\.$/).waitFor();
  await dialog.getByLabel("Reason").fill("The history was corrected");
  await dialog.getByRole("button", { name: "Move the cursor" }).click();
  await page.getByRole("status").getByText(/^The cursor of Account health is moved/).waitFor();
});

test("a run keeps its address and tells the two sums in full", async () => {
  await visit(page, weir.url, "/", "Overview");
  await page.getByRole("link", { name: "Contract usage", exact: true }).click();
  await page.getByRole("table", { name: "Runs, newest first" }).getByRole("link", { name: /^Sync 1$|^Sync \d+$/ }).last().click();
  const address = page.url();
  await page.getByRole("heading", { name: /^Sync \d+$/, level: 1 }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: /^Sync \d+$/, level: 1 }).waitFor();
  assert.equal(page.url(), address);
  const balance = await page.getByRole("region", { name: "Every row accounted for" }).innerText();
  const counts = [...balance.matchAll(/([\d,]+)\n(rows read|mapped|rejected|repeated|readings|written|unchanged|superseded|unmatched|ignored)/g)];
  const of = Object.fromEntries(counts.map(([, count, name]) => [name, number(count)]));
  assert.equal(of["rows read"], of.mapped + of.rejected + of.repeated);
  assert.equal(of.readings, of.written + of.unchanged + of.superseded + of.unmatched + of.ignored);
  assert.ok(of["rows read"] > 0, "the first run read rows");
});

test("an unknown account is linked and its readings become a line on the account's page", async () => {
  await visit(page, weir.url, "/accounts", "Accounts");
  await page.getByRole("button", { name: "Add an account" }).click();
  const adding = page.getByRole("dialog", { name: "Add an account" });
  await adding.getByLabel("Name").fill("Newcomer Labs");
  await adding.getByRole("button", { name: "Add the account" }).click();
  await page.getByRole("heading", { name: "Newcomer Labs", level: 1 }).waitFor();
  await page.getByText("Nothing measured yet").waitFor();

  // Logins go to the account itself, so that no metric link is needed.
  await visit(page, weir.url, "/unmatched?reason=AccountUnknown&q=0015", "Unmatched");
  const groups = page.getByRole("table", { name: "Groups of readings that wait" });
  await groups.getByRole("link", { name: /^0015.* logins$/ }).first().click();
  await page.getByRole("region", { name: "What was tried" }).getByText("0 hits").first().waitFor();
  const rows = page.getByRole("table", { name: "The newest waiting rows" });
  await rows.waitFor();
  const [external] = (await page.getByRole("heading", { level: 1 }).innerText()).split(/\s/);
  const waiting = number(await page.getByText(/^[\d,]+ waiting$/).innerText());

  await page.getByRole("button", { name: "Link to an account" }).click();
  const dialog = page.getByRole("dialog", { name: "Link to an account" });
  await dialog.getByLabel("Find the account").fill("Newcomer");
  await dialog.getByRole("radio", { name: "Newcomer Labs" }).check();
  await accessible(page, "the link dialog");
  await dialog.getByRole("button", { name: "Link to Newcomer Labs" }).click();
  await page.getByRole("status").getByText(/Linked; [\d,]+ readings? (is|are) being matched/).waitFor();
  await page.getByText("Resolved: none of its readings waits any more.").waitFor({ timeout: 60_000 });

  await visit(page, weir.url, `/accounts?q=${external}`, "Accounts");
  await page.getByRole("table", { name: "Accounts, by name" }).getByRole("link", { name: "Newcomer Labs" }).click();
  await page.getByRole("heading", { name: "Newcomer Labs", level: 1 }).waitFor();
  await page.getByRole("table", { name: "Series of this account" }).getByRole("link", { name: "logins" }).first().click();
  await page.getByLabel("Range").selectOption({ label: "All" });
  await page.getByRole("img", { name: /^logins.* over time, last value [\d,.]+/i }).waitFor();
  const told = page.getByText(/^As a table/);
  await eventually(async () => number(await told.innerText()) >= waiting, `all ${waiting} readings that waited are measurements`);
});

test("a metric that has no link is linked to an input", async () => {
  await visit(page, weir.url, "/unmatched?reason=MetricUnlinked", "Unmatched");
  await page.getByRole("table", { name: "Groups of readings that wait" }).getByRole("link").first().click();
  // Every input of the account is fed already, so there has to be a new one.
  const group = page.url();
  await page.getByRole("region", { name: "Group" }).getByRole("link").first().click();
  await page.getByRole("button", { name: "Add an input" }).first().click();
  const adding = page.getByRole("dialog", { name: /^Add an input to / });
  await adding.getByLabel("Name").fill("AI credits used");
  await adding.getByRole("button", { name: "Add the input" }).click();
  await page.getByText("Not linked").waitFor();

  await page.goto(group);
  await page.getByRole("button", { name: "Link the metric" }).click();
  const dialog = page.getByRole("dialog", { name: "Link the metric" });
  await dialog.getByRole("radio", { name: "AI credits used" }).check();
  await dialog.getByRole("button", { name: "Link the metric" }).click();
  await page.getByText("Resolved: none of its readings waits any more.").waitFor({ timeout: 60_000 });
});

test("a group is ignored with a reason, and opened again by undo", async () => {
  await visit(page, weir.url, "/unmatched", "Unmatched");
  await page.getByRole("table", { name: "Groups of readings that wait" }).getByRole("link").last().click();
  await page.getByRole("button", { name: "Ignore" }).click();
  const dialog = page.getByRole("dialog", { name: "Ignore this group" });
  await dialog.getByLabel("Reason").fill("A test tenant");
  await dialog.getByRole("button", { name: "Ignore the group" }).click();
  await page.getByText("Ignored: A test tenant").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Ignored: A test tenant").waitFor({ state: "detached" });
});

test("several groups are put aside at once and brought back", async () => {
  await visit(page, weir.url, "/unmatched?q=trial", "Unmatched");
  const groups = page.getByRole("table", { name: "Groups of readings that wait" });
  await groups.waitFor();
  const all = await groups.getByRole("checkbox").count();
  assert.ok(all > 1, "the demo has groups of trial accounts");
  await page.getByLabel("Choose all on this page").check();
  await page.getByText(`${all} groups chosen`).waitFor();
  await accessible(page, "the selection");
  await page.getByRole("button", { name: "Snooze" }).click();
  const dialog = page.getByRole("dialog", { name: `Snooze ${all} groups` });
  await dialog.getByRole("button", { name: "Snooze" }).click();
  await page.getByText("Nothing matches these filters").waitFor();

  await visit(page, weir.url, "/unmatched?tab=snoozed", "Unmatched");
  await eventually(async () => (await groups.getByRole("checkbox").count()) === all, `all ${all} groups are snoozed`);
  await page.getByLabel("Choose all on this page").check();
  await page.getByRole("button", { name: "Snooze" }).click();
  await dialog.getByLabel("How long").selectOption({ label: "Not at all: show again" });
  await dialog.getByRole("button", { name: "Snooze" }).click();
  await page.getByText("Nothing is snoozed").waitFor();
});

test("all groups of one unknown account are linked in one go", async () => {
  await visit(page, weir.url, "/unmatched?reason=AccountUnknown&q=0015", "Unmatched");
  const groups = page.getByRole("table", { name: "Groups of readings that wait" });
  const [external] = (await groups.getByRole("link").first().innerText()).split(" ");
  await visit(page, weir.url, `/unmatched?reason=AccountUnknown&q=${external}`, "Unmatched");
  await page.getByLabel("Choose all on this page").check();
  await page.getByRole("group", { name: "With the chosen groups" }).getByRole("button", { name: "Link" }).click();
  const dialog = page.getByRole("dialog", { name: "Link to an account" });
  await dialog.getByLabel("Find the account").fill("Newcomer");
  await dialog.getByRole("radio", { name: "Newcomer Labs" }).check();
  await dialog.getByRole("button", { name: "Link to Newcomer Labs" }).click();
  await page.getByRole("status").getByText(/Linked; [\d,]+ readings? (is|are) being matched/).waitFor();
  await page.getByText("Nothing matches these filters").waitFor({ timeout: 60_000 });
});

test("a group is given to somebody, with a note", async () => {
  await visit(page, weir.url, "/unmatched?q=trial", "Unmatched");
  await page.getByRole("table", { name: "Groups of readings that wait" }).getByRole("link").first().click();
  const about = page.getByRole("region", { name: "Group" });
  await about.getByRole("button", { name: "Assign" }).click();
  const assign = page.getByRole("dialog", { name: "Assign this group" });
  await assign.getByLabel("Who looks after it").selectOption({ label: "Robin Owner" });
  await assign.getByRole("button", { name: "Assign" }).click();
  await about.getByText("Robin Owner").waitFor();
  await about.getByRole("button", { name: "Note" }).click();
  const note = page.getByRole("dialog", { name: "Note on this group" });
  await note.getByLabel("Note").fill("Sales has been asked.");
  await note.getByRole("button", { name: "Save the note" }).click();
  await about.getByText("Sales has been asked.").waitFor();
});

test("an account shows its measurements as a line and as the same numbers", async () => {
  await visit(page, weir.url, "/accounts", "Accounts");
  await page.getByRole("table", { name: "Accounts, by name" }).getByRole("link").first().click();
  const chart = page.getByRole("img", { name: /over time, last value/ });
  await chart.waitFor();
  const said = (await chart.getAttribute("aria-label")).match(/last value ([\d,.\u2212]+)/)[1];
  await page.getByText(/^As a table/).click();
  const table = page.getByRole("table", { name: /^Measurements of/ });
  const newest = await table.getByRole("row").nth(1).getByRole("cell").nth(1).innerText();
  assert.ok(newest.startsWith(said), `the table's newest value ${newest} is the line's last, ${said}`);
});

test("a link is switched off and on again", async () => {
  await visit(page, weir.url, "/links?state=on", "Metric links");
  const first = page.getByRole("switch").first();
  const name = await first.getAttribute("aria-label");
  await first.click();
  await page.getByRole("status").getByText(/is switched off/).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("status").getByText(/is switched on/).waitFor();
  await eventually(async () => page.getByRole("switch", { name, exact: true }).isChecked(), "the link is in force again");
});

test("a faulty import is told line by line and stores nothing", async () => {
  await visit(page, weir.url, "/links/import", "Import metric links");
  await page.getByLabel("or paste it").fill("account_name,metric,opportunity,input\nNobody at all,no_such_metric,None,None\n");
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByRole("table", { name: "Rows with errors" }).getByText("Line 2").first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Import", exact: true }).count(), 0);
});

test("a table is mapped with a preview", async () => {
  await visit(page, weir.url, "/sources", "Sources");
  await page.getByRole("link", { name: "Warehouse", exact: true }).click();
  await page.getByRole("link", { name: "New stream" }).first().click();
  await page.getByRole("table", { name: "Tables and views of the source" }).getByRole("link").first().click();
  await page.getByRole("heading", { name: /^Map /, level: 1 }).waitFor();
  await page.getByRole("button", { name: "Preview 20 rows" }).click();
  await page.getByText(/^[\d,]+ rows? makes? [\d,]+ readings?/).or(page.getByText(/rows make/)).first().waitFor();
  await accessible(page, "the mapping");
});

test("by keys alone: a dialog opens, keeps the focus in it, closes, and gives the focus back", async () => {
  await visit(page, weir.url, "/accounts", "Accounts");
  const add = page.getByRole("button", { name: "Add an account" });
  await add.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Add an account" });
  await dialog.waitFor();
  for (let turn = 0; turn < 12; turn += 1) {
    await page.keyboard.press("Tab");
    const outside = await page.evaluate(() => document.activeElement !== document.body && !document.activeElement.closest("dialog"));
    assert.equal(outside, false, "the focus stays in the dialog");
  }
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await add.evaluate((button) => button === document.activeElement), true, "the focus is back on the button");
});

test("an ID of two accounts names both, and is free once one of them gives it up", async () => {
  await visit(page, weir.url, "/unmatched?reason=AccountAmbiguous", "Unmatched");
  await page.getByRole("table", { name: "Groups of readings that wait" }).getByRole("link").first().click();
  const rivals = page.getByRole("region", { name: "Accounts with this ID" });
  await rivals.getByRole("paragraph").filter({ hasText: "Wolds Brewing (merged)" }).waitFor();
  assert.equal(await rivals.getByRole("listitem").count(), 2);
  assert.equal(await page.getByRole("button", { name: "Link to an account" }).count(), 0, "a link more would not help");
  await accessible(page, "an ambiguous group");
  const group = page.url();
  await rivals.getByRole("link", { name: "Open Wolds Brewing (merged)" }).click();
  await page.getByRole("heading", { name: "Wolds Brewing (merged)", level: 1 }).waitFor();
  await page.getByRole("region", { name: "External IDs" }).getByRole("button", { name: /^Take .* away$/ }).click();
  await page.getByText("No ID yet: rows cannot be matched to this account.").waitFor();
  await page.goto(group);
  await eventually(
    async () => (await page.getByText("Account ambiguous").count()) === 0 || (await page.getByText(/Resolved: none/).count()) > 0,
    "the group is no longer ambiguous",
  );
});
