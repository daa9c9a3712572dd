// The guide's other carriers, under the version for which it is right as printed.
import assert from "node:assert/strict";
import Stripe from "stripe";
import { EMAIL, type Merchant, type Step } from "./integration.js";

const TYPES = ["us_bank_account" as const];
const OPTIONS = {
  us_bank_account: {
    financial_connections: {
      permissions: ["payment_method" as const, "transactions" as const],
      prefetch: ["transactions" as const],
    },
  },
};

/** The account under a payment method; its prefetch has to end in a webhook. */
async function account(merchant: Merchant, method: string | Stripe.PaymentMethod | null | undefined) {
  assert.ok(method && typeof method === "object", "the payment method was not expanded");
  const id = method.us_bank_account?.financial_connections_account;
  assert.match(String(id), /^fca_/);
  const { accounts, transactions } = merchant.stripe.financialConnections;
  const linked = await accounts.retrieve(String(id));
  await merchant.told(String(linked.transaction_refresh?.id));
  const page = await transactions.list({ account: linked.id });
  assert.ok(page.data.length > 0);
}

const customer = async ({ stripe }: Merchant) => (await stripe.customers.create({ email: EMAIL })).id;

/** The carriers that name types of their own, which endive refuses. */
export const INTENTS: Step[] = [
  [
    "a Payment Intent collects an account",
    async (merchant) => {
      const { paymentIntents } = merchant.stripe;
      const intent = await paymentIntents.create({
        amount: 2000,
        currency: "usd",
        customer: await customer(merchant),
        setup_future_usage: "off_session",
        payment_method_types: TYPES,
        payment_method_options: OPTIONS,
      });
      assert.deepEqual(intent.payment_method_types, TYPES);
      await merchant.link(intent.id);
      const linked = await paymentIntents.retrieve(intent.id, { expand: ["payment_method"] });
      await account(merchant, linked.payment_method);
    },
  ],
  [
    "a Setup Intent collects an account",
    async (merchant) => {
      const { setupIntents } = merchant.stripe;
      const intent = await setupIntents.create({
        customer: await customer(merchant),
        payment_method_types: TYPES,
        payment_method_options: OPTIONS,
      });
      await merchant.link(intent.id);
      const linked = await setupIntents.retrieve(intent.id, { expand: ["payment_method"] });
      await account(merchant, linked.payment_method);
    },
  ],
  [
    "a Checkout Session collects an account",
    async (merchant) => {
      const { sessions } = merchant.stripe.checkout;
      const session = await sessions.create({
        customer: await customer(merchant),
        payment_method_types: TYPES,
        payment_method_options: OPTIONS,
      });
      await merchant.link(session.id);
      const expand = ["setup_intent.payment_method"];
      const { setup_intent, status } = await sessions.retrieve(session.id, { expand });
      assert.equal(status, "complete");
      assert.ok(setup_intent && typeof setup_intent === "object");
      await account(merchant, setup_intent.payment_method);
    },
  ],
];

/** Bills name types in their settings, under every version. */
export const BILLS: Step[] = [
  [
    "an invoice collects an account",
    async (merchant) => {
      const { invoiceItems, invoices, paymentIntents } = merchant.stripe;
      const payer = await customer(merchant);
      const draft = await invoices.create({
        customer: payer,
        payment_settings: { payment_method_types: TYPES, payment_method_options: OPTIONS },
      });
      await invoiceItems.create({ customer: payer, invoice: draft.id, amount: 1000, currency: "usd" });
      await invoices.finalizeInvoice(draft.id);
      await merchant.link(draft.id);
      const expand = ["payments.data.payment.payment_intent"];
      const { payments } = await invoices.retrieve(draft.id, { expand });
      const paying = payments?.data[0].payment.payment_intent;
      assert.ok(paying && typeof paying === "object");
      const intent = await paymentIntents.retrieve(paying.id, { expand: ["payment_method"] });
      await account(merchant, intent.payment_method);
    },
  ],
  [
    "a subscription collects an account",
    async (merchant) => {
      const { subscriptions } = merchant.stripe;
      // As the guide prints it, without items, which the types require.
      const params = {
        customer: await customer(merchant),
        payment_settings: { payment_method_types: TYPES, payment_method_options: OPTIONS },
      } as Stripe.SubscriptionCreateParams;
      const subscription = await subscriptions.create(params);
      assert.deepEqual(subscription.items.data, []);
      await merchant.link(subscription.id);
      const expand = ["pending_setup_intent.payment_method"];
      const { pending_setup_intent } = await subscriptions.retrieve(subscription.id, { expand });
      assert.ok(pending_setup_intent && typeof pending_setup_intent === "object");
      await account(merchant, pending_setup_intent.payment_method);
    },
  ],
];
