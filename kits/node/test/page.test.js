// The example of README.md, exactly as it is printed there.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";

test("the example of the page", () => {
  const page = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, code] = page.match(/```js\n(.*?)```/s);
  // Beside this file, so that Node finds the package by its name.
  const file = new URL("./page-example.test.mjs", import.meta.url);
  writeFileSync(file, code);
  try {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const ran = spawnSync(process.execPath, ["--test", file.pathname], { encoding: "utf8", env });
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /pass 1\b/);
  } finally {
    rmSync(file);
  }
});
