// The real binary as a child process, and a page of a merchant on another origin.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BINARY = path.resolve(ROOT, process.env.BANKFEED_BINARY ?? "target/debug/bankfeed");
// What a webhook may take on a busy machine.
const WEBHOOK_MS_MAX = 30_000;
const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGES = path.join(HERE, "node_modules");
// Each defines a global; the last takes the first.
const UMD = [
  "react/umd/react.production.min.js",
  "react-dom/umd/react-dom.production.min.js",
  "@stripe/react-stripe-js/dist/react-stripe.umd.min.js",
];

/** Starts the server on a free port; answers its URL and how to stop it. */
export async function startServer() {
  const folder = mkdtempSync(path.join(tmpdir(), "bankfeed-browser-"));
  const database = path.join(folder, "bank.db");
  const settings = ["serve", "--listen", "127.0.0.1:0", "--db", database];
  const child = spawn(BINARY, settings, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    let printed = "";
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`the server did not start: ${printed}`)));
    child.stdout.on("data", (data) => {
      printed += data;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(printed);
      if (found) resolve(found[0]);
    });
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true });
  };
  let merchant;
  /** Issues a live key while the server runs; answers its text. */
  const issueLiveKey = () => {
    const printed = execFileSync(BINARY, ["key", "create", "--live", "--db", database]).toString();
    merchant = /acct_\w+/.exec(printed)[0];
    return /sk_live_\w+/.exec(printed)[0];
  };
  /** Completes a registration of the newest live key's merchant, as the operator does. */
  const completeRegistration = (data) => {
    const change = ["registration", "set", merchant, `${data}=active`, "--db", database];
    execFileSync(BINARY, change);
  };
  return { url, stop, issueLiveKey, completeRegistration };
}

/**
 * Listens for webhooks as a merchant does, and verifies each. `until` answers the first event of a
 * type about an object, which may have come already.
 */
export async function startHook(stripe) {
  const heard = [];
  const waiting = [];
  const fits = ({ type, id }) => (event) => event.type === type && event.data.object.id === id;
  let secret;
  const hook = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const signature = request.headers["stripe-signature"];
      const event = stripe.webhooks.constructEvent(Buffer.concat(chunks), signature, secret);
      response.end();
      heard.push(event);
      for (const one of waiting.filter((one) => fits(one)(event))) one.resolve(event);
    });
  });
  await new Promise((resolve) => hook.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${hook.address().port}/hook`;
  const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ["*"] });
  secret = endpoint.secret;
  const until = (type, id) => new Promise((resolve, reject) => {
    const there = heard.find(fits({ type, id }));
    if (there) return resolve(there);
    const types = () => heard.filter((event) => event.data.object.id === id).map(({ type }) => type);
    const late = () => reject(new Error(`no ${type} of ${id} came, but ${types().join() || "nothing"}`));
    const limit = setTimeout(late, WEBHOOK_MS_MAX);
    waiting.push({ type, id, resolve: (event) => { clearTimeout(limit); resolve(event); } });
  });
  const stop = () => {
    hook.closeAllConnections();
    return new Promise((resolve) => hook.close(resolve));
  };
  return { until, stop };
}

/** Serves pages of a merchant, on an origin that is not the server's. */
export async function startShop(server) {
  const script = `<script src="${server}/stripe.js"></script>`;
  // loadStripe as merchants bundle it, found by name in place of a bundler.
  const packaged = "@stripe/stripe-js/dist/index.mjs";
  const bundled = () => ["text/javascript", readFileSync(path.join(PACKAGES, packaged), "utf8")];
  const files = {
    "/example": () => {
      const page = readFileSync(path.join(ROOT, "examples/link-page.html"), "utf8");
      return ["text/html", page.replace("http://127.0.0.1:12111", server)];
    },
    "/blank": () => [
      "text/html",
      `<!doctype html><html lang="en"><title>Shop</title>${script}<main><h1>Shop</h1>
       <button id="before">Before</button><button id="after">After</button></main>`,
    ],
    // A merchant whose policy forbids frames.
    "/frameless": () => [
      "text/html",
      `<!doctype html><html lang="en"><title>Shop</title>
       <meta http-equiv="Content-Security-Policy" content="frame-src 'none'">${script}
       <main><h1>Shop</h1></main>`,
    ],
    // React from its own files, without a bundler.
    "/react": () => ["text/html", readFileSync(path.join(HERE, "react-page.html"), "utf8")
      .replaceAll("SERVER", server)],
    "/react.js": () => ["text/javascript", UMD.map((file) =>
      readFileSync(path.join(PACKAGES, file), "utf8")).join("\n")],
    "/done": () => [
      "text/html",
      `<!doctype html><html lang="en"><title>Shop</title><main><h1>Thank you from the shop</h1></main>`,
    ],
    "/cart": () => [
      "text/html",
      `<!doctype html><html lang="en"><title>Shop</title><main><h1>Your cart</h1></main>`,
    ],
    "/bundle.js": bundled,
    [`/node_modules/${packaged}`]: bundled,
  };
  const shop = createServer((request, response) => {
    const make = files[new URL(request.url, "http://shop").pathname];
    const [type, text] = make ? make() : ["text/plain", ""];
    // Browsers ask for a picture of their own accord.
    const found = make || request.url === "/favicon.ico";
    response.writeHead(found ? 200 : 404, { "Content-Type": `${type}; charset=utf-8` });
    response.end(text);
  });
  await new Promise((resolve) => shop.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    shop.closeAllConnections();
    return new Promise((resolve) => shop.close(resolve));
  };
  // Another host name is another site, and so another process of the browser.
  return { url: `http://localhost:${shop.address().port}`, stop };
}
