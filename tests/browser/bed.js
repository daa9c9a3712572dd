// What the tests share: the server, a shop, a browser, an SDK, and a listener for webhooks. A test
// file calls `setUp` once; everything ends with it.
import AxeBuilder from "@axe-core/playwright";
import axe from "axe-core";
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";
import Stripe from "stripe";
import { CHROMIUM } from "./sizes.js";
import { ROOT, startHook, startServer, startShop } from "./server.js";

const PICTURES = path.join(ROOT, "target/browser");
export const DESKTOP = { width: 1000, height: 760 };
export const PHONE = { width: 320, height: 640 };
// What a step may take on a busy machine.
const STEP_MS_MAX = 30_000;
// What a whole test may take.
export const LIMIT = { timeout: 120_000 };
const SECRET = "sk_test_browser";
export const PUBLISHABLE = "pk_test_browser";

/** The server, the shop, the SDK and the listener, once `setUp` has run. */
export const bed = {};
const contexts = [];

export function setUp() {
  before(async () => {
    mkdirSync(PICTURES, { recursive: true });
    bed.server = await startServer();
    bed.shop = await startShop(bed.server.url);
    bed.browser = await chromium.launch({ ...CHROMIUM, headless: true });
    const { hostname, port } = new URL(bed.server.url);
    bed.stripe = new Stripe(SECRET, { host: hostname, port, protocol: "http", telemetry: false });
    bed.hook = await startHook(bed.stripe);
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  after(async () => {
    await bed.browser?.close();
    await bed.hook?.stop();
    await bed.shop?.stop();
    await bed.server?.stop();
  });
}

/** A tab whose faults fail the test: a script error, or a rule of a policy broken. */
export async function open(options = {}) {
  // Without motion, because a check in the middle of it sees half of a colour.
  const still = { viewport: DESKTOP, reducedMotion: "reduce" };
  const context = await bed.browser.newContext({ ...still, ...options });
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

/** A tab of a shop that has the script and nothing else. */
export async function openShop(options) {
  const page = await open(options);
  await page.goto(`${bed.shop.url}/blank`);
  return page;
}

export async function makeSession(more = {}, options = {}) {
  const customer = await bed.stripe.customers.create({ name: "Ada" }, options);
  return bed.stripe.financialConnections.sessions.create({
    account_holder: { type: "customer", customer: customer.id },
    permissions: ["payment_method", "transactions", "balances"],
    prefetch: ["transactions"],
    ...more,
  }, options);
}

/** The address of a run outside any page of a merchant. */
export async function hosted(carrier) {
  const flow = await bed.stripe.rawRequest("POST", "/v1/link_flows", {
    client_secret: carrier.client_secret,
  });
  return flow.url;
}

/** Calls a method of the script on the page, and keeps what it resolves to for `outcome`. */
export async function begin(page, method, ...given) {
  await page.evaluate(([key, name, values]) => {
    window.outcome = window.Stripe(key)[name](...values);
  }, [PUBLISHABLE, method, given]);
}

export const outcome = (page) => page.evaluate(() => window.outcome);

/** The frame of the flow, once it shows a pane. */
export async function flowFrame(page, title = "Choose your bank") {
  const frame = page.frameLocator("iframe");
  await heading(frame, title);
  await page.locator("dialog:not([aria-busy])").waitFor();
  return frame;
}

export const QUESTION = "Leave without connecting an account?";
export const heading = (place, name) => place.getByRole("heading", { name, level: 1 }).waitFor();
export const press = (place, name) => place.getByRole("button", { name, exact: true }).click();
/**
 * Presses a button that closes its own frame. The click runs as a task of the page, because a click by
 * mouse waits for the acknowledgement of a frame that may be gone already.
 */
export const pressLast = (frame, name) =>
  frame.getByRole("button", { name, exact: true }).first().evaluate((button) => {
    setTimeout(() => button.click());
  });

/** Leaves by the bar of a frame: the page asks, and this button answers. */
export async function leaveFrame(frame, answer = "Leave") {
  await frame.getByRole("link", { name: "Leave", exact: true }).click();
  await heading(frame, QUESTION);
  await pressLast(frame, answer);
}

/**
 * Types a key that closes the frame with the focus. Chromium may never acknowledge input to a frame
 * that is gone, so the test waits for the outcome instead, and sends no more input to the page.
 */
export function typeLast(page, key) {
  page.keyboard.press(key).catch(() => {});
}

/** A picture for people, and what axe can check. */
export async function look(page, name) {
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });
  const dialog = (await page.locator("dialog").count()) > 0;
  const builder = new AxeBuilder({ page });
  // What stands behind the dialog is out of everybody's reach, and the shop's own. What stands in
  // its frame is looked at from within: from without, a frame that answers late is left out.
  if (dialog) builder.include("dialog").exclude("iframe");
  const looks = [await builder.analyze()];
  const framed = (await page.locator("dialog iframe").count()) > 0;
  if (framed) looks.push(await lookInside(await page.locator("iframe").elementHandle()));
  const seen = looks.at(-1).passes.flatMap((one) => one.nodes);
  // A rule that had nothing to look at would pass as well.
  assert.ok(seen.length > 5, `${name} was looked at: ${seen.length} places`);
  const violations = looks.flatMap((one) => one.violations);
  const found = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html)}`);
  assert.deepEqual(found, [], `${name} can be used by everybody`);
}

async function lookInside(element) {
  const frame = await element.contentFrame();
  await frame.evaluate(axe.source);
  return frame.evaluate(() => window.axe.run());
}

/** The same at a desk and on a phone, where nothing may stand out of the screen. */
export async function lookBothWays(page, name) {
  await look(page, name);
  await page.setViewportSize(PHONE);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= PHONE.width, `${name} is ${wide} wide on a phone`);
  await look(page, `phone-${name}`);
  await page.setViewportSize(DESKTOP);
}

/** From the list of banks to the agreement with what is asked for. */
export async function agree(page, place, bank, prefix) {
  await press(place, new RegExp(`^${bank.replace(/[()]/g, "\\$&")}`));
  await heading(place, /^Connect your account to /);
  if (prefix) await look(page, `${prefix}-consent`);
  await press(place, "Agree and continue");
}

/** From the list of banks to the log-in of a bank. */
export async function toLogin(page, place, bank, prefix) {
  await agree(page, place, bank, prefix);
  await heading(place, `Sign in at ${bank}`);
}

export async function logIn(place, password) {
  await place.getByLabel("User").fill("ada");
  await place.getByLabel("Password").fill(password);
  await press(place, "Sign in");
}

/** From the list of banks to the accounts of the usual bank, which are linked. */
export async function linkAll(page, place, prefix) {
  if (prefix) await look(page, `${prefix}-banks`);
  await toLogin(page, place, "Test (Non-OAuth)", prefix);
  if (prefix) await look(page, `${prefix}-login`);
  await logIn(place, "anything");
  await heading(place, "Choose accounts");
  if (prefix) await look(page, `${prefix}-accounts`);
  await press(place, /^Connect account/);
}

/** The whole way in the frame of a shop. */
export async function linkInFrame(page, prefix) {
  const frame = await flowFrame(page);
  await linkAll(page, frame, prefix);
  await heading(frame, /connected$/);
  if (prefix) await look(page, `${prefix}-success`);
  await pressLast(frame, "Done");
}

/** Types the numbers of the test bank. */
export async function typeIn(place, { number = "000123456789", kind = "Checking" } = {}) {
  await heading(place, "Enter your bank details");
  await place.getByLabel("Routing number").fill("110000000");
  await place.getByLabel("Account number", { exact: true }).fill(number);
  await place.getByLabel("Confirm account number").fill(number);
  await place.getByLabel(kind).check();
  await press(place, "Continue");
}

/** The transactions of an account, listed when the webhook says that there are some. */
export async function transactionsOf(account, how = "prefetch") {
  if (how === "subscribe") {
    const features = ["transactions"];
    await bed.stripe.financialConnections.accounts.subscribe(account, { features });
  }
  const type = "financial_connections.account.refreshed_transactions";
  const event = await bed.hook.until(type, account);
  assert.equal(event.data.object.transaction_refresh.status, "succeeded");
  const { data } = await bed.stripe.financialConnections.transactions.list({ account });
  assert.ok(data.length > 0);
  return data;
}
