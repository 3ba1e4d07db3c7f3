// What the journeys stand on: a running Weir, a browser, and ways to say what is expected.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const weir = process.env.WEIR_BINARY ?? path.resolve("target/debug/weir");
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Whether a socket could be bound; what an error leaves is closed by its owner. */
const bound = (socket, bind) =>
  new Promise((resolve) => {
    socket.once("error", () => resolve(false));
    bind(() => resolve(true));
  });

/** A port nobody listens on, by the rule of `tests/systems/src/ports.rs`: this process keeps it as long as it lives. */
async function freePort() {
  for (let turn = 0; turn < 1_000; turn += 1) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const holder = createSocket("udp4").unref();
    const probe = createServer();
    const held = await bound(holder, (done) => holder.bind({ port, address: "127.0.0.1", exclusive: true }, done));
    if (held && (await bound(probe, (done) => probe.listen({ port, host: "127.0.0.1", exclusive: true }, done)))) {
      await new Promise((resolve) => probe.close(resolve));
      return port;
    }
    holder.close();
  }
  throw new Error("no port between 10000 and 30000 is free");
}

/** Starts a program and waits until one of its lines matches; the match is handed back with a way to stop it. */
async function start(program, args, env, wanted, limitMs) {
  // Weir reads every WEIR_ variable as a setting; only the given ones are meant for it.
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("WEIR_")));
  const child = spawn(program, args, { env: { ...inherited, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  const match = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${program} did not get ready in ${limitMs} ms:\n${said}`)), limitMs);
    const hear = (text) => {
      said += text;
      const found = said.match(wanted);
      if (found) {
        clearTimeout(timer);
        resolve(found);
      }
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`${program} ended with ${code}:\n${said}`));
    });
  });
  const stop = async () => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null) child.kill("SIGTERM");
    if (child.exitCode === null) await gone;
  };
  // One line to it, one line back.
  const write = (line) =>
    new Promise((resolve, reject) => {
      let answer = "";
      const gone = () => reject(new Error(`${program} ended`));
      const hear = (text) => {
        answer += text;
        if (!answer.endsWith("\n")) return;
        child.stdout.off("data", hear);
        child.off("exit", gone);
        resolve(answer);
      };
      child.stdout.on("data", hear);
      child.once("exit", gone);
      child.stdin.write(`${line}\n`);
    });
  return { match, stop, write };
}

/** The demo: a warehouse, accounts, links and first syncs, on a port of its own. */
export async function startDemo() {
  const port = await freePort();
  const demo = path.join(path.dirname(weir), "demo");
  const { match, stop } = await start(demo, ["--weir", weir, "--port", String(port)], {}, /Sign in +(\S+)\s+Password +(.+)/, 240_000);
  return { url: `http://127.0.0.1:${port}`, email: match[1], password: match[2].trim(), stop };
}

/** An empty Weir with the link that makes its first account. */
export async function startEmpty(settings = {}) {
  const port = await freePort();
  const folder = await mkdtemp(path.join(tmpdir(), "weir-web-"));
  const env = { WEIR_DATA_DIR: folder, WEIR_HTTP__LISTEN: `127.0.0.1:${port}`, NO_COLOR: "1", ...settings };
  const { match, stop } = await start(weir, ["serve"], env, /first account at (\S+#token=([\w-]+))/, 60_000);
  const end = async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}`, link: match[1], token: match[2], stop: end };
}

/** Strict warehouses and a real engine, each with a table of usage: what to connect with, and a way to change them. */
export async function startWarehouses() {
  const program = path.join(path.dirname(weir), "warehouses");
  const { match, stop, write } = await start(program, [], {}, /^(\{.*\})\n/, 240_000);
  const facts = JSON.parse(match[1]);
  /** Runs a statement as the system's administrator. */
  const run = async (system, statement) => {
    const { error } = JSON.parse(await write(JSON.stringify({ system, statement })));
    assert.equal(error, null, `${system} takes ${statement}`);
  };
  const settings = {
    WEIR_SOURCES__NETWORKS: '["127.0.0.0/8"]',
    WEIR_SOURCES__BASE_URLS: `{snowflake="${facts.snowflake.url}",databricks="${facts.databricks.url}",bigquery="${facts.bigquery.url}"}`,
    WEIR_SOURCES__EGRESS_ADDRESSES: '["192.0.2.10/32","192.0.2.11/32"]',
  };
  return { ...facts, settings, run, stop };
}

/**
 * A reverse proxy in front of a ClickHouse, under a path: what comes by another one is not found. It can let callers wait,
 * and spoil their password, which the server then refuses.
 */
export async function openDoor(port, prefix) {
  let refusing = false;
  let open = Promise.resolve();
  let release = () => {};
  const server = http.createServer(async (request, response) => {
    if (!request.url.startsWith(`${prefix}/`)) {
      response.writeHead(404).end();
      return;
    }
    await open;
    const headers = { ...request.headers, host: `127.0.0.1:${port}` };
    if (refusing) headers["x-clickhouse-key"] = "spoiled";
    const options = { host: "127.0.0.1", port, method: request.method, path: request.url.slice(prefix.length), headers };
    const onward = http.request(options, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const hold = () => {
    open = new Promise((resolve) => {
      release = resolve;
    });
  };
  const close = async () => {
    release();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const refuse = (on) => {
    refusing = on;
  };
  return { port: server.address().port, hold, release: () => release(), refuse, close };
}

/** The screens everything has to work on. */
export const SCREENS = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["phone, light", { colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true }],
  ["phone, dark", { colorScheme: "dark", viewport: { width: 390, height: 844 }, hasTouch: true }],
].map(([name, options]) => [name, { ...options, reducedMotion: "reduce" }]);

/** A browser; every page it opens fails the test when the browser complains. */
export async function openBrowser() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
  });
  const complaints = [];
  // What a test breaks on purpose, the browser may complain about.
  const open = async ({ expected, ...options } = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    // Given by the driver, so that the page's own policy need not allow it.
    await context.addInitScript({ content: axe });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // A refused sign-in is a 401, which Chromium notes as an error of the page.
      if (message.type() === "error" && !message.text().includes("status of 401") && !expected?.test(message.text())) {
        complaints.push(message.text());
      }
    });
    return page;
  };
  const close = async () => {
    await browser.close();
    assert.deepEqual(complaints, [], "the browser complained");
  };
  return { open, close };
}

/** Makes the first account of an empty Weir, by the form. */
export async function setUp(page, { link }) {
  await page.goto(link);
  await page.getByLabel("Organization").fill("Riverbend");
  await page.getByLabel("Your name").fill("Robin Owner");
  await page.getByLabel("Email").fill("robin@riverbend.example");
  await page.getByLabel("Password").fill("three calm rivers");
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
}

/** Signs in by the form. */
export async function signIn(page, { url, email, password }) {
  await page.goto(url);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
}

/** Opens a screen inside the application and waits for its heading. */
export async function visit(page, url, address, heading) {
  await page.goto(url + address);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
}

/** Waits until something becomes true, which a message explains. */
export async function eventually(look, message, limitMs = 30_000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) assert.fail(message);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** A count as the application writes it. */
export function number(text) {
  const digits = text.replaceAll(",", "").match(/\d+/);
  assert.ok(digits, `no number in "${text}"`);
  return Number(digits[0]);
}

/** Fails unless axe finds nothing wrong with the page once it has come to rest. */
export async function accessible(page, name) {
  const violations = await page.evaluate(async () => {
    // A color on its way from one state to the next is neither of them.
    const ending = document.getAnimations().filter((animation) => animation.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map((animation) => animation.finished));
    const options = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] };
    const result = await globalThis.axe.run(document, options);
    return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`);
  });
  assert.deepEqual(violations, [], `${name} is not accessible`);
}

/** Fails when the page is wider than the screen. */
export async function fits(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name} is ${over} px too wide`);
}

/** Takes the README's picture: into the repository when asked to, otherwise beside it, so that a run changes nothing. */
export async function picture(page) {
  await page.evaluate(() => document.fonts.ready);
  const kept = fileURLToPath(new URL("../../docs/screenshot.png", import.meta.url));
  const asked = process.env.WEIR_SCREENSHOT === "keep";
  const folder = asked ? undefined : await mkdtemp(path.join(tmpdir(), "weir-picture-"));
  const file = folder ? path.join(folder, "screenshot.png") : kept;
  const taken = await page.screenshot({ path: file, animations: "disabled" });
  assert.equal(taken.readUInt32BE(16), 1280, "the picture is as wide as the README shows it");
  if (folder) await rm(folder, { recursive: true });
}

/** Asks by GraphQL as whoever is signed in on a page. */
export async function ask(page, query, variables = {}) {
  const answer = await page.evaluate(
    async (body) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(body) });
      return response.json();
    },
    { query, variables },
  );
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data;
}

/** Changes something by GraphQL as whoever is signed in on a page, and fails when that is refused. */
export async function change(page, name, input, selection) {
  const type = `${name[0].toUpperCase()}${name.slice(1)}Input!`;
  const text = `mutation($input: ${type}) { ${name}(input: $input) { ${selection} userErrors { message } } }`;
  const payload = (await ask(page, text, { input }))[name];
  assert.deepEqual(payload.userErrors, []);
  return payload;
}

/** Presses Tab until the element with the focus is the wanted one, as somebody without a mouse does. */
export async function tabTo(page, wanted, message, key = "Tab") {
  for (let turn = 0; turn < 120; turn += 1) {
    await page.keyboard.press(key);
    if (await wanted.evaluateAll((found) => found.includes(document.activeElement))) return;
  }
  assert.fail(`${message} cannot be reached by ${key}`);
}
