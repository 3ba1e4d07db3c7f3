// A new installation: set up by the token, greeted by the checklist, guarded by the sign-in.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, openBrowser, startEmpty } from "./stage.mjs";

const password = "three calm rivers";
let weir, browser, page;

before(async () => {
  weir = await startEmpty();
  browser = await openBrowser();
  page = await browser.open();
});

after(async () => {
  await weir?.stop();
  await browser?.close();
});

test("the printed link makes the first account", async () => {
  await page.goto(weir.link);
  await page.getByRole("heading", { name: "Set up Weir" }).waitFor();
  assert.equal(await page.getByLabel("Set-up token").inputValue(), weir.token);
  await accessible(page, "the set-up");
  await page.getByLabel("Organization").fill("Riverbend");
  await page.getByLabel("Your name").fill("Robin Owner");
  await page.getByLabel("Email").fill("robin@riverbend.example");

  await page.getByLabel("Password").fill("too short");
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByText("Use at least 12 characters.").waitFor();

  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  assert.equal(page.url(), `${weir.url}/`, "the token leaves the address");
});

test("an empty installation says what comes first", async () => {
  const checklist = page.getByRole("region", { name: "From a warehouse to a measurement" });
  await checklist.getByRole("link", { name: "Do this next" }).waitFor();
  await page.getByText("No streams yet").waitFor();
  await accessible(page, "the empty overview");
  await page.getByRole("link", { name: "Sources" }).first().click();
  await page.getByText("No sources yet").waitFor();
  await page.getByRole("link", { name: "Accounts" }).first().click();
  await page.getByText("No accounts yet").waitFor();
  await page.getByRole("link", { name: "Unmatched" }).first().click();
  await page.getByText("Every reading found its place").waitFor();
  await page.getByRole("link", { name: "Metric links" }).first().click();
  await page.getByText("No metric links yet").waitFor();
});

test("a wrong password is refused in words, the right one leads back to where one was", async () => {
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await accessible(page, "the sign-in");
  await page.goto(`${weir.url}/accounts`);
  await page.getByLabel("Email").fill("robin@riverbend.example");
  await page.getByLabel("Password").fill("not my password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("The address or the password is not right.").waitFor();
  await page.getByLabel("Password").fill(password);
  await page.getByLabel("Password").press("Enter");
  await page.getByRole("heading", { name: "Accounts", level: 1 }).waitFor();
});

test("the chosen theme stays", async () => {
  await page.getByRole("button", { name: "Dark theme" }).first().click();
  await page.reload();
  await page.getByRole("heading", { name: "Accounts", level: 1 }).waitFor();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "weir-dark");
  await page.getByRole("button", { name: "System theme" }).first().click();
  assert.equal(await page.locator("html").getAttribute("data-theme"), null);
});
