// Every pane of the link flow in every size, in light and dark: the main button is inside of the
// window, nothing is too wide, and axe finds nothing. The pictures are joined into a contact sheet.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  agree, bed, heading, hosted, linkAll, logIn, makeSession, open, press, setUp, toLogin, typeIn,
} from "./bed.js";
import { everySize } from "./sizes.js";

setUp();

// Each pane is looked at eight times.
const LIMIT = { timeout: 300_000 };
const HELPERS = "/v1/test_helpers/financial_connections";
const PREVIEW = { apiVersion: "2026-10-14.preview" };
const MANUAL = { manual_entry: { mode: "automatic" } };

const begin = async (page, more) => page.goto(await hosted(await makeSession(more)));

test("the list of banks, a search without a result, the consent, and the way out", LIMIT, async () => {
  const page = await open();
  await begin(page, MANUAL);
  await everySize(page, "banks", { main: "#search" });
  await page.getByLabel("Search banks").fill("tokenized");
  assert.equal(await page.locator(".bank:visible").count(), 1);
  await page.getByLabel("Search banks").fill("zebra");
  await page.getByText("No bank found.").waitFor();
  await everySize(page, "banks-none", { main: "#search" });
  await page.getByLabel("Search banks").fill("");
  await press(page, /^Bank \(Non-OAuth\)/);
  await heading(page, "Connect your account to Test merchant");
  await everySize(page, "consent");
  const question = new URL(page.url());
  question.searchParams.set("leave", "1");
  await page.goto(question.href);
  await heading(page, "Leave without connecting an account?");
  await everySize(page, "leave");
  assert.deepEqual(page.faults, []);
});

test("the consent and the accounts of a login that is renewed", LIMIT, async () => {
  const { stripe } = bed;
  const customer = await stripe.customers.create({ email: "renewed@example.com" });
  const first = await makeSession({ account_holder: { type: "customer", customer: customer.id } });
  const form = { carrier: first.id, institution: "Test (Non-OAuth)" };
  const { accounts } = await stripe.rawRequest("POST", `${HELPERS}/link`, form);
  const [{ id }] = accounts.data;
  const cause = { cause: "access_expired" };
  await stripe.rawRequest("POST", `${HELPERS}/accounts/${id}/deactivate`, cause);
  const sessions = stripe.financialConnections;
  const { authorization } = await sessions.accounts.retrieve(id, {}, PREVIEW);
  const session = await sessions.sessions.create({
    permissions: ["balances"],
    relink_options: { authorization, account: id },
    ui_mode: "hosted",
    hosted: { return_url: `${bed.shop.url}/done` },
  }, PREVIEW);
  const page = await open();
  await page.goto(session.url);
  await heading(page, "Reconnect your account to Test merchant");
  await everySize(page, "relink-consent");
  await press(page, "Agree and continue");
  await logIn(page, "secret");
  await heading(page, "Choose accounts");
  await everySize(page, "relink-accounts");
  assert.deepEqual(page.faults, []);
});

test("the login at a bank: its form, its questions, and its errors", LIMIT, async () => {
  const page = await open();
  await begin(page);
  await toLogin(page, page, "Bank (Non-OAuth)");
  await everySize(page, "login");
  await page.getByLabel("User").fill("ada");
  await press(page, "Sign in");
  await page.getByText("Enter the password.").waitFor();
  assert.equal(await page.getByLabel("User").inputValue(), "ada");
  await everySize(page, "login-blank");
  await logIn(page, "incorrect");
  await page.getByText("We couldn't sign you in.").waitFor();
  assert.equal(await page.getByLabel("User").inputValue(), "ada");
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  await everySize(page, "login-refused");
  await logIn(page, "mfa");
  await page.getByText("Your bank asks one more thing.").waitFor();
  await everySize(page, "login-question");
  await page.getByLabel("Code").fill("123456");
  await press(page, "Continue");
  await heading(page, "Choose accounts");
  await everySize(page, "accounts");
  assert.deepEqual(page.faults, []);
});

test("one account, accounts that cannot pay, and the end", LIMIT, async () => {
  const page = await open();
  await begin(page, { limits: { accounts: 1 } });
  await toLogin(page, page, "Test (Non-OAuth)");
  await logIn(page, "anything");
  await heading(page, "Choose accounts");
  await everySize(page, "accounts-one");
  await press(page, "Connect account");
  await heading(page, "Account connected");
  await everySize(page, "end-connected", { main: null });
  await begin(page, { filters: { require_payment_method_support: "all" } }, PREVIEW);
  await toLogin(page, page, "Invalid Payment Accounts");
  await logIn(page, "anything");
  await page.getByText("You cannot use these accounts here.").waitFor();
  await everySize(page, "accounts-none");
  assert.deepEqual(page.faults, []);
});

test("the way to the bank's own page, and back", LIMIT, async () => {
  const page = await open();
  await begin(page);
  await agree(page, page, "Bank (OAuth)");
  await heading(page, "Continue to Bank (OAuth)");
  await everySize(page, "oauth");
  const [bank] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: /^Continue to/ }).click(),
  ]);
  await heading(page, "Waiting for you at Bank (OAuth)…");
  await everySize(page, "oauth-waiting");
  await heading(bank, /^Share accounts with/);
  await everySize(bank, "bank-page");
  const closed = bank.waitForEvent("close");
  await press(bank, "Do not allow");
  await closed;
  await page.getByText("You did not allow access").waitFor();
  await everySize(page, "oauth-denied");
  await page.goto(`${page.url()}/bank`);
  await press(page, "Allow");
  await heading(page, "You are done here");
  await everySize(page, "bank-page-done", { main: ".actions .quiet" });
  assert.deepEqual(page.faults, []);
});

test("banks that are down, and one that ends the login", LIMIT, async () => {
  const page = await open();
  await begin(page, MANUAL);
  for (const [bank, title] of [
    ["Down (Scheduled)", /is not available$/],
    ["Down (Unscheduled)", /is not available$/],
    ["Down (Error)", "We couldn't sign you in"],
  ]) {
    await heading(page, "Choose your bank");
    await agree(page, page, bank);
    await heading(page, title);
    await everySize(page, bank.replace(/\W+/g, "-").replace(/-$/, "").toLowerCase());
    await press(page, "Choose another bank");
  }
  await heading(page, "Choose your bank");
  await agree(page, page, "Bank (Non-OAuth)");
  await logIn(page, "error");
  await heading(page, "We couldn't sign you in");
  await everySize(page, "failed");
  await press(page, "Cancel");
  await heading(page, "No account was connected");
  await everySize(page, "end-failed", { main: null });
  assert.deepEqual(page.faults, []);
});

test("the page about the connection to a bank", LIMIT, async () => {
  const page = await open();
  await begin(page);
  await press(page, /^Test \(Non-OAuth\)/);
  await heading(page, "Connect your account to Test merchant");
  // The page stays, because the next one does not arrive.
  let goOn;
  const held = new Promise((resolve) => { goOn = resolve; });
  await page.route(/\/link\/\w+$/, async (route) => {
    if (route.request().method() === "GET") await held;
    await route.continue();
  });
  await press(page, "Agree and continue");
  await heading(page, "Connecting to Test (Non-OAuth)…");
  await everySize(page, "connecting", { main: null });
  goOn();
  await heading(page, "Sign in at Test (Non-OAuth)");
  assert.deepEqual(page.faults, []);
});

test("typed numbers, without and with an error", LIMIT, async () => {
  const page = await open();
  await begin(page, MANUAL);
  await press(page, "Enter account numbers instead");
  await heading(page, "Enter your bank details");
  await everySize(page, "numbers");
  await page.getByLabel("Routing number").fill("110000000");
  await page.getByLabel("Account number", { exact: true }).fill("000123456789");
  await page.getByLabel("Confirm account number").fill("000123456780");
  await press(page, "Continue");
  await page.getByText("The two account numbers are not the same.").waitFor();
  const typed = ["Routing number", "Account number", "Confirm account number"];
  const values = typed.map((label) => page.getByLabel(label, { exact: true }).inputValue());
  assert.deepEqual(await Promise.all(values), ["110000000", "000123456789", "000123456780"]);
  await everySize(page, "numbers-differ");
  await typeIn(page);
  await heading(page, "Your bank details are saved");
  await everySize(page, "end-numbers", { main: null });
  assert.deepEqual(page.faults, []);
});

test("a returning holder, and one who is unknown", LIMIT, async () => {
  const page = await open();
  const known = await bed.stripe.customers.create({ email: "sizes@example.com" });
  const more = { account_holder: { type: "customer", customer: known.id } };
  await begin(page, more);
  await linkAll(page, page);
  await heading(page, /connected$/);
  await begin(page, more);
  await heading(page, "Welcome back");
  await everySize(page, "sign-in");
  await press(page, "Send me a code");
  await heading(page, "Enter your code");
  await everySize(page, "code");
  await page.getByLabel("Code").fill("12");
  await press(page, "Continue");
  await page.getByText("The code has six digits.").waitFor();
  await everySize(page, "code-wrong");
  await page.getByLabel("Code").fill("123456");
  await press(page, "Continue");
  await press(page, "Agree and continue");
  await heading(page, "Your saved accounts");
  await everySize(page, "saved");
  await begin(page);
  await press(page, "Use an account I connected before");
  await page.getByLabel("Email").fill("stranger@example.com");
  await press(page, "Send me a code");
  await page.getByText("There are no saved accounts").waitFor();
  await everySize(page, "sign-in-unknown");
  assert.deepEqual(page.faults, []);
});

test("flows that expired, were closed elsewhere, or never existed", LIMIT, async () => {
  const page = await open();
  const { stripe } = bed;
  const begun = Math.floor(Date.now() / 1000);
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: begun });
  const customer = await stripe.customers.create({ test_clock: clock.id });
  await begin(page, { account_holder: { type: "customer", customer: customer.id } });
  const arrived = bed.hook.until("test_helpers.test_clock.ready", clock.id);
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: begun + 90_000 });
  await arrived;
  await page.reload();
  await heading(page, "This page has expired");
  await everySize(page, "expired", { main: null });

  const closed = await makeSession();
  await page.goto(await hosted(closed));
  const form = { carrier: closed.id, institution: "Test (Non-OAuth)" };
  await stripe.rawRequest("POST", `${HELPERS}/link`, form);
  await page.reload();
  await heading(page, "Already finished");
  await everySize(page, "closed", { main: null });

  const holder = await stripe.customers.create({ name: "Eve" });
  await begin(page, { account_holder: { type: "customer", customer: holder.id } });
  await stripe.customers.del(holder.id);
  await page.reload();
  await heading(page, "This page no longer works");
  await everySize(page, "gone", { main: null });

  await page.goto(`${bed.server.url}/link/unknown`);
  await heading(page, "This link does not work");
  await everySize(page, "unknown", { main: null });
  assert.deepEqual(page.faults, []);
});
