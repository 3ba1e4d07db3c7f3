// A new installation: set up by the token, greeted by the checklist, guarded by the sign-in.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { SCREENS, accessible, fits, openBrowser, signIn, startEmpty, visit } from "./stage.mjs";

const password = "three calm rivers";
let weir, browser, page;

before(async () => {
  weir = await startEmpty();
  browser = await openBrowser();
  page = await browser.open();
});

after(async () => {
  // The browser first: a page that asks again after the server has gone complains.
  await browser?.close();
  await weir?.stop();
});

/** Looks at a page nobody has to sign in for, on every screen. */
async function everywhere(address, heading) {
  for (const [name, options] of SCREENS) {
    const other = await browser.open(options);
    await visit(other, "", address, heading);
    await accessible(other, `${heading} (${name})`);
    await fits(other, `${heading} (${name})`);
    await other.context().close();
  }
}

test("the set-up is accessible and fits on every screen", () => everywhere(weir.link, "Set up Weir"));

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

test("a person is added, given another role and removed", async () => {
  await page.getByRole("link", { name: "Settings" }).first().click();
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Add a person" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a person" });
  await dialog.getByLabel("Name").fill("Kim Support");
  await dialog.getByLabel("Email").fill("kim@riverbend.example");
  await dialog.getByLabel("First password").fill("short");
  await dialog.getByRole("button", { name: "Add the person" }).click();
  await dialog.getByText(/12/).last().waitFor();
  await dialog.getByLabel("First password").fill(password);
  await accessible(page, "the new person");
  await dialog.getByRole("button", { name: "Add the person" }).click();
  await page.getByText("kim@riverbend.example").waitFor();
  await page.getByLabel("Role of Kim Support").selectOption({ label: "Viewer" });
  await page.getByRole("status").getByText("Kim Support is now viewer").waitFor();
  await page.getByRole("row", { name: /Kim Support/ }).getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog", { name: "Remove this person" }).getByRole("button", { name: "Remove" }).click();
  await page.getByText("kim@riverbend.example").waitFor({ state: "detached" });
});

test("an API token is shown once and can be revoked", async () => {
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog", { name: "New API token" });
  await dialog.getByLabel("Name").fill("Reporting");
  await dialog.getByLabel("see accounts").check();
  await dialog.getByRole("button", { name: "Make the token" }).click();
  await dialog.getByText("It is not shown again.").waitFor();
  const secret = (await dialog.locator("pre").innerText()).trim();
  const ask = async () => {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const answer = await fetch(`${weir.url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query: "{ accounts(first: 1) { nodes { name } } }" }) });
    return answer.status;
  };
  assert.equal(await ask(), 200);
  await dialog.getByRole("button", { name: "Done" }).click();
  const row = page.getByRole("table", { name: "API tokens" }).getByRole("row", { name: /Reporting/ });
  await row.waitFor();
  assert.equal((await page.content()).includes(secret), false, "the secret is not on the page any more");
  await accessible(page, "the settings");
  await row.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog", { name: "Revoke this token" }).getByRole("button", { name: "Revoke" }).click();
  await row.getByText("Revoked").waitFor();
  assert.equal(await ask(), 401);
});

test("the sign-in is accessible and fits on every screen", () => everywhere(weir.url, "Sign in"));

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

test("whoever may only look is told so instead of shown a form", async () => {
  await visit(page, weir.url, "/settings", "Settings");
  await page.getByRole("button", { name: "Add a person" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a person" });
  await dialog.getByLabel("Name").fill("Vera Viewer");
  await dialog.getByLabel("Email").fill("vera@riverbend.example");
  await dialog.getByLabel("First password").fill("only a look around");
  await dialog.getByLabel("Role", { exact: true }).selectOption({ label: "Viewer" });
  await dialog.getByRole("button", { name: "Add the person" }).click();
  await dialog.waitFor({ state: "hidden" });
  const viewer = await browser.open();
  await signIn(viewer, { url: weir.url, email: "vera@riverbend.example", password: "only a look around" });
  for (const [address, heading] of [["/sources/new", "Add a source"], ["/links/import", "Import metric links"]]) {
    await visit(viewer, weir.url, address, heading);
    await viewer.getByText("Your role does not allow this").waitFor();
    assert.equal(await viewer.locator("main form").count(), 0, `${address} has no form`);
  }
  await viewer.context().close();
});

test("a new password ends the other sessions and not this one", async () => {
  const robin = { url: weir.url, email: "robin@riverbend.example", password };
  const other = await browser.open();
  await signIn(other, robin);
  await visit(page, weir.url, "/settings", "Settings");
  const form = page.getByRole("region", { name: "Your password" });
  const send = async (current, next) => {
    await form.getByLabel("Current password").fill(current);
    await form.getByLabel("New password").fill(next);
    await form.getByRole("button", { name: "Change the password" }).click();
  };
  await send(robin.password, "too short");
  await form.getByText("Use at least 12 characters.").waitFor();
  await send("not the password", "another calm river");
  await form.getByText("This is not your current password.").waitFor();
  await send(robin.password, "another calm river");
  await page.getByRole("status").getByText("Your password is changed.").waitFor();
  assert.equal(await form.getByLabel("New password").inputValue(), "", "nothing of it stays on the page");
  await accessible(page, "the settings with the password");
  await visit(page, weir.url, "/accounts", "Accounts");
  await other.goto(`${weir.url}/accounts`);
  await other.getByRole("heading", { name: "Sign in", level: 1 }).waitFor();
  await signIn(other, { ...robin, password: "another calm river" });
  await other.context().close();
});
