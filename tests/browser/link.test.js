// A person links bank accounts in a browser: each kind of bank, each way to leave, each way to see
// the pages. Every pane that is shown is checked by axe and photographed.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import {
  LIMIT, PHONE, PUBLISHABLE, agree, bed, begin, flowFrame, heading, hosted, leaveFrame, linkAll, linkInFrame,
  logIn, look, lookBothWays, makeSession, open, openShop, outcome, press, pressLast, setUp, toLogin,
  transactionsOf, typeIn, typeLast,
} from "./bed.js";
import { ROOT } from "./server.js";

setUp();

const collect = (page, session) =>
  begin(page, "collectFinancialConnectionsAccounts", { clientSecret: session.client_secret });

/** How the flow of a session ended, which only previews show. */
async function statusOf({ id }) {
  const preview = { apiVersion: "2026-10-14.preview" };
  return (await bed.stripe.financialConnections.sessions.retrieve(id, {}, preview)).status;
}

test("the example page links accounts", LIMIT, async () => {
  const page = await open();
  const session = await makeSession();
  const query = new URLSearchParams({ key: PUBLISHABLE, secret: session.client_secret });
  await page.goto(`${bed.shop.url}/example?${query}`);
  await press(page, "Link");
  await linkInFrame(page);
  await page.getByText(/^Linked: /).waitFor();
  await look(page, "example");
  assert.deepEqual(page.faults, []);
});

test("the bank's own page in a second window, which gives the way back", LIMIT, async () => {
  const page = await openShop();
  const session = await makeSession();
  await collect(page, session);
  const frame = await flowFrame(page);
  await agree(page, frame, "Test (OAuth)");
  await heading(frame, "Continue to Test (OAuth)");
  await look(page, "oauth");
  for (const answer of ["Do not allow", "Allow"]) {
    const [bank] = await Promise.all([
      page.context().waitForEvent("page"),
      frame.getByRole("link", { name: /^(Continue to|Try again)/ }).click(),
    ]);
    await heading(bank, /^Share accounts with/);
    await lookBothWays(bank, "oauth-bank");
    const closed = bank.waitForEvent("close");
    await press(bank, answer);
    await closed;
    if (answer === "Do not allow") await frame.getByText("You did not allow access").waitFor();
  }
  await heading(frame, "Choose accounts");
  await press(frame, /^Connect account/);
  await heading(frame, /connected$/);
  await pressLast(frame, "Done");
  const { financialConnectionsSession: linked } = await outcome(page);
  assert.ok(linked.accounts.length > 0);
  assert.deepEqual(page.faults, []);
});

test("accounts are chosen on the page of a bank that does so", LIMIT, async () => {
  const page = await openShop();
  const session = await makeSession({ limits: { accounts: 1 } });
  await collect(page, session);
  const frame = await flowFrame(page);
  await agree(page, frame, "Bank (OAuth)");
  await heading(frame, "Continue to Bank (OAuth)");
  const [bank] = await Promise.all([
    page.context().waitForEvent("page"),
    frame.getByRole("link", { name: /^Continue to Bank/ }).click(),
  ]);
  await bank.getByLabel("Savings").check();
  await look(bank, "oauth-bank-accounts");
  await press(bank, "Allow");
  await heading(frame, /connected$/);
  await pressLast(frame, "Done");
  const { financialConnectionsSession: linked } = await outcome(page);
  assert.deepEqual(linked.accounts.map((account) => account.display_name), ["Savings"]);
  assert.deepEqual(page.faults, []);
});

test("each bank that is down says so, and another can be chosen", LIMIT, async () => {
  const page = await open();
  await page.goto(await hosted(await makeSession()));
  const downs = [
    ["Down (Scheduled)", /is not available$/, "should be back on"],
    ["Down (Unscheduled)", /is not available$/, "we do not know how long"],
    ["Down (Error)", "We couldn't sign you in", "ended the sign-in"],
  ];
  for (const [bank, title, text] of downs) {
    await heading(page, "Choose your bank");
    await agree(page, page, bank);
    await heading(page, title);
    await page.getByText(text).waitFor();
    await lookBothWays(page, `down-${bank.replace(/\W+/g, "-").toLowerCase()}`);
    await press(page, "Choose another bank");
  }
  await linkAll(page, page);
  await heading(page, /connected$/);
  assert.deepEqual(page.faults, []);
});

test("a wrong password can be put right", LIMIT, async () => {
  const page = await open();
  await page.goto(await hosted(await makeSession()));
  await toLogin(page, page, "Bank (Non-OAuth)");
  await logIn(page, "incorrect");
  await page.getByText("We couldn't sign you in.").waitFor();
  await look(page, "login-refused");
  await logIn(page, "right");
  await heading(page, "Choose accounts");
  await press(page, /^Connect account/);
  await heading(page, /connected$/);
  assert.deepEqual(page.faults, []);
});

test("the extra questions of a bank", LIMIT, async () => {
  const page = await open();
  const prompts = [
    ["options", "How should your bank send you a code?", "mfa"],
    [null, "Code", "123456"],
    ["security_question", "What was the name of your first pet?", "Rex"],
    ["confirm_mfa", "Confirmation", "yes"],
  ];
  for (const [password, label, answer] of prompts) {
    if (password) {
      await page.goto(await hosted(await makeSession()));
      await toLogin(page, page, "Bank (Non-OAuth)");
      await logIn(page, password);
    }
    await page.getByText("Your bank asks one more thing.").waitFor();
    await look(page, `prompt-${label.split(" ")[0].toLowerCase()}`);
    await page.getByLabel(label, { exact: true }).fill(answer);
    await press(page, "Continue");
    if (answer !== "mfa") await heading(page, "Choose accounts");
  }
  assert.deepEqual(page.faults, []);
});

test("leaving resolves without accounts, from every pane", LIMIT, async () => {
  const page = await openShop();
  const ways = [
    ["Choose your bank", async () => {}],
    [/^Connect your account to /, (frame) => press(frame, /Bank \(Non-OAuth\)/)],
    ["Sign in at Bank (Non-OAuth)", (frame) => press(frame, "Agree and continue")],
    ["Sign in at Bank (Non-OAuth)", async (frame) => {
      await logIn(frame, "mfa");
      await frame.getByText("Your bank asks one more thing.").waitFor();
    }],
    ["Choose accounts", async (frame) => {
      await frame.getByLabel("Code").fill("123456");
      await press(frame, "Continue");
    }],
  ];
  for (let last = 0; last < ways.length; last += 1) {
    const session = await makeSession();
    await collect(page, session);
    const frame = await flowFrame(page);
    for (const [title, go] of ways.slice(0, last + 1)) {
      await go(frame);
      await heading(frame, title);
    }
    await leaveFrame(frame, "Cancel for good");
    const { financialConnectionsSession: left, error } = await outcome(page);
    assert.equal(error, undefined);
    assert.deepEqual(
      [left.accounts, await statusOf(left)], [[], "cancelled"], String(ways[last][0]),
    );
  }
  assert.deepEqual(page.faults, []);
});

test("leaving resolves from beside the bank's window, a bank that is down, and a form", LIMIT, async () => {
  const page = await openShop();
  const ways = [
    ["Continue to Test (OAuth)", {}, (frame) => agree(page, frame, "Test (OAuth)")],
    [/is not available$/, {}, (frame) => agree(page, frame, "Down (Unscheduled)"), "failed"],
    ["We couldn't sign you in", {}, (frame) => agree(page, frame, "Down (Error)"), "failed"],
    ["Enter your bank details", { manual_entry: { mode: "automatic" } },
      (frame) => press(frame, "Enter account numbers instead")],
  ];
  for (const [title, more, go, status = "cancelled"] of ways) {
    await collect(page, await makeSession(more));
    const frame = await flowFrame(page);
    await go(frame);
    await heading(frame, title);
    await leaveFrame(frame, "Cancel for good");
    const { financialConnectionsSession: left, error } = await outcome(page);
    assert.equal(error, undefined);
    assert.deepEqual([left.accounts, await statusOf(left)], [[], status], String(title));
  }
  assert.deepEqual(page.faults, []);
});

test("a page that forbids frames gets a window of its own", LIMIT, async () => {
  const page = await open();
  for (const leaves of [true, false]) {
    await page.goto(`${bed.shop.url}/frameless`);
    const session = await makeSession();
    const [flow] = await Promise.all([page.context().waitForEvent("page"), collect(page, session)]);
    await heading(flow, "Choose your bank");
    const closed = flow.waitForEvent("close");
    if (leaves) {
      await look(page, "frameless");
      await press(page, "Leave");
    } else {
      await linkAll(flow, flow);
      await heading(flow, /connected$/);
      await press(flow, "Done");
    }
    await closed;
    const { financialConnectionsSession: ended } = await outcome(page);
    assert.equal(ended.accounts.length > 0, !leaves);
    assert.equal(await page.locator("dialog").count(), 0);
  }
});

test("a session that expires in the middle says so, and links nothing", LIMIT, async () => {
  const begun = Math.floor(Date.now() / 1000);
  const clock = await bed.stripe.testHelpers.testClocks.create({ frozen_time: begun });
  const customer = await bed.stripe.customers.create({ test_clock: clock.id });
  const session = await makeSession({ account_holder: { type: "customer", customer: customer.id } });
  const page = await open();
  await page.goto(await hosted(session));
  await toLogin(page, page, "Test (Non-OAuth)");
  const arrived = bed.hook.until("test_helpers.test_clock.ready", clock.id);
  await bed.stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: begun + 90_000 });
  await arrived;
  await logIn(page, "anything");
  await heading(page, "This page has expired");
  await lookBothWays(page, "expired");
  const { accounts } = await bed.stripe.financialConnections.sessions.retrieve(session.id);
  assert.deepEqual(accounts.data, []);
  assert.deepEqual(page.faults, []);
});

test("a returning customer signs in with a code and uses saved accounts", LIMIT, async () => {
  const { stripe } = bed;
  const session = async () => {
    const customer = await stripe.customers.create({ email: "return@example.com" });
    return makeSession({ account_holder: { type: "customer", customer: customer.id } });
  };
  const page = await open();
  await page.goto(await hosted(await session()));
  await linkAll(page, page);
  await heading(page, /connected$/);
  const again = await session();
  await page.goto(await hosted(again));
  await heading(page, "Welcome back");
  await lookBothWays(page, "sign-in");
  await press(page, "Send me a code");
  await heading(page, "Enter your code");
  await lookBothWays(page, "code");
  await page.getByLabel("Code").fill("123456");
  await press(page, "Continue");
  await press(page, "Agree and continue");
  await heading(page, "Your saved accounts");
  await lookBothWays(page, "saved");
  await page.getByRole("checkbox").first().check();
  await press(page, /^Connect account/);
  await heading(page, /connected$/);
  const linked = await stripe.financialConnections.sessions.retrieve(again.id);
  assert.equal(linked.accounts.data.length, 1);
  await transactionsOf(linked.accounts.data[0].id);
  assert.deepEqual(page.faults, []);
});

test("a message of another page ends nothing", LIMIT, async () => {
  const page = await openShop();
  const session = await makeSession();
  await collect(page, session);
  const frame = await flowFrame(page);
  await page.evaluate(() => {
    window.postMessage({ source: "bankfeed", status: "succeeded" }, "*");
  });
  await toLogin(page, frame, "Test (Non-OAuth)");
  assert.equal(await page.locator("dialog").count(), 1);
});

test("the pages work without script", LIMIT, async () => {
  const page = await open({ javaScriptEnabled: false });
  const session = await makeSession();
  await page.goto(await hosted(session));
  await page.getByLabel("Search banks").fill("non-oauth");
  await press(page, "Search");
  await page.getByText("2 banks").waitFor();
  await toLogin(page, page, "Test (Non-OAuth)");
  await logIn(page, "anything");
  await press(page, /^Connect account/);
  await heading(page, /connected$/);
  await page.screenshot({ path: path.join(ROOT, "target/browser/without-script.png") });
  const linked = await bed.stripe.financialConnections.sessions.retrieve(session.id);
  assert.equal(linked.accounts.data.length, 1);
});

test("every pane fits a narrow phone, in the dark", LIMIT, async () => {
  const page = await open({ viewport: PHONE, hasTouch: true, colorScheme: "dark" });
  const fits = async (name) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= PHONE.width, `${name} is ${wide} wide`);
    await look(page, `phone-dark-${name}`);
  };
  await page.goto(await hosted(await makeSession({ manual_entry: { mode: "automatic" } })));
  await fits("banks");
  await press(page, "Enter account numbers instead");
  await heading(page, "Enter your bank details");
  await fits("numbers");
  await press(page, "Back");
  await press(page, /Test \(Non-OAuth\)/);
  await heading(page, /^Connect your account to /);
  await fits("consent");
  await press(page, "Agree and continue");
  await heading(page, /^Sign in/);
  await fits("login");
  await logIn(page, "anything");
  await heading(page, "Choose accounts");
  await fits("accounts");
  await press(page, /^Connect account/);
  await heading(page, /connected$/);
  await fits("success");
  assert.deepEqual(page.faults, []);
});

test("the keyboard is enough, and focus stays in the frame", LIMIT, async () => {
  const page = await openShop();
  const session = await makeSession();
  await collect(page, session);
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
  await tabTo(button(/^Connect account/));
  await page.keyboard.press("Enter");
  await tabTo(button("Done"));
  typeLast(page, "Enter");
  const { financialConnectionsSession: linked } = await outcome(page);
  assert.equal(linked.accounts.length, 1);
  assert.deepEqual(page.faults, []);
});

test("numbers typed for a session give a token", LIMIT, async () => {
  const page = await openShop();
  const session = await makeSession({ manual_entry: { mode: "automatic" } });
  await begin(page, "collectBankAccountToken", { clientSecret: session.client_secret });
  const frame = await flowFrame(page);
  await press(frame, "Enter account numbers instead");
  await typeIn(frame);
  await heading(frame, "Your bank details are saved");
  await look(page, "numbers-saved");
  await pressLast(frame, "Done");
  const { token, financialConnectionsSession: ended } = await outcome(page);
  assert.deepEqual(ended.accounts, []);
  assert.match(token.id, /^btok_/);
  assert.deepEqual([token.bank_account.last4, token.used], ["6789", false]);
  assert.deepEqual(page.faults, []);
});
