#!/usr/bin/env node
// Runs the program of this machine's package with the same arguments, input and output.

"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const FORWARDED = ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"];

function programOfThisMachine() {
  const name = `@bankfeed/${process.platform}-${process.arch}`;
  try {
    return require.resolve(`${name}/bankfeed`);
  } catch {
    console.error(
      `bankfeed: there is no package ${name}. It exists for linux-x64 only, and npm leaves it out with ` +
        "--omit=optional.",
    );
    process.exit(1);
  }
}

const child = spawn(programOfThisMachine(), process.argv.slice(2), { stdio: "inherit" });
for (const signal of FORWARDED) {
  process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
  console.error(`bankfeed: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
