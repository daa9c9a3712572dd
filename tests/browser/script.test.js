// The stand-in for Stripe.js: what pages of merchants call, beyond what each carrier needs.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LIMIT, PUBLISHABLE, bed, begin, flowFrame, heading, leaveFrame, linkInFrame, look, makeSession, open, openShop,
  outcome, press, pressLast, setUp, typeIn,
} from "./bed.js";

setUp();

const asked = { permissions: ["payment_method"] };
const options = { us_bank_account: { financial_connections: asked } };

const makePayment = (more = {}) => bed.stripe.paymentIntents.create({
  amount: 2000, currency: "usd", payment_method_options: options, ...more,
});
const makeSetup = (more = {}) => bed.stripe.setupIntents.create({
  payment_method_options: options, ...more,
});

/** Types the holder's details into the element. */
async function introduce(page) {
  await page.getByLabel("Email").fill("ada@example.com");
  await page.getByLabel("Full name").fill("Ada");
}

test("loadStripe of the npm package finds the script", LIMIT, async () => {
  const page = await openShop();
  const warnings = [];
  page.on("console", (line) => warnings.push(line.text()));
  const told = await page.evaluate(async (key) => {
    const { loadStripe } = await import("/bundle.js");
    const stripe = await loadStripe(key);
    let refused;
    try {
      stripe.createToken();
    } catch (error) {
      refused = error.message;
    }
    return { kind: typeof stripe.collectBankAccountForSetup, refused };
  }, PUBLISHABLE);
  assert.equal(told.kind, "function");
  assert.match(told.refused, /^stripe\.createToken is not available/);
  assert.deepEqual(warnings, []);
});

test("a wrong client secret resolves to an error", LIMIT, async () => {
  const page = await openShop();
  const clientSecret = "fcsess_client_secret_x";
  await begin(page, "collectFinancialConnectionsAccounts", { clientSecret });
  const { error } = await outcome(page);
  assert.equal(error.type, "invalid_request_error");
  assert.match(error.requestId, /^req_/);
  assert.equal(await page.locator("dialog").count(), 0);
});

test("a session that has ended resolves to an error", LIMIT, async () => {
  const page = await openShop();
  const session = await makeSession();
  await bed.stripe.rawRequest("POST", "/v1/test_helpers/financial_connections/link", {
    carrier: session.id,
  });
  await begin(page, "collectFinancialConnectionsAccounts", {
    clientSecret: session.client_secret,
  });
  assert.match((await outcome(page)).error.message, /has ended/);
});

test("a session of a connected account is linked by its platform's key", LIMIT, async () => {
  const stripeAccount = "acct_browser";
  const session = await makeSession({}, { stripeAccount });
  const page = await openShop();
  await page.evaluate(([key, options, clientSecret]) => {
    const platform = window.Stripe(key, options);
    window.outcome = platform.collectFinancialConnectionsAccounts({ clientSecret });
  }, [PUBLISHABLE, { stripeAccount }, session.client_secret]);
  await linkInFrame(page);
  const { financialConnectionsSession: linked } = await outcome(page);
  assert.equal(linked.id, session.id);
  const { accounts } = bed.stripe.financialConnections;
  const { id } = await accounts.retrieve(linked.accounts[0].id, {}, { stripeAccount });
  assert.equal(id, linked.accounts[0].id);
  // The platform itself has neither: it has to say for whom it asks.
  await assert.rejects(accounts.retrieve(id), { code: "resource_missing" });
  await begin(page, "collectFinancialConnectionsAccounts", {
    clientSecret: session.client_secret,
  });
  assert.equal((await outcome(page)).error.type, "invalid_request_error");
});

test("confirmPayment and confirmSetup collect what is missing, and go on", LIMIT, async () => {
  const page = await openShop();
  const payment = await makePayment();
  const details = { billing_details: { name: "Ada", email: "ada@example.com" } };
  await begin(page, "confirmPayment", {
    clientSecret: payment.client_secret,
    confirmParams: { return_url: `${bed.shop.url}/done`, payment_method_data: details },
  });
  await linkInFrame(page);
  await heading(page, "Thank you from the shop");
  const query = new URL(page.url()).searchParams;
  assert.equal(query.get("payment_intent"), payment.id);
  assert.equal(query.get("payment_intent_client_secret"), payment.client_secret);
  assert.equal(query.get("redirect_status"), "succeeded");
  await bed.hook.until("payment_intent.succeeded", payment.id);
  const expand = ["payment_method"];
  const paid = await bed.stripe.paymentIntents.retrieve(payment.id, { expand });
  assert.equal(paid.payment_method.billing_details.name, "Ada");

  await page.goto(`${bed.shop.url}/blank`);
  const setup = await makeSetup();
  await begin(page, "confirmSetup", {
    clientSecret: setup.client_secret, redirect: "if_required",
    confirmParams: { return_url: `${bed.shop.url}/done` },
  });
  await linkInFrame(page);
  assert.equal((await outcome(page)).setupIntent.status, "succeeded");
  const left = await makeSetup();
  await begin(page, "confirmSetup", { clientSecret: left.client_secret, redirect: "if_required" });
  await leaveFrame(await flowFrame(page));
  assert.equal((await outcome(page)).error.code, "payment_method_missing");
  assert.deepEqual(page.faults, []);
});

test("the button of the element links at once, and the form confirms it", LIMIT, async () => {
  const page = await openShop();
  const intent = await makePayment();
  await page.evaluate(([key, clientSecret]) => {
    const place = document.createElement("div");
    place.id = "place";
    document.querySelector("main").append(place);
    window.stripe = window.Stripe(key);
    window.elements = window.stripe.elements({ clientSecret });
    const element = window.elements.create("payment");
    window.changes = [];
    element.on("change", (event) => window.changes.push(event.complete));
    element.mount("#place");
  }, [PUBLISHABLE, intent.client_secret]);
  await look(page, "element");
  await introduce(page);
  await press(page, "Connect your bank account");
  await linkInFrame(page);
  await page.getByText(/^Test \(Non-OAuth\) •••• \d{4}$/).waitFor();
  await look(page, "element-linked");
  assert.deepEqual(await page.evaluate(() => window.changes), [false, false, true]);
  const status = await page.evaluate(async () => {
    const { elements, stripe } = window;
    const { error } = await elements.submit();
    if (error) throw new Error(error.message);
    const answer = await stripe.confirmPayment({ elements, redirect: "if_required" });
    return answer.paymentIntent.status;
  });
  assert.equal(status, "processing");
  await bed.hook.until("payment_intent.succeeded", intent.id);
  assert.deepEqual(page.faults, []);
});

test("an element without an intent is confirmed with one made later", LIMIT, async () => {
  const page = await openShop();
  await page.evaluate((key) => {
    window.stripe = window.Stripe(key);
    window.elements = window.stripe.elements({ mode: "payment", amount: 2000, currency: "usd" });
    window.elements.create("payment").mount("main");
  }, PUBLISHABLE);
  await page.getByText("US bank account").waitFor();
  await introduce(page);
  const intent = await makePayment();
  await page.evaluate((clientSecret) => {
    const { elements, stripe } = window;
    window.outcome = elements.submit()
      .then(() => stripe.confirmPayment({ elements, clientSecret, redirect: "if_required" }));
  }, intent.client_secret);
  await linkInFrame(page);
  assert.equal((await outcome(page)).paymentIntent.status, "processing");
  assert.deepEqual(page.faults, []);
});

test("elements without an intent take allowedPaymentMethodTypes, not paymentMethodTypes", LIMIT, async () => {
  const page = await openShop();
  const told = await page.evaluate((key) => {
    const stripe = window.Stripe(key);
    const deferred = { mode: "payment", amount: 2000, currency: "usd" };
    const attempt = (act) => {
      try {
        act();
        return "accepted";
      } catch (error) {
        return `${error.name}: ${error.message}`;
      }
    };
    const types = { paymentMethodTypes: ["us_bank_account"] };
    const allowed = { allowedPaymentMethodTypes: ["card", "us_bank_account"] };
    return [
      attempt(() => stripe.elements({ ...deferred, ...types })),
      attempt(() => stripe.elements(deferred).update(types)),
      attempt(() => stripe.elements({ ...deferred, ...allowed })),
      attempt(() => stripe.elements(deferred).update(allowed)),
      attempt(() => stripe.elements({ ...deferred, allowedPaymentMethodTypes: ["card"] })),
    ];
  }, PUBLISHABLE);
  for (const text of told.slice(0, 2)) assert.match(text, /^IntegrationError: .*allowedPaymentMethodTypes/);
  assert.deepEqual(told.slice(2, 4), ["accepted", "accepted"]);
  assert.match(told[4], /^IntegrationError: .*us_bank_account/);
});

test("a consent that was collected before is accepted, and the flow still asks", LIMIT, async () => {
  const page = await openShop();
  const session = await makeSession();
  const clientSecret = session.client_secret;
  const consent = { consent: "fccons_1" };
  await begin(page, "collectFinancialConnectionsAccounts", { clientSecret, preCollectedConsent: consent });
  assert.equal((await outcome(page)).error.param, "preCollectedConsent");
  const preCollectedConsent = { ...consent, collectedAt: 1767225600 };
  await begin(page, "collectFinancialConnectionsAccounts", { clientSecret, preCollectedConsent });
  await linkInFrame(page);
  assert.equal((await outcome(page)).financialConnectionsSession.id, session.id);
  assert.deepEqual(page.faults, []);
});

test("react-stripe-js shows the element and pays by it", LIMIT, async () => {
  const page = await open();
  const intent = await makePayment();
  const query = new URLSearchParams({ key: PUBLISHABLE, secret: intent.client_secret });
  await page.goto(`${bed.shop.url}/react?${query}`);
  await introduce(page);
  await press(page, "Connect your bank account");
  await linkInFrame(page);
  await page.getByText("Linked", { exact: true }).waitFor();
  await look(page, "react");
  await press(page, "Pay now");
  await page.getByText("Status: processing").waitFor();
  await bed.hook.until("payment_intent.succeeded", intent.id);
  assert.deepEqual(page.faults, []);
});

test("typed numbers wait for deposits, which handleNextAction asks for", LIMIT, async () => {
  const page = await openShop();
  const us_bank_account = { verification_method: "microdeposits" };
  const intent = await makePayment({ payment_method_options: { us_bank_account } });
  await begin(page, "collectBankAccountForPayment", { clientSecret: intent.client_secret });
  const frame = await flowFrame(page, "Enter your bank details");
  await look(page, "frame-numbers");
  await typeIn(frame);
  await pressLast(frame, "Done");
  assert.equal((await outcome(page)).paymentIntent.status, "requires_confirmation");
  await begin(page, "confirmUsBankAccountPayment", intent.client_secret);
  assert.equal((await outcome(page)).paymentIntent.status, "requires_action");
  await bed.hook.until("payment_intent.requires_action", intent.id);
  await begin(page, "handleNextAction", { clientSecret: intent.client_secret });
  await heading(page, "Confirm your bank account");
  await page.goto(`${bed.shop.url}/blank`);
  await begin(page, "verifyMicrodepositsForPayment", intent.client_secret, { amounts: [1, 2] });
  assert.match((await outcome(page)).error.code, /amounts_mismatch$/);
  await begin(page, "verifyMicrodepositsForPayment", intent.client_secret, { amounts: [32, 45] });
  assert.equal((await outcome(page)).paymentIntent.status, "processing");
  await bed.hook.until("payment_intent.succeeded", intent.id);
  await begin(page, "handleNextAction", { clientSecret: intent.client_secret });
  assert.equal((await outcome(page)).paymentIntent.status, "succeeded");
  assert.deepEqual(page.faults, []);
});

test("the return URL tells of deposits that are waited for, and of those that could not be sent", LIMIT, async () => {
  const page = await openShop();
  for (const [account_number, status, word] of [
    ["000123456789", "requires_action", "pending"],
    ["000666666661", "requires_payment_method", "failed"],
  ]) {
    const payment_method_data = {
      type: "us_bank_account",
      us_bank_account: { account_holder_type: "individual", account_number, routing_number: "110000000" },
      billing_details: { name: "Ada" },
    };
    const intent = await makePayment();
    await page.goto(`${bed.shop.url}/blank`);
    const confirmParams = { return_url: `${bed.shop.url}/done`, payment_method_data };
    await begin(page, "confirmPayment", { clientSecret: intent.client_secret, confirmParams });
    await heading(page, "Thank you from the shop");
    assert.equal(new URL(page.url()).searchParams.get("redirect_status"), word);
    const { status: reached } = await bed.stripe.paymentIntents.retrieve(intent.id);
    assert.equal(reached, status);
  }
});

test("a confirmation token of the element's account confirms an intent on the server", LIMIT, async () => {
  const page = await openShop();
  const payment_method_data = {
    type: "us_bank_account",
    us_bank_account: { account_holder_type: "individual", account_number: "000123456789", routing_number: "110000000" },
    billing_details: { name: "Ada" },
  };
  const params = { payment_method_data, return_url: `${bed.shop.url}/done` };
  await begin(page, "createConfirmationToken", { params });
  const { confirmationToken: token } = await outcome(page);
  assert.match(token.id, /^ctoken_/);
  assert.equal(token.payment_method_preview.us_bank_account.last4, "6789");
  assert.equal(token.mandate_data.customer_acceptance.type, "online");
  const intent = await bed.stripe.paymentIntents.create({
    amount: 2000, currency: "usd", confirm: true, confirmation_token: token.id,
  });
  assert.equal(intent.status, "requires_action");
  const used = await bed.stripe.confirmationTokens.retrieve(token.id);
  assert.equal(used.payment_intent, intent.id);
  await begin(page, "createConfirmationToken", {});
  assert.equal((await outcome(page)).error.code, "payment_method_missing");
  assert.deepEqual(page.faults, []);
});

test("redirectToCheckout goes to the page of a session", LIMIT, async () => {
  const page = await openShop();
  const session = await bed.stripe.checkout.sessions.create({ mode: "setup", currency: "usd" });
  await begin(page, "redirectToCheckout", { sessionId: session.id });
  await heading(page, "Save your bank account");
  assert.equal(page.url(), session.url);
  await bed.stripe.checkout.sessions.expire(session.id);
  await page.goto(`${bed.shop.url}/blank`);
  await begin(page, "redirectToCheckout", { sessionId: session.id });
  assert.match((await outcome(page)).error.message, /has expired/);
  await begin(page, "redirectToCheckout", { sessionId: "cs_test_x" });
  assert.equal((await outcome(page)).error.code, "resource_missing");
  assert.deepEqual(page.faults, []);
});
