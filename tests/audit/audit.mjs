// Runs the audit suite of the GraphQL over HTTP specification against a server, as a service with an API token.
//   WEIR_TOKEN=weir_… node audit.mjs http://127.0.0.1:8080/graphql
// Prints one JSON object; exit code 0 only if every check is passed.
import { auditServer } from 'graphql-http';

const [url] = process.argv.slice(2);
const token = process.env.WEIR_TOKEN;
if (!url || !token) {
  console.error('usage: WEIR_TOKEN=TOKEN node audit.mjs URL');
  process.exit(2);
}

const fetchFn = (input, init = {}) =>
  fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });

const results = await auditServer({ url, fetchFn });
const failed = results
  .filter((result) => result.status !== 'ok')
  .map(({ id, name, status, reason }) => ({ id, name, status, reason }));
console.log(JSON.stringify({ checks: results.length, passed: results.length - failed.length, failed }));
process.exit(failed.length === 0 ? 0 : 1);
