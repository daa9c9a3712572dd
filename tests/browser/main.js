// Runs the tests, joins their pictures of every size, and ends with one line of counts. Names of files
// may be given to run only those.
import { readdirSync } from "node:fs";
import path from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { clearSizes, contactSheet } from "./sizes.js";

clearSizes();

let passed = 0;
let failed = 0;
const here = fileURLToPath(new URL(".", import.meta.url));
const given = process.argv.slice(2);
const wanted = (name) => name.endsWith(".test.js") && (!given.length || given.includes(name));
const files = readdirSync(here).filter(wanted).sort();
// One after the other: each has a server and a browser of its own.
const tests = run({ files: files.map((name) => path.join(here, name)), concurrency: 1 });
tests.on("test:pass", (test) => {
  if (test.details.type !== "suite") passed += 1;
});
tests.on("test:fail", () => {
  failed += 1;
});
tests.on("end", async () => {
  process.exitCode = failed === 0 ? 0 : 1;
  const sheet = await contactSheet();
  if (sheet) process.stdout.write(`\nAll pages in one picture: ${sheet}\n`);
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
});
tests.compose(spec).pipe(process.stdout);
