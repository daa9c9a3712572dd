// Runs the tests, and ends with one line of counts.
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

let passed = 0;
let failed = 0;
const files = ["link.test.js", "settings.test.js"];
const paths = files.map((file) => fileURLToPath(new URL(file, import.meta.url)));
const tests = run({ files: paths });
tests.on("test:pass", (test) => {
  if (test.details.type !== "suite") passed += 1;
});
tests.on("test:fail", () => {
  failed += 1;
});
tests.on("end", () => {
  process.exitCode = failed === 0 ? 0 : 1;
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
});
tests.compose(spec).pipe(process.stdout);
