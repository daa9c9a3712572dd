// A person links bank accounts in a browser: from a page of a merchant through the frame, or on the
// hosted page. Every pane that is shown is checked by axe and photographed.
import AxeBuilder from "@axe-core/playwright";
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { chromium } from "playwright-core";
import Stripe from "stripe";
import { ROOT, startServer, startShop } from "./server.js";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const PICTURES = path.join(ROOT, "target/browser");
const DESKTOP = { width: 1000, height: 760 };
const PHONE = { width: 320, height: 640 };
// What a step may take on a busy machine.
const STEP_MS_MAX = 30_000;
// What a whole test may take.
const LIMIT = { timeout: 90_000 };
const SECRET = "sk_test_browser";
const PUBLISHABLE = "pk_test_browser";

let server, shop, browser, stripe;
const contexts = [];

before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  server = await startServer();
  shop = await startShop(server.url);
  const executablePath = process.env.BANKFEED_CHROMIUM ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  const { hostname, port } = new URL(server.url);
  stripe = new Stripe(SECRET, { host: hostname, port, protocol: "http", telemetry: false });
});

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

after(async () => {
  await browser?.close();
  await shop?.stop();
  await server?.stop();
});

/** A tab whose faults fail the test: a script error, or a rule of a policy broken. */
async function open(options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(STEP_MS_MAX);
  contexts.push(context);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (line) => {
    if (/Content Security Policy|CORS policy/.test(line.text())) page.faults.push(line.text());
  });
  return page;
}

async function makeSession(more = {}) {
  const customer = await stripe.customers.create({ name: "Ada" });
  return stripe.financialConnections.sessions.create({
    account_holder: { type: "customer", customer: customer.id },
    permissions: ["payment_method", "transactions", "balances"],
    prefetch: ["transactions"],
    ...more,
  });
}

/** The address of a hosted run. */
async function hosted(session) {
  const flow = await stripe.rawRequest("POST", "/v1/link_flows", {
    client_secret: session.client_secret,
  });
  return flow.url;
}

/** Calls a method of the script on the page, and keeps what it resolves to for `outcome`. */
async function begin(page, method, ...given) {
  await page.evaluate(([key, name, values]) => {
    window.outcome = window.Stripe(key)[name](...values);
  }, [PUBLISHABLE, method, given]);
}

const outcome = (page) => page.evaluate(() => window.outcome);

/** The frame of the flow, once it shows the list of banks. */
async function flowFrame(page) {
  const frame = page.frameLocator("iframe");
  await heading(frame, "Choose your bank");
  await page.locator("dialog:not([aria-busy])").waitFor();
  return frame;
}

const heading = (place, name) => place.getByRole("heading", { name, level: 1 }).waitFor();
const press = (place, name) => place.getByRole("button", { name }).click();

/** Looks at a pane: a picture for people, and axe for what can be checked. */
async function look(page, name) {
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  const axe = new AxeBuilder({ page });
  // What stands behind the dialog is out of everybody's reach, and the shop's own.
  if (await page.locator("dialog").count()) axe.include("dialog");
  const { violations, passes } = await axe.analyze();
  // A rule that had nothing to look at would pass as well.
  const depth = (await page.locator("dialog").count()) ? 2 : 1;
  const seen = passes.flatMap((one) => one.nodes).filter((node) => node.target.length === depth);
  assert.ok(seen.length > 5, `${name} was looked at: ${seen.length} places`);
  const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html)}`);
  assert.deepEqual(told, [], `${name} can be used by everybody`);
}

/** From the list of banks to the log-in of a bank. */
async function toLogin(page, place, bank, prefix) {
  await place.getByRole("button", { name: bank }).click();
  await heading(place, /asks to see your data/);
  if (prefix) await look(page, `${prefix}-consent`);
  await press(place, "Agree and continue");
  await heading(place, `Log in at ${bank}`);
}

async function logIn(place, password) {
  await place.getByLabel("User").fill("ada");
  await place.getByLabel("Password").fill(password);
  await press(place, "Log in");
}

/** The whole way at the usual bank. */
async function linkAll(page, place, prefix) {
  if (prefix) await look(page, `${prefix}-banks`);
  await toLogin(page, place, "Test (Non-OAuth)", prefix);
  if (prefix) await look(page, `${prefix}-login`);
  await logIn(place, "anything");
  await heading(place, "Choose accounts");
  if (prefix) await look(page, `${prefix}-accounts`);
  await press(place, /^Link account/);
  await heading(place, /linked$/);
  if (prefix) await look(page, `${prefix}-success`);
}

/** All transactions, once the refresh that the link began has succeeded. */
async function transactionsOf(account) {
  const end = Date.now() + STEP_MS_MAX;
  for (;;) {
    const { transaction_refresh: refresh } =
      await stripe.financialConnections.accounts.retrieve(account);
    if (refresh?.status === "succeeded") break;
    assert.ok(Date.now() < end, `the refresh is ${refresh?.status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { data } = await stripe.financialConnections.transactions.list({ account });
  return data;
}

test("a session is linked in the frame of a page on another origin", LIMIT, async () => {
  const page = await open();
  const session = await makeSession();
  await page.goto(`${shop.url}/blank`);
  await begin(page, "collectFinancialConnectionsAccounts", {
    clientSecret: session.client_secret,
  });
  const frame = await flowFrame(page);
  await linkAll(page, frame, "frame");
  await press(frame, "Done");
  const { financialConnectionsSession: linked, error } = await outcome(page);
  assert.equal(error, undefined);
  assert.equal(linked.id, session.id);
  assert.equal(linked.accounts.length, 1);
  assert.equal(linked.accounts[0].balance, null);
  assert.equal(linked.accounts[0].transaction_refresh, null);
  assert.equal(await page.locator("dialog").count(), 0);

  const rows = await transactionsOf(linked.accounts[0].id);
  assert.ok(rows.length > 0);
  const events = await stripe.events.list({ limit: 20 });
  const types = events.data
    .filter((event) => event.data.object.id === linked.accounts[0].id)
    .map((event) => event.type);
  assert.ok(types.includes("financial_connections.account.created"), types.join());
  assert.ok(
    types.includes("financial_connections.account.refreshed_transactions"), types.join());
  assert.deepEqual(page.faults, []);
});

test("the example page links accounts", LIMIT, async () => {
  const page = await open();
  const session = await makeSession();
  const query = new URLSearchParams({ key: PUBLISHABLE, secret: session.client_secret });
  await page.goto(`${shop.url}/example?${query}`);
  await press(page, "Link");
  const frame = await flowFrame(page);
  await linkAll(page, frame);
  await press(frame, "Done");
  await page.getByText(/^Linked: /).waitFor();
  await look(page, "example");
  assert.deepEqual(page.faults, []);
});

test("loadStripe of the npm package finds the script", LIMIT, async () => {
  const page = await open();
  const warnings = [];
  page.on("console", (line) => warnings.push(line.text()));
  await page.goto(`${shop.url}/blank`);
  const told = await page.evaluate(async (key) => {
    const { loadStripe } = await import("/bundle.js");
    const stripe = await loadStripe(key);
    let refused;
    try {
      stripe.createToken();
    } catch (error) {
      refused = error.message;
    }
    const { error } = await stripe.redirectToCheckout({ sessionId: "cs_1" });
    return { kind: typeof stripe.collectBankAccountForSetup, refused, redirect: error.message };
  }, PUBLISHABLE);
  assert.equal(told.kind, "function");
  assert.match(told.refused, /^stripe\.createToken is not available/);
  assert.match(told.redirect, /^redirectToCheckout is not available/);
  assert.deepEqual(warnings, []);
});

test("a payment is collected and confirmed in the page", LIMIT, async () => {
  const page = await open();
  const customer = await stripe.customers.create({ name: "Ada" });
  const intent = await stripe.paymentIntents.create({
    amount: 2000, currency: "usd", customer: customer.id,
    payment_method_types: ["us_bank_account"],
    payment_method_options: {
      us_bank_account: { financial_connections: { permissions: ["payment_method", "balances"] } },
    },
  });
  await page.goto(`${shop.url}/blank`);
  await begin(page, "collectBankAccountForPayment", {
    clientSecret: intent.client_secret,
    params: {
      payment_method_type: "us_bank_account",
      payment_method_data: { billing_details: { name: "Ada" } },
    },
    expand: ["payment_method"],
  });
  const frame = await flowFrame(page);
  await linkAll(page, frame);
  await press(frame, "Done");
  const collected = await outcome(page);
  assert.equal(collected.error, undefined);
  assert.equal(collected.paymentIntent.status, "requires_confirmation");
  assert.equal(collected.paymentIntent.payment_method.type, "us_bank_account");
  await begin(page, "confirmUsBankAccountPayment", intent.client_secret);
  const confirmed = await outcome(page);
  assert.equal(confirmed.error, undefined);
  assert.equal(confirmed.paymentIntent.status, "processing");
  assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, "processing");
  assert.deepEqual(page.faults, []);
});

test("leaving resolves without accounts, by the button and by Escape", LIMIT, async () => {
  for (const way of ["button", "escape"]) {
    const page = await open();
    const session = await makeSession();
    await page.goto(`${shop.url}/blank`);
    await page.locator("#before").focus();
    await begin(page, "collectFinancialConnectionsAccounts", {
      clientSecret: session.client_secret,
    });
    const frame = await flowFrame(page);
    if (way === "button") await press(frame, "Leave");
    else await page.keyboard.press("Escape");
    const { financialConnectionsSession: left, error } = await outcome(page);
    assert.equal(error, undefined);
    assert.deepEqual(left.accounts, []);
    assert.equal(left.status, "cancelled");
    const focused = await page.evaluate(() => document.activeElement.id);
    assert.equal(focused, "before", "focus is back where it was");
    assert.deepEqual(page.faults, []);
  }
});

test("a wrong client secret resolves to an error", LIMIT, async () => {
  const page = await open();
  await page.goto(`${shop.url}/blank`);
  await begin(page, "collectFinancialConnectionsAccounts", { clientSecret: "fcsess_client_secret_x" });
  const { error } = await outcome(page);
  assert.equal(error.type, "invalid_request_error");
  assert.match(error.requestId, /^req_/);
  assert.equal(await page.locator("dialog").count(), 0);
});

test("a message of another page ends nothing", LIMIT, async () => {
  const page = await open();
  const session = await makeSession();
  await page.goto(`${shop.url}/blank`);
  await begin(page, "collectFinancialConnectionsAccounts", {
    clientSecret: session.client_secret,
  });
  const frame = await flowFrame(page);
  await page.evaluate(() => {
    window.postMessage({ source: "bankfeed", status: "succeeded" }, "*");
  });
  await toLogin(page, frame, "Test (Non-OAuth)");
  assert.equal(await page.locator("dialog").count(), 1);
});

test("a wrong password can be put right", LIMIT, async () => {
  const page = await open();
  await page.goto(await hosted(await makeSession()));
  await toLogin(page, page, "Bank (Non-OAuth)");
  await logIn(page, "incorrect");
  await page.getByText("Your bank did not accept this.").waitFor();
  await look(page, "login-refused");
  await logIn(page, "right");
  await heading(page, "Choose accounts");
  await press(page, /^Link account/);
  await heading(page, /linked$/);
  assert.deepEqual(page.faults, []);
});

test("the hosted page works without script", LIMIT, async () => {
  const page = await open({ javaScriptEnabled: false });
  const session = await makeSession();
  await page.goto(await hosted(session));
  await page.getByLabel("Search banks by name").fill("non-oauth");
  await press(page, "Search");
  await page.getByText("2 banks").waitFor();
  await toLogin(page, page, "Test (Non-OAuth)");
  await logIn(page, "anything");
  await press(page, /^Link account/);
  await heading(page, /linked$/);
  await page.screenshot({ path: path.join(PICTURES, "without-script.png") });
  const linked = await stripe.financialConnections.sessions.retrieve(session.id);
  assert.equal(linked.accounts.data.length, 1);
});

test("every pane fits a narrow phone", LIMIT, async () => {
  const page = await open({ viewport: PHONE, hasTouch: true, colorScheme: "dark" });
  const fits = async (name) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${name} is ${wide} wide`);
    await look(page, `phone-${name}`);
  };
  await page.goto(await hosted(await makeSession()));
  await fits("banks");
  await page.getByRole("button", { name: "Test (Non-OAuth)" }).click();
  await heading(page, /asks to see your data/);
  await fits("consent");
  await press(page, "Agree and continue");
  await heading(page, /^Log in/);
  await fits("login");
  await logIn(page, "anything");
  await heading(page, "Choose accounts");
  await fits("accounts");
  await press(page, /^Link account/);
  await heading(page, /linked$/);
  await fits("success");
  assert.deepEqual(page.faults, []);
});

test("the keyboard is enough, and focus stays in the frame", LIMIT, async () => {
  const page = await open();
  const session = await makeSession();
  await page.goto(`${shop.url}/blank`);
  await begin(page, "collectFinancialConnectionsAccounts", {
    clientSecret: session.client_secret,
  });
  const frame = await flowFrame(page);
  // Tabs on until what is wanted has focus, then types. Counts the steps: a trap would never end.
  const tabTo = async (wanted) => {
    await wanted.waitFor();
    for (let steps = 0; steps < 60; steps += 1) {
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
      const outside = await page.evaluate(() => document.activeElement.id);
      assert.ok(!["before", "after"].includes(outside), "focus left the frame");
    }
    assert.fail("the keyboard does not lead there");
  };
  const button = (name) => frame.getByRole("button", { name });
  await tabTo(button("Test (Non-OAuth)"));
  await page.keyboard.press("Enter");
  await tabTo(button("Agree and continue"));
  await page.keyboard.press("Enter");
  await tabTo(frame.getByLabel("User"));
  await page.keyboard.type("ada");
  await tabTo(frame.getByLabel("Password"));
  await page.keyboard.type("anything");
  await page.keyboard.press("Enter");
  await heading(frame, "Choose accounts");
  await tabTo(button(/^Link account/));
  await page.keyboard.press("Enter");
  await tabTo(button("Done"));
  await page.keyboard.press("Enter");
  const { financialConnectionsSession: linked } = await outcome(page);
  assert.equal(linked.accounts.length, 1);
  assert.deepEqual(page.faults, []);
});
