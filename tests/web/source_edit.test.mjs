// Editing a source in the browser: what is not changed stays, of every kind, to the letter.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { SCREENS, accessible, ask, change, fits, openBrowser, setUp, startEmpty, visit } from "./stage.mjs";

/** A certificate nobody uses; the line after it is part of what is kept. */
const PEM = `-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUVWS4ly/YoC1y6RKm+lfX1fBJtL4wCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBdDAgFw0yNjExMjIxMTUzMjBaGA8yMTI2MTAyOTExNTMyMFow
DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABI5+PAA3dfYI
GhR8LffN2ms3zS2WGk+MkyvvukJMqvqLQi9DsT1ya8uqLISgu0MoTAWzympYTPwI
wf1hAe5vfp+jUzBRMB0GA1UdDgQWBBTzVFXPCNS2MXKn6J+gDw3Yf4FvCzAfBgNV
HSMEGDAWgBTzVFXPCNS2MXKn6J+gDw3Yf4FvCzAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIAkpAac/RzuRC/GIIMJC3BQjjLd8sk0RPAhcr0Bl7NO+
AiEAxMYOs9eBU/mAP8I4FkZfACP3jWWQK7aosDHiTRNokr8=
-----END CERTIFICATE-----
`;
/** Every field that a kind has, each with another value than it has by itself. */
const KINDS = {
  postgres: {
    host: "127.0.0.1", port: 1, database: "usage", user: "weir", sslMode: "VERIFY_FULL", caCertificate: PEM,
  },
  sqlite: { path: "/nowhere/usage.db" },
  clickhouse: {
    host: "127.0.0.1", port: 1, secure: true, database: "usage", user: "weir", signIn: "TOKEN", caCertificate: PEM.trim(),
    pathPrefix: "/behind/a/proxy", final: true,
  },
  snowflake: {
    account: "MYORG-ACCOUNT1", user: "WEIR_SVC", role: "WEIR_ROLE", warehouse: "WEIR_WH", database: "RAW",
    schema: "USAGE", signIn: "TOKEN",
  },
  bigquery: {
    project: "pays-1234", dataset: "usage", dataProject: "holds-1234", location: "EU", maximumBytesBilled: "20971523",
    signIn: "WEIR",
  },
  databricks: {
    host: "dbc-a1b2345c-d6e7.cloud.databricks.com", warehouse: "abc1234", catalog: "main", schema: "usage",
    clientId: "b7f7a1f2-0000-4000-8000-000000000001",
  },
};
const SECRET = { postgres: "password", clickhouse: "password", snowflake: "token", databricks: "secret" };
let weir, browser, page, fields;

before(async () => {
  const contract = await readFile(fileURLToPath(new URL("../../server/schema.graphql", import.meta.url)), "utf8");
  // What the contract tells of a kind, so that a field that comes later cannot be forgotten here.
  fields = Object.fromEntries(
    Object.keys(KINDS).map((kind) => {
      const type = `${kind[0].toUpperCase()}${kind.slice(1)}Config`;
      const body = contract.match(new RegExp(`\\ntype ${type} \\{([^}]*)\\}`))[1];
      return [kind, [...body.matchAll(/^\s+(\w+): /gm)].map(([, name]) => name)];
    }),
  );
  weir = await startEmpty({
    WEIR_SOURCES__NETWORKS: '["127.0.0.0/8"]',
    WEIR_SOURCES__FOLDERS: '["/nowhere"]',
    // The clouds themselves are not asked.
    WEIR_SOURCES__BASE_URLS: '{snowflake="http://127.0.0.1:1",databricks="http://127.0.0.1:1",bigquery="http://127.0.0.1:1"}',
  });
  browser = await openBrowser();
  page = await browser.open();
  await setUp(page, weir);
});

after(async () => {
  // The browser first: a page that asks again after the server has gone complains.
  await browser?.close();
  await weir?.stop();
});

for (const [kind, config] of Object.entries(KINDS)) {
  test(`another name leaves all else as it was: ${kind}`, async () => {
    assert.deepEqual(Object.keys(config).sort(), [...fields[kind]].sort(), "every field of the kind is tried");
    const type = `${kind[0].toUpperCase()}${kind.slice(1)}Config`;
    const secret = SECRET[kind] ? { [SECRET[kind]]: "never shown again" } : {};
    const input = { name: `${kind} before`, config: { [kind]: { ...config, ...secret } } };
    const { source } = await change(page, "sourceCreate", input, "source { id }");
    const stored = async () => {
      const text = `query($id: ID!) { source(id: $id) { name hasSecret config { ... on ${type} { ${fields[kind].join(" ")} } } } }`;
      return (await ask(page, text, { id: source.id })).source;
    };
    const before = await stored();
    assert.deepEqual(before.config, config, "all of it is stored");

    await visit(page, weir.url, `/sources/${source.id}/edit`, "Edit the source");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill(`${kind} after`);
    await accessible(page, `editing ${kind}`);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("heading", { name: `${kind} after`, level: 1 }).waitFor();
    assert.deepEqual(await stored(), { ...before, name: `${kind} after` });
    if (kind !== "clickhouse") return;
    for (const [name, options] of SCREENS) {
      const other = await browser.open({ ...options, storageState: await page.context().storageState() });
      await visit(other, weir.url, `/sources/${source.id}/edit`, "Edit the source");
      await accessible(other, `editing ${kind} (${name})`);
      await fits(other, `editing ${kind} (${name})`);
      await other.context().close();
    }
  });
}
