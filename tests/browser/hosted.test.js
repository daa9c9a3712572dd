// The hosted pages in a browser: each state is checked by axe and photographed at both widths; they
// work without script and by keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DESKTOP, LIMIT, bed, heading, leaveFrame, linkAll, logIn, look, lookBothWays, makeSession, open, press, setUp,
  typeIn,
} from "./bed.js";
import { everySize } from "./sizes.js";

setUp();

// Each page is looked at eight times.
const LONG = { timeout: 300_000 };

const tea = (more = {}) => bed.stripe.checkout.sessions.create({
  mode: "payment",
  line_items: [
    {
      quantity: 2,
      price_data: { currency: "usd", unit_amount: 1250, product_data: { name: "Tea" } },
    },
    {
      quantity: 1,
      price_data: {
        currency: "usd", unit_amount: 129900,
        product_data: { name: "A samovar of brass, with a long name and four little cups" },
      },
    },
  ],
  success_url: `${bed.shop.url}/done`, cancel_url: `${bed.shop.url}/cart`, ...more,
});

async function introduce(page) {
  await page.getByLabel("Email").fill("ada@example.com");
  await page.getByLabel("Full name").fill("Ada");
}

test("Checkout in each state", LONG, async () => {
  const page = await open();
  const session = await tea();
  await page.goto(session.url);
  await heading(page, "Pay $1,324.00");
  await lookBothWays(page, "checkout");
  await everySize(page, "checkout");
  await press(page, "Connect your bank account");
  await page.getByText("Enter an email address").waitFor();
  assert.equal(await page.locator("[aria-invalid=true]").count(), 2, "each empty field is marked");
  assert.equal(await page.evaluate(() => document.activeElement.type), "email");
  await lookBothWays(page, "checkout-fault");
  await introduce(page);
  await press(page, "Connect your bank account");
  await heading(page, "Choose your bank");
  await leaveFrame(page);
  await heading(page, "Pay $1,324.00");
  assert.equal(await page.getByLabel("Full name").inputValue(), "Ada");
  await press(page, "Connect your bank account");
  await linkAll(page, page);
  await heading(page, "Pay $1,324.00");
  await lookBothWays(page, "checkout-linked");
  await everySize(page, "checkout-linked");
  await press(page, /^Pay/);
  await heading(page, "Thank you from the shop");
  await page.goto(session.url);
  await heading(page, "Thank you");
  await lookBothWays(page, "checkout-complete");
  await everySize(page, "checkout-complete", { main: null });
  assert.deepEqual(page.faults, []);
});

test("Checkout leads back to the cart, and says when it has expired", LONG, async () => {
  const page = await open();
  const session = await tea();
  await page.goto(session.url);
  await page.getByRole("link", { name: /^Back to/ }).click();
  await heading(page, "Your cart");
  await bed.stripe.checkout.sessions.expire(session.id);
  await page.goto(session.url);
  await heading(page, "This page has expired");
  await lookBothWays(page, "checkout-expired");
  await everySize(page, "checkout-expired");
  assert.deepEqual(page.faults, []);
});

test("an account is saved without script, and its deposits are confirmed", LIMIT, async () => {
  const page = await open({ javaScriptEnabled: false });
  const session = await bed.stripe.checkout.sessions.create({ mode: "setup", currency: "usd" });
  await page.goto(session.url);
  await heading(page, "Save your bank account");
  await introduce(page);
  await press(page, "Connect your bank account");
  await press(page, "Enter account numbers instead");
  await typeIn(page);
  await heading(page, "Save your bank account");
  await press(page, "Save your bank account");
  await heading(page, "Your account is saved");
  await page.getByRole("link", { name: "Confirm the deposits" }).click();
  await heading(page, "Confirm your bank account");
  await page.getByLabel("First deposit").fill("32");
  await page.getByLabel("Second deposit").fill("0.45");
  await press(page, "Confirm");
  await heading(page, "Your account is confirmed");
  const expand = ["setup_intent"];
  const { setup_intent: intent } =
    await bed.stripe.checkout.sessions.retrieve(session.id, { expand });
  await bed.hook.until("setup_intent.succeeded", intent.id);
});

test("an account is linked again on the page of a Session, which leads back", LIMIT, async () => {
  const helpers = "/v1/test_helpers/financial_connections";
  const preview = { apiVersion: "2026-10-14.preview" };
  const { financialConnections } = bed.stripe;
  // The holder gets the address of the page by e-mail.
  const customer = await bed.stripe.customers.create({ email: "again@example.com" });
  const first = await makeSession({ account_holder: { type: "customer", customer: customer.id } });
  const form = { carrier: first.id, institution: "Test (Non-OAuth)" };
  const { accounts } = await bed.stripe.rawRequest("POST", `${helpers}/link`, form);
  const [{ id }] = accounts.data;
  const cause = { cause: "access_expired" };
  await bed.stripe.rawRequest("POST", `${helpers}/accounts/${id}/deactivate`, cause);
  const { authorization } = await financialConnections.accounts.retrieve(id, {}, preview);
  const session = await financialConnections.sessions.create({
    permissions: ["balances"],
    relink_options: { authorization, account: id },
    ui_mode: "hosted",
    hosted: { return_url: `${bed.shop.url}/done` },
  }, preview);
  const page = await open();
  await page.goto(session.url);
  await heading(page, "Reconnect your account to Test merchant");
  await lookBothWays(page, "relink");
  await press(page, "Agree and continue");
  await logIn(page, "secret");
  await heading(page, "Choose accounts");
  await lookBothWays(page, "relink-accounts");
  await press(page, "Connect account");
  await heading(page, "Thank you from the shop");
  const again = await financialConnections.sessions.retrieve(session.id, {}, preview);
  assert.deepEqual(again.relink_result, { account: id, authorization, failure_reason: null });
  await bed.hook.until("financial_connections.account.reactivated", id);
  assert.deepEqual(page.faults, []);
});

test("deposits in each state, by amounts and by code", LONG, async () => {
  const page = await open();
  const forms = [["Checking", "10", "2 tries left"], ["Savings", "SM33CC", "9 tries left"]];
  for (const [kind, wrong, left] of forms) {
    // What both show alike is looked at once.
    const once = async (name) => {
      if (kind === "Checking") await lookBothWays(page, name);
    };
    const session = await bed.stripe.checkout.sessions.create({ mode: "setup", currency: "usd" });
    await page.goto(session.url);
    await introduce(page);
    await press(page, "Connect your bank account");
    await press(page, "Enter account numbers instead");
    await heading(page, "Enter your bank details");
    await once("numbers");
    await typeIn(page, { kind });
    // A picture that begins before the page has changed is never finished.
    await heading(page, "Save your bank account");
    await once("checkout-typed");
    await press(page, "Save your bank account");
    await heading(page, "Your account is saved");
    await once("checkout-saved");
    await page.getByRole("link", { name: "Confirm the deposits" }).click();
    await heading(page, "Confirm your bank account");
    await lookBothWays(page, `deposits-${kind.toLowerCase()}`);
    if (kind === "Checking") await everySize(page, "deposits");
    const fields = page.getByRole("textbox");
    const fill = async (...answers) => {
      for (const [place, answer] of answers.entries()) await fields.nth(place).fill(answer);
      await press(page, "Confirm");
    };
    await (kind === "Checking" ? fill("1", "2") : fill("SM99ZZ"));
    await page.getByText(left).waitFor();
    await lookBothWays(page, `deposits-${kind.toLowerCase()}-wrong`);
    await (kind === "Checking" ? fill(wrong, "11") : fill(wrong));
    await heading(page, "Your account was not confirmed");
    await once("deposits-failed");
  }
  assert.deepEqual(page.faults, []);
});

test("an invoice in each state", LONG, async () => {
  const { stripe } = bed;
  const page = await open();
  const payer = await stripe.customers.create({ name: "Ada Lovelace" });
  const make = async () => {
    const draft = await stripe.invoices.create({
      customer: payer.id, collection_method: "send_invoice",
      due_date: Math.floor(Date.now() / 1000) + 30 * 86_400,
    });
    for (const description of ["Tea", "A samovar of brass, with a long name"]) {
      await stripe.invoiceItems.create({
        customer: payer.id, invoice: draft.id, amount: 4200, currency: "usd", description,
      });
    }
    return stripe.invoices.finalizeInvoice(draft.id);
  };
  const invoice = await make();
  await page.goto(invoice.hosted_invoice_url);
  await heading(page, "Pay $84.00");
  await lookBothWays(page, "invoice");
  await everySize(page, "invoice");
  const file = await page.getByRole("link", { name: "Download PDF" }).getAttribute("href");
  const { headers } = await fetch(new URL(file, page.url()));
  assert.equal(headers.get("content-type"), "application/pdf");
  await press(page, "Pay by bank account");
  await linkAll(page, page);
  await heading(page, "Pay $84.00");
  await lookBothWays(page, "invoice-linked");
  await press(page, "Pay $84.00");
  await bed.hook.until("invoice.paid", invoice.id);
  await page.reload();
  await heading(page, "This invoice is paid");
  await lookBothWays(page, "invoice-paid");
  await everySize(page, "invoice-paid", { main: null });
  const other = await make();
  await stripe.invoices.voidInvoice(other.id);
  await page.goto(other.hosted_invoice_url);
  await heading(page, "This invoice is void");
  await lookBothWays(page, "invoice-void");
  assert.deepEqual(page.faults, []);
});

test("the keyboard is enough for Checkout", LIMIT, async () => {
  const page = await open();
  await page.goto((await tea()).url);
  const tabTo = async (wanted) => {
    await wanted.waitFor();
    for (let steps = 0; steps < 40; steps += 1) {
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail("the keyboard does not lead there");
  };
  await tabTo(page.getByLabel("Email"));
  await page.keyboard.type("ada@example.com");
  await tabTo(page.getByLabel("Full name"));
  await page.keyboard.type("Ada");
  await page.keyboard.press("Enter");
  await linkAll(page, page);
  await heading(page, "Pay $1,324.00");
  await tabTo(page.getByRole("button", { name: /^Pay/ }));
  await page.keyboard.press("Enter");
  await heading(page, "Thank you from the shop");
  assert.deepEqual(page.faults, []);
});

test("an address that is not right opens nothing", LIMIT, async () => {
  const page = await open({ viewport: DESKTOP });
  await page.goto(`${bed.server.url}/c/pay/${"0".repeat(64)}`);
  await heading(page, "This link does not work");
  await lookBothWays(page, "wrong-address");
});

test("pages have the colours of a connected account in both themes", LONG, async () => {
  const account = await bed.stripe.accounts.create({
    type: "custom",
    country: "US",
    business_profile: {
      name: "Rocket Rides",
      support_address: { line1: "2 Launch Pad", city: "Ashland", state: "VA", postal_code: "23005" },
    },
    settings: { branding: { primary_color: "#ffcc00" } },
  });
  const page = await open();
  const session = await bed.stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{
      quantity: 3,
      price_data: { currency: "usd", unit_amount: 1999, product_data: { name: "Ride" } },
    }],
  }, { stripeAccount: account.id });
  await page.goto(session.url);
  await heading(page, "Pay $59.97");
  await page.getByText("2 Launch Pad").waitFor();
  await everySize(page, "checkout-brand");
  const ground = (colorScheme) => page.emulateMedia({ colorScheme }).then(() =>
    page.locator(".actions .main").evaluate((button) => getComputedStyle(button).backgroundColor));
  assert.equal(await ground("dark"), "rgb(255, 204, 0)");
  assert.notEqual(await ground("light"), "rgb(255, 204, 0)");
  assert.deepEqual(page.faults, []);
});
