import { test } from "vitest";
import { tests } from "./words.js";

for (const [name, run] of Object.entries(tests)) {
  test(name, run, 60_000);
}
