import { test } from "node:test";
import { tests } from "./words.js";

for (const [name, run] of Object.entries(tests)) {
  test(name, run);
}
