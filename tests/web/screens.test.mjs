// What every screen has to keep: it is accessible and fits, it says when it loads and when it fails, keys are enough.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { SCREENS, accessible, ask, eventually, fits, number, openBrowser, signIn, startDemo, tabTo, visit } from "./stage.mjs";

const BROKEN = /status of 500|ERR_FAILED/;
let weir, browser, page, state, objects;

before(async () => {
  weir = await startDemo();
  browser = await openBrowser();
  page = await browser.open();
  await signIn(page, weir);
  state = await page.context().storageState();
  const found = await ask(page, `{
    sources(first: 1) { nodes { id name } }
    streams(first: 5) { nodes { id name } }
    syncRuns(first: 1) { nodes { id } }
    accounts(first: 1) { nodes { id name } }
    account: unmatchedGroups(first: 1, where: { status: OPEN, reason: [ACCOUNT_UNKNOWN], search: "0015" }) { nodes { id } }
    metric: unmatchedGroups(first: 1, where: { status: OPEN, reason: [METRIC_UNLINKED] }) { nodes { id } }
    disabled: unmatchedGroups(first: 1, where: { status: OPEN, reason: [LINK_DISABLED] }) { nodes { id } }
  }`);
  const [source] = found.sources.nodes;
  const [account] = found.accounts.nodes;
  const stream = (name) => found.streams.nodes.find((stream) => stream.name === name).id;
  const group = (nodes) => [`/unmatched/${nodes[0].id}`, /·/];
  objects = {
    source: [`/sources/${source.id}`, source.name],
    "a form of a source": [`/sources/${source.id}/edit`, "Edit the source"],
    "a long stream": [`/streams/${stream("Contract usage")}`, "Contract usage"],
    "a wide stream": [`/streams/${stream("Account health")}`, "Account health"],
    "a form of a stream": [`/streams/${stream("Contract usage")}/edit`, "Edit the stream"],
    "the tables of a source": [`/sources/${source.id}/streams/new`, "Choose a table"],
    "a new long stream": [`/sources/${source.id}/streams/new?table=contract_usage`, "Map contract_usage"],
    "a new wide stream": [`/sources/${source.id}/streams/new?table=account_weekly`, "Map account_weekly"],
    "a run": [`/runs/${found.syncRuns.nodes[0].id}`, /^Sync \d+$/],
    "a group of an unknown account": group(found.account.nodes),
    "a group of an unlinked metric": group(found.metric.nodes),
    "a group of a link that is off": group(found.disabled.nodes),
    "an account": [`/accounts/${account.id}`, account.name],
  };
});

after(async () => {
  // The browser first: a page that asks again after the server has gone complains.
  await browser?.close();
  await weir?.stop();
});

const lists = [
  ["/", "Overview"],
  ["/sources", "Sources"],
  ["/sources/new", "Add a source"],
  ["/unmatched", "Unmatched"],
  ["/unmatched?tab=rejected", "Unmatched"],
  ["/links", "Metric links"],
  ["/links/import", "Import metric links"],
  ["/accounts", "Accounts"],
  ["/accounts?q=nobody+has+this+name", "Accounts"],
  ["/settings", "Settings"],
  ["/no/such/page", "Page not found"],
];

for (const [name, options] of SCREENS) {
  test(`every screen is accessible and fits: ${name}`, async () => {
    const other = await browser.open({ ...options, storageState: state });
    for (const [address, heading] of [...lists, ...Object.values(objects)]) {
      await visit(other, weir.url, address, heading);
      await eventually(async () => (await other.getByText("Loading", { exact: true }).count()) === 0, `${address} has loaded`);
      await accessible(other, `${address} (${name})`);
      await fits(other, `${address} (${name})`);
    }
    await visit(other, weir.url, ...objects["a new wide stream"]);
    await other.getByRole("button", { name: "Preview 20 rows" }).click();
    await other.getByRole("table", { name: "Rows as received, as read, as matched" }).waitFor();
    await accessible(other, `a preview (${name})`);
    await fits(other, `a preview (${name})`);
    const [below, end] = await other.evaluate(() => {
      const { bottom } = document.querySelector("main").getBoundingClientRect();
      return [document.documentElement.scrollHeight, Math.max(bottom + window.scrollY, window.innerHeight)];
    });
    assert.ok(below - end < 100, `nothing but the page is scrolled to, ${below} px for ${end}`);
    await visit(other, weir.url, "/links", "Metric links");
    await other.getByRole("button", { name: "Add a link" }).click();
    const dialog = other.getByRole("dialog", { name: "Add a metric link" });
    await dialog.getByRole("radio").first().waitFor();
    await accessible(other, `a dialog (${name})`);
    assert.ok(await dialog.evaluate((dialog) => dialog.scrollWidth <= dialog.clientWidth), `the dialog fits (${name})`);
    await other.context().close();
  });
}

test("the overview says of every stream whether it is fresh, and how many rows came today", async () => {
  // Today ends at midnight in UTC, and the count begins anew.
  const left = 86_400_000 - (Date.now() % 86_400_000);
  if (left < 120_000) await new Promise((resolve) => setTimeout(resolve, left + 1_000));
  const asked = "{ overview { rowsToday unmatchedTrend { date count } streams { name freshness } } }";
  const words = { FRESH: "Fresh", LATE: "Late", STALE: "Stale", NEVER: "Never synced", PAUSED: "Paused" };
  await visit(page, weir.url, "/", "Overview");
  const streams = page.getByRole("table", { name: "Streams, those that need attention first" });
  await streams.waitFor();
  const { overview } = await ask(page, asked);
  assert.equal(overview.streams.length, 3);
  for (const stream of overview.streams) {
    const row = streams.getByRole("row").filter({ has: page.getByRole("link", { name: stream.name, exact: true }) });
    await row.getByText(words[stream.freshness], { exact: true }).waitFor();
  }
  // The streams go on while one looks, so what is shown lies between two answers.
  const shown = async (locator) => number(await locator.innerText());
  const tile = page.locator("main div").filter({ has: page.getByText("Rows read today", { exact: true }) }).last();
  const before = await ask(page, asked);
  await page.reload();
  const today = await shown(tile.locator(".num"));
  const trend = await page.getByRole("img", { name: /went to wait since/ }).getAttribute("aria-label");
  const after = await ask(page, asked);
  const between = (least, value, most, what) => assert.ok(least <= value && value <= most, `${what}: ${least} <= ${value} <= ${most}`);
  between(Number(before.overview.rowsToday), today, Number(after.overview.rowsToday), "rows today");
  const sum = ({ overview }) => overview.unmatchedTrend.reduce((sum, day) => sum + Number(day.count), 0);
  const [, count, since] = trend.match(/^([\d,]+) readings? went to wait since (\d{4}-\d\d-\d\d)$/);
  between(sum(before), number(count), sum(after), "readings that went to wait");
  assert.equal(since, after.overview.unmatchedTrend[0].date);
});

test("a page says that it loads, though not at once, and keeps its heading", async () => {
  const other = await browser.open({ storageState: state });
  for (const [address] of Object.values(objects)) {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    const isPage = (request) => !/\bviewer\b/.test(request.postData() ?? "");
    await other.route("**/graphql", async (route) => {
      if (isPage(route.request())) await held;
      await route.continue();
    });
    await other.goto(weir.url + address);
    const waiting = other.getByRole("status").filter({ hasText: "Loading" }).first();
    await waiting.waitFor({ state: "attached" });
    await other.getByRole("heading", { level: 1 }).waitFor();
    const { delay, name } = await waiting.evaluate((element) => {
      const { animationDelay, animationName } = getComputedStyle(element);
      return { delay: animationDelay, name: animationName };
    });
    assert.equal(name, "appear");
    assert.notEqual(delay, "0s", "a quick answer does not flicker");
    await eventually(() => waiting.evaluate((element) => getComputedStyle(element).opacity === "1"), "the skeleton appears");
    release();
    await waiting.waitFor({ state: "detached" });
    await other.unroute("**/graphql");
  }
  await other.context().close();
});

test("a page that cannot be loaded says so, with the number to quote, and tries again", async () => {
  const other = await browser.open({ storageState: state, expected: BROKEN });
  const body = JSON.stringify({ errors: [{ message: "something went wrong", extensions: { code: "INTERNAL", requestId: "0a1b2c" } }] });
  for (const [address, heading] of [...lists.slice(0, 2), ...Object.values(objects)]) {
    await other.route("**/graphql", (route) =>
      /\bviewer\b/.test(route.request().postData() ?? "")
        ? route.continue()
        : route.fulfill({ status: 500, contentType: "application/json", body }),
    );
    await other.goto(weir.url + address);
    const alert = other.getByRole("alert").first();
    await alert.getByText("Something went wrong.").waitFor();
    await alert.getByText("Request 0a1b2c").waitFor();
    assert.equal(await other.getByRole("heading", { level: 1 }).count(), 1, `${address} has its heading`);
    await accessible(other, `${address} when it fails`);
    await other.unroute("**/graphql");
    await alert.getByRole("button", { name: "Try again" }).click();
    await other.getByRole("heading", { level: 1, name: heading }).waitFor();
    await alert.getByText("Something went wrong.").waitFor({ state: "detached" });
  }
  await other.context().close();
});

test("what is shown stays when it cannot be asked for again, and says that it may be old", async () => {
  const other = await browser.open({ storageState: state, expected: BROKEN });
  for (const [address, heading] of [lists[0], objects["a long stream"]]) {
    await visit(other, weir.url, address, heading);
    const table = other.getByRole("table").first();
    await table.waitFor();
    await other.route("**/graphql", (route) => route.abort());
    await other.getByText("What you see may be old.").waitFor();
    assert.ok(await table.isVisible(), "the last answer is still there");
    await other.unroute("**/graphql");
    await other.getByRole("button", { name: "Try again" }).click();
    await other.getByText("What you see may be old.").waitFor({ state: "detached" });
  }
  await other.context().close();
});

test("an address that names nothing leads to a page that says so", async () => {
  for (const [address, heading, what] of [
    ["/sources/abc", "Source", "source"],
    ["/sources/abc/edit", "Source", "source"],
    ["/sources/abc/streams/new", "Source", "source"],
    ["/streams/abc", "Stream", "stream"],
    ["/streams/abc/edit", "Stream", "stream"],
    ["/runs/abc", "Run", "run"],
    ["/unmatched/abc", "Group", "group"],
    ["/accounts/abc", "Account", "account"],
  ]) {
    await visit(page, weir.url, address, heading);
    await page.getByText(`There is no such ${what}`).waitFor();
  }
  // A well-formed ID of something else is no better.
  await visit(page, weir.url, objects.source[0].replace("/sources/", "/streams/"), "Stream");
  await page.getByText("There is no such stream").waitFor();
  await visit(page, weir.url, "/accounts?after=abc", "Accounts");
  await page.getByRole("link", { name: "Go to the first page" }).click();
  await page.getByRole("table", { name: "Accounts, by name" }).waitFor();
});

test("the skip link is the first stop and leads past the navigation", async () => {
  await visit(page, weir.url, "/accounts", "Accounts");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  await page.keyboard.press("Tab");
  assert.ok(await skip.evaluate((link) => link === document.activeElement), "it is the first stop");
  const { x, y, width, height } = await skip.boundingBox();
  assert.ok(x >= 0 && y >= 0 && width > 50 && height >= 24, "it is seen while it has the focus");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const inside = await page.evaluate(() => document.activeElement.closest("main") !== null);
  assert.ok(inside, "the next stop is in the content");
});

test("the focus follows from page to page", async () => {
  await visit(page, weir.url, "/", "Overview");
  await tabTo(page, page.getByRole("navigation", { name: "Main" }).first().getByRole("link", { name: "Sources" }), "the sources");
  await page.keyboard.press("Enter");
  const heading = page.getByRole("heading", { level: 1, name: "Sources" });
  await heading.waitFor();
  await eventually(() => heading.evaluate((heading) => heading === document.activeElement), "the heading has the focus");
});

test("a group is opened and linked by keys alone", async () => {
  await visit(page, weir.url, "/unmatched?reason=AccountUnknown&q=0015", "Unmatched");
  const groups = page.getByRole("table", { name: "Groups of readings that wait" });
  await groups.waitFor();
  const link = groups.getByRole("link", { name: /^0015.* logins$/ }).first();
  await tabTo(page, link, "the group");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "What was tried" }).waitFor();
  await tabTo(page, page.getByRole("button", { name: "Link to an account" }), "the button");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Link to an account" });
  const find = dialog.getByLabel("Find the account");
  await find.waitFor();
  await tabTo(page, find, "the search");
  await page.keyboard.type("Bramble");
  await dialog.getByRole("radio", { name: "Bramble Foods" }).waitFor();
  await eventually(async () => (await dialog.getByRole("radio").count()) === 1, "one account is found");
  await tabTo(page, dialog.getByRole("radio", { name: "Bramble Foods" }), "the account");
  await page.keyboard.press("Space");
  await tabTo(page, dialog.getByRole("button", { name: "Link to Bramble Foods" }), "the end of the dialog");
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText(/Linked; [\d,]+ readings? (is|are) being matched/).waitFor();
  await page.getByText("Resolved: none of its readings waits any more.").waitFor({ timeout: 60_000 });
});
