// The frame above a merchant's page, and the ways to leave it.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LIMIT, QUESTION, bed, begin, flowFrame, heading, hosted, leaveFrame, logIn, look, makeSession,
  open, openShop, outcome, press, pressLast, setUp, toLogin, typeLast,
} from "./bed.js";

setUp();

const BANK = "Test (Non-OAuth)";
const PREVIEW = { apiVersion: "2026-10-14.preview" };
const SIZES = [
  { width: 360, height: 740 }, { width: 390, height: 844 }, { width: 639, height: 800 },
  { width: 844, height: 390 }, { width: 1280, height: 800 },
];

const collect = (page, session) =>
  begin(page, "collectFinancialConnectionsAccounts", { clientSecret: session.client_secret });

const statusOf = async ({ id }) =>
  (await bed.stripe.financialConnections.sessions.retrieve(id, {}, PREVIEW)).status;

/** A shop with a flow at the log-in of a bank. */
async function atLogin(options) {
  const page = await openShop(options);
  const session = await makeSession();
  await page.locator("#before").focus();
  await collect(page, session);
  const frame = await flowFrame(page);
  await toLogin(page, frame, BANK);
  return { page, session, frame };
}

/** Escape as the dialog receives it. Chromium waits for a frame that never responds to a real key. */
const escapeOutside = (page) => page.evaluate(() => document.querySelector("dialog").dispatchEvent(
  new KeyboardEvent("keydown", { key: "Escape", cancelable: true }),
));

test("Escape asks, closes the question, and a left flow continues where it was", LIMIT, async () => {
  const { page, session, frame } = await atLogin();
  await page.keyboard.press("Escape");
  await heading(frame, QUESTION);
  await look(page, "frame-leave");
  await page.keyboard.press("Escape");
  await heading(frame, `Sign in at ${BANK}`);
  assert.equal(await page.locator("dialog").count(), 1);

  await page.keyboard.press("Escape");
  await heading(frame, QUESTION);
  await pressLast(frame, "Leave");
  const { financialConnectionsSession: left, error } = await outcome(page);
  assert.equal(error, undefined);
  assert.deepEqual(left.accounts, []);
  assert.ok(!["cancelled", "failed"].includes(await statusOf(session)));
  assert.equal(await page.locator("dialog").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.id), "before");

  // Also after a reload of the merchant's page.
  await page.reload();
  await collect(page, session);
  const again = await flowFrame(page, `Sign in at ${BANK}`);
  await logIn(again, "anything");
  await heading(again, "Choose accounts");
  await press(again, /^Connect account/);
  await heading(again, /connected$/);
  typeLast(page, "Escape");
  const { financialConnectionsSession: linked } = await outcome(page);
  assert.equal(linked.accounts.length, 1);
  assert.deepEqual(page.faults, []);
});

test("Escape outside of the frame and a click around it ask too", LIMIT, async () => {
  const { page, frame } = await atLogin();
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Escape");
  await heading(frame, QUESTION);
  await press(page.frameLocator("iframe"), "Leave");
  assert.deepEqual((await outcome(page)).financialConnectionsSession.accounts, []);

  const other = await atLogin();
  const { x, y } = await other.page.locator("iframe").boundingBox();
  await other.page.mouse.click(x / 2, y + 40);
  await heading(other.frame, QUESTION);
  // A second click is no answer.
  await other.page.mouse.click(x / 2, y + 40);
  await other.page.evaluate(() => new Promise(requestAnimationFrame));
  await heading(other.frame, QUESTION);
  await other.frame.getByRole("link", { name: "Keep going" }).click();
  await heading(other.frame, `Sign in at ${BANK}`);
  assert.deepEqual([page.faults, other.page.faults], [[], []]);
});

test("cancelling ends the session, from the question only", LIMIT, async () => {
  const { page, session, frame } = await atLogin();
  await leaveFrame(frame, "Cancel for good");
  const { financialConnectionsSession: left } = await outcome(page);
  assert.deepEqual(left.accounts, []);
  assert.equal(await statusOf(session), "cancelled");
  await collect(page, session);
  assert.match((await outcome(page)).error.message, /has ended/);
});

test("a step in another tab is not undone by leaving", LIMIT, async () => {
  const { page, session, frame } = await atLogin();
  await page.keyboard.press("Escape");
  await heading(frame, QUESTION);
  const tab = await open();
  await tab.goto((await page.locator("iframe").getAttribute("src")).replace("?frame=1", ""));
  await logIn(tab, "anything");
  await heading(tab, "Choose accounts");
  await press(tab, /^Connect account/);
  await heading(tab, /connected$/);
  await press(frame, "Cancel for good");
  await heading(frame, /connected$/);
  await pressLast(frame, "Done");
  assert.equal((await outcome(page)).financialConnectionsSession.accounts.length, 1);
  assert.equal(await statusOf(session), "succeeded");
});

test("a frame without a page of the flow can be left at once", LIMIT, async () => {
  const page = await openShop();
  await page.route("**/link/**", (route) => route.fulfill({
    status: 500, contentType: "text/html", body: "<h1>Broken</h1>",
  }));
  await collect(page, await makeSession());
  await heading(page.frameLocator("iframe"), "Broken");
  await escapeOutside(page);
  assert.deepEqual((await outcome(page)).financialConnectionsSession.accounts, []);
});

test("a payment is left, and its form continues the flow", LIMIT, async () => {
  const page = await openShop();
  const intent = await bed.stripe.paymentIntents.create({ amount: 2000, currency: "usd" });
  const clientSecret = intent.client_secret;
  await begin(page, "collectBankAccountForPayment", { clientSecret });
  const frame = await flowFrame(page);
  await toLogin(page, frame, BANK);
  await frame.getByRole("link", { name: "Leave", exact: true }).click();
  await heading(frame, QUESTION);
  assert.equal(await frame.getByRole("button", { name: "Cancel for good" }).count(), 0);
  await pressLast(frame, "Leave");
  assert.equal((await outcome(page)).paymentIntent.status, "requires_payment_method");
  await begin(page, "collectBankAccountForPayment", { clientSecret });
  const again = await flowFrame(page, `Sign in at ${BANK}`);
  await logIn(again, "anything");
  await heading(again, "Choose accounts");
  await press(again, /^Connect account/);
  await heading(again, /connected$/);
  await pressLast(again, "Done");
  assert.equal((await outcome(page)).paymentIntent.status, "requires_confirmation");
  assert.deepEqual(page.faults, []);
});

test("leaving works without script, and leads back from a hosted page", LIMIT, async () => {
  const customer = await bed.stripe.customers.create({ name: "Ada" });
  const session = await bed.stripe.financialConnections.sessions.create({
    account_holder: { type: "customer", customer: customer.id }, permissions: ["balances"],
    ui_mode: "hosted", hosted: { return_url: `${bed.shop.url}/done` },
  }, PREVIEW);
  const page = await open({ javaScriptEnabled: false });
  await page.goto(session.url);
  await page.getByRole("link", { name: "Leave", exact: true }).click();
  await heading(page, QUESTION);
  await page.reload();
  await page.getByRole("link", { name: "Keep going" }).click();
  await heading(page, "Choose your bank");
  await page.getByRole("link", { name: "Leave", exact: true }).click();
  await press(page, "Leave");
  await heading(page, "Thank you from the shop");
  await page.goto(session.url);
  await heading(page, "Choose your bank");

  // Without a page that waits, the flow says that it can be continued.
  await page.goto(await hosted(await makeSession()));
  await page.getByRole("link", { name: "Leave", exact: true }).click();
  await press(page, "Leave");
  await heading(page, "You left");
  await page.reload();
  await page.getByRole("link", { name: "Continue" }).click();
  await heading(page, "Choose your bank");
});

test("the frame fills a phone, and is a rounded panel without a seam elsewhere", LIMIT, async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, frame } = await atLogin({ colorScheme });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      // The script sets the panel in the frame that is drawn after the change of the size.
      for (const one of [page.locator("dialog"), frame.locator(".sheet")]) {
        await one.evaluate(() => new Promise((drawn) => {
          requestAnimationFrame(() => requestAnimationFrame(drawn));
        }));
      }
      const label = `modal-${size.width}x${size.height}-${colorScheme}`;
      const boxes = await Promise.all(["dialog", "dialog > div", "iframe"].map(
        (selector) => page.locator(selector).boundingBox(),
      ));
      const sheet = await frame.locator(".sheet").boundingBox();
      const [dialog, panel, inner] = boxes;
      assert.deepEqual(dialog, { x: 0, y: 0, ...size }, label);
      // The page fills the frame, and the frame fills the panel.
      assert.deepEqual(inner, panel, label);
      assert.deepEqual(sheet, inner, label);
      const radius = await page.locator("dialog > div").evaluate((one) => getComputedStyle(one).borderRadius);
      if (size.width < 640) assert.deepEqual([panel, radius], [dialog, "0px"], label);
      else assert.deepEqual([radius, panel.height <= size.height - 16], ["16px", true], label);
      await look(page, label);
    }
    const ground = await page.locator("dialog > div").evaluate((one) => getComputedStyle(one).backgroundColor);
    const paper = await frame.locator(".sheet").evaluate((one) => getComputedStyle(one).backgroundColor);
    assert.equal(ground, paper, "the panel has the colour of the page before it is there");
    assert.deepEqual(page.faults, []);
  }
});

/** Counts the animations that the page begins, in `motions`. */
const countMotions = (page) => page.evaluate(() => {
  const { animate } = Element.prototype;
  window.motions = 0;
  Element.prototype.animate = function counted(...given) {
    window.motions += 1;
    return animate.apply(this, given);
  };
});

test("before the first page the frame is not shown, and the shop does not scroll", LIMIT, async () => {
  const page = await openShop({ colorScheme: "dark", reducedMotion: "no-preference" });
  await countMotions(page);
  let answer;
  const held = new Promise((resolve) => { answer = resolve; });
  await page.route("**/link/**", async (route) => { await held; await route.continue(); });
  await collect(page, await makeSession());
  await page.locator("dialog[aria-busy]").waitFor();
  assert.equal(await page.locator("iframe").evaluate((one) => getComputedStyle(one).opacity), "0");
  assert.equal(await page.evaluate(() => window.motions), 2, "the panel appears with a motion");
  answer();
  const frame = await flowFrame(page);
  assert.equal(await page.locator("iframe").evaluate((one) => getComputedStyle(one).opacity), "1");
  const overflow = () => page.evaluate(() => getComputedStyle(document.documentElement).overflow);
  assert.equal(await overflow(), "hidden");
  await leaveFrame(frame);
  await outcome(page);
  assert.equal(await overflow(), "visible");

  const still = await openShop({ reducedMotion: "reduce" });
  await countMotions(still);
  await still.route("**/link/**", () => {});
  await collect(still, await makeSession());
  await still.locator("dialog[aria-busy]").waitFor();
  assert.equal(await still.evaluate(() => window.motions), 0);
  // Without a page, nothing can ask.
  await escapeOutside(still);
  assert.deepEqual((await outcome(still)).financialConnectionsSession.accounts, []);
});
