// Each object that can start a link flow, from its create call by the SDK, through the frame or the
// hosted page, to the webhook and the list of transactions: once with prefetch, once with subscribe.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LIMIT, bed, begin, heading, linkAll, linkInFrame, makeSession, open, openShop, outcome, press,
  setUp, transactionsOf,
} from "./bed.js";

setUp();

const WAYS = ["prefetch", "subscribe"];

/** What a payment object asks of the link flow. */
function asking(how) {
  const connections = { permissions: ["payment_method", "transactions"] };
  if (how === "prefetch") connections.prefetch = ["transactions"];
  return { us_bank_account: { financial_connections: connections } };
}

const customer = async () => (await bed.stripe.customers.create({ name: "Ada" })).id;
const accountOf = (method) => method.us_bank_account.financial_connections_account;

for (const how of WAYS) {
  test(`a session, with ${how}`, LIMIT, async () => {
    const page = await openShop();
    const session = await makeSession(how === "prefetch" ? {} : { prefetch: [] });
    await begin(page, "collectFinancialConnectionsAccounts", {
      clientSecret: session.client_secret,
    });
    await linkInFrame(page, how === "prefetch" ? "frame" : undefined);
    const { financialConnectionsSession: linked, error } = await outcome(page);
    assert.equal(error, undefined);
    assert.equal(linked.id, session.id);
    assert.equal(linked.accounts.length, 1);
    assert.equal(linked.accounts[0].balance, null);
    assert.equal(linked.accounts[0].transaction_refresh, null);
    assert.equal(await page.locator("dialog").count(), 0);
    await bed.hook.until("financial_connections.account.created", linked.accounts[0].id);
    await transactionsOf(linked.accounts[0].id, how);
    assert.deepEqual(page.faults, []);
  });

  test(`a Payment Intent, with ${how}`, LIMIT, async () => {
    const { stripe, hook } = bed;
    const page = await openShop();
    const intent = await stripe.paymentIntents.create({
      amount: 2000, currency: "usd", customer: await customer(),
      allowed_payment_method_types: ["us_bank_account"], payment_method_options: asking(how),
    });
    await begin(page, "collectBankAccountForPayment", {
      clientSecret: intent.client_secret,
      params: {
        payment_method_type: "us_bank_account",
        payment_method_data: { billing_details: { name: "Ada", email: "ada@example.com" } },
      },
      expand: ["payment_method"],
    });
    await linkInFrame(page);
    const collected = await outcome(page);
    assert.equal(collected.error, undefined);
    assert.equal(collected.paymentIntent.status, "requires_confirmation");
    assert.equal(collected.paymentIntent.payment_method.billing_details.name, "Ada");
    await begin(page, "confirmUsBankAccountPayment", intent.client_secret);
    const confirmed = await outcome(page);
    assert.equal(confirmed.error, undefined);
    assert.equal(confirmed.paymentIntent.status, "processing");
    await hook.until("payment_intent.succeeded", intent.id);
    const paid = await stripe.paymentIntents.retrieve(intent.id, { expand: ["payment_method"] });
    await transactionsOf(accountOf(paid.payment_method), how);
    assert.deepEqual(page.faults, []);
  });

  test(`a Setup Intent, with ${how}`, LIMIT, async () => {
    const { stripe, hook } = bed;
    const page = await openShop();
    const intent = await stripe.setupIntents.create({
      customer: await customer(),
      allowed_payment_method_types: ["us_bank_account"], payment_method_options: asking(how),
    });
    await begin(page, "collectBankAccountForSetup", {
      clientSecret: intent.client_secret, params: { payment_method_type: "us_bank_account" },
    });
    await linkInFrame(page);
    assert.equal((await outcome(page)).setupIntent.status, "requires_confirmation");
    await begin(page, "confirmUsBankAccountSetup", intent.client_secret);
    assert.equal((await outcome(page)).setupIntent.status, "succeeded");
    await hook.until("setup_intent.succeeded", intent.id);
    const done = await stripe.setupIntents.retrieve(intent.id, { expand: ["payment_method"] });
    await transactionsOf(accountOf(done.payment_method), how);
    assert.deepEqual(page.faults, []);
  });

  test(`Checkout, with ${how}`, LIMIT, async () => {
    const { stripe, hook, shop } = bed;
    const page = await open();
    const session = await stripe.checkout.sessions.create({
      mode: "payment", customer: await customer(), payment_method_options: asking(how),
      line_items: [{
        quantity: 2,
        price_data: { currency: "usd", unit_amount: 1250, product_data: { name: "Tea" } },
      }],
      success_url: `${shop.url}/done?id={CHECKOUT_SESSION_ID}`,
    });
    await page.goto(session.url);
    await heading(page, "Pay $25.00");
    await page.getByLabel("Email").fill("ada@example.com");
    await page.getByLabel("Full name").fill("Ada");
    await press(page, "Connect your bank account");
    await linkAll(page, page);
    await press(page, "Pay $25.00");
    await heading(page, "Thank you from the shop");
    assert.equal(new URL(page.url()).searchParams.get("id"), session.id);
    await hook.until("checkout.session.completed", session.id);
    await hook.until("checkout.session.async_payment_succeeded", session.id);
    const expand = ["payment_intent.payment_method"];
    const done = await stripe.checkout.sessions.retrieve(session.id, { expand });
    assert.deepEqual([done.status, done.payment_status], ["complete", "paid"]);
    await transactionsOf(accountOf(done.payment_intent.payment_method), how);
    assert.deepEqual(page.faults, []);
  });

  test(`an invoice, with ${how}`, LIMIT, async () => {
    const { stripe, hook } = bed;
    const page = await open();
    const payer = await customer();
    const draft = await stripe.invoices.create({
      customer: payer,
      payment_settings: {
        payment_method_types: ["us_bank_account"], payment_method_options: asking(how),
      },
    });
    await stripe.invoiceItems.create({
      customer: payer, invoice: draft.id, amount: 1000, currency: "usd", description: "Tea",
    });
    const invoice = await stripe.invoices.finalizeInvoice(draft.id);
    await page.goto(invoice.hosted_invoice_url);
    await heading(page, "Pay $10.00");
    await press(page, "Pay by bank account");
    await linkAll(page, page);
    await press(page, "Pay $10.00");
    // Without a test clock, the debit may have ended before the page is read.
    await heading(page, /Your payment is under way|This invoice is paid/);
    await hook.until("invoice.paid", invoice.id);
    await page.reload();
    await heading(page, "This invoice is paid");
    const expand = ["payments.data.payment.payment_intent"];
    const paid = await stripe.invoices.retrieve(invoice.id, { expand });
    const { payment_method: method } = paid.payments.data[0].payment.payment_intent;
    await transactionsOf(accountOf(await stripe.paymentMethods.retrieve(method)), how);
    assert.deepEqual(page.faults, []);
  });

  test(`a subscription, with ${how}`, LIMIT, async () => {
    const { stripe, hook } = bed;
    const page = await openShop();
    const price = await stripe.prices.create({
      currency: "usd", unit_amount: 900, recurring: { interval: "month" },
      product_data: { name: "Tea every month" },
    });
    const subscription = await stripe.subscriptions.create({
      customer: await customer(), items: [{ price: price.id }],
      payment_behavior: "default_incomplete",
      payment_settings: {
        payment_method_types: ["us_bank_account"], payment_method_options: asking(how),
        save_default_payment_method: "on_subscription",
      },
      expand: ["latest_invoice.confirmation_secret"],
    });
    const { client_secret: secret } = subscription.latest_invoice.confirmation_secret;
    await begin(page, "collectBankAccountForPayment", { clientSecret: secret });
    await linkInFrame(page);
    assert.equal((await outcome(page)).paymentIntent.status, "requires_confirmation");
    await begin(page, "confirmUsBankAccountPayment", secret);
    assert.equal((await outcome(page)).paymentIntent.status, "processing");
    await hook.until("invoice.paid", subscription.latest_invoice.id);
    await hook.until("customer.subscription.updated", subscription.id);
    const expand = ["default_payment_method"];
    const active = await stripe.subscriptions.retrieve(subscription.id, { expand });
    assert.equal(active.status, "active");
    await transactionsOf(accountOf(active.default_payment_method), how);
    assert.deepEqual(page.faults, []);
  });
}
