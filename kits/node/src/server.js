// The server of a test process: a process of its own, or one that runs already.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const READY_MS_MAX = 30_000;
const POLL_MS = 10;

let running;

/**
 * The address of the server. The first call starts it, on a free port with its data in memory.
 *
 * With the variable BANKFEED_URL it is the server at this address instead. The program is that of the
 * variable BANKFEED_BINARY, or else `bankfeed` on the PATH. BANKFEED_ARGS contains further arguments of
 * `bankfeed serve`, separated by spaces.
 */
export function serverUrl() {
  running ??= process.env.BANKFEED_URL
    ? Promise.resolve(process.env.BANKFEED_URL.replace(/\/+$/, ""))
    : start();
  return running;
}

async function start() {
  const program = process.env.BANKFEED_BINARY || "bankfeed";
  const folder = await mkdtemp(join(tmpdir(), "bankfeed-test-"));
  const ready = join(folder, "ready");
  const more = (process.env.BANKFEED_ARGS ?? "").split(" ").filter((word) => word !== "");
  // The system closes the pipe however this process ends, so no server is left behind.
  const serve = ["serve", "--memory", "--listen", "127.0.0.1:0", "--stop-with-stdin"];
  serve.push("--ready-file", ready, "--log-level", "warn", ...more);
  const child = spawn(program, serve, { stdio: ["pipe", "ignore", "pipe"] });
  let log = "";
  let failure;
  child.on("error", (error) => {
    failure =
      error.code === "ENOENT"
        ? "there is no program bankfeed on the PATH. Install it, or set BANKFEED_BINARY to the program, " +
          "or BANKFEED_URL to a running server"
        : error.message;
  });
  child.on("exit", (code) => {
    failure ??= `bankfeed ended with ${code}:\n${log}`;
  });
  child.stderr.on("data", (chunk) => {
    log = (log + chunk).slice(-10_000);
  });
  try {
    return await readyUrl(ready, () => failure);
  } finally {
    // Neither the process nor its pipes keep a test run alive.
    child.unref();
    child.stdin.unref?.();
    child.stderr.unref?.();
    await rm(folder, { recursive: true, force: true });
  }
}

async function readyUrl(file, failure) {
  for (let waited = 0; waited < READY_MS_MAX; waited += POLL_MS) {
    const url = await readFile(file, "utf8").catch(() => "");
    if (url.trim() !== "") {
      return url.trim().replace(/\/+$/, "");
    }
    if (failure() !== undefined) {
      throw new Error(failure());
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`bankfeed was not ready after ${READY_MS_MAX / 1000} seconds`);
}
