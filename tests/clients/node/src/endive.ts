// The guide's carriers under endive: types of payment methods are no longer named there. Written with
// the types of the newest client, which no longer has the old parameter.
import assert from "node:assert/strict";
import StripeBefore from "stripe";
import Stripe from "stripe-newest";
import type { Merchant, Step } from "./integration.js";

const OPTIONS = {
  us_bank_account: {
    financial_connections: {
      permissions: ["payment_method" as const, "transactions" as const],
      prefetch: ["transactions" as const],
    },
  },
};
const ALLOWED = { allowed_payment_method_types: ["us_bank_account" as const] };
/** The parameter of the guide's code, as it comes from a program that nobody changed. */
const NAMED = { payment_method_types: ["us_bank_account"] };

const newest = (merchant: Merchant) => merchant.stripe as unknown as Stripe;

/** The guide's call as it is printed has to be refused with the documented code. */
async function refusedAsPrinted(merchant: Merchant, call: Promise<unknown>, code: string) {
  const error = await merchant.refused(merchant.Client.errors.StripeInvalidRequestError, call);
  assert.deepEqual([error.statusCode, error.code, error.param], [400, code, "payment_method_types"]);
}

async function account(merchant: Merchant, method: string | Stripe.PaymentMethod | null | undefined) {
  assert.ok(method && typeof method === "object", "the payment method was not expanded");
  const id = String(method.us_bank_account?.financial_connections_account);
  const { accounts, transactions } = newest(merchant).financialConnections;
  const linked = await accounts.retrieve(id);
  await merchant.told(String(linked.transaction_refresh?.id));
  assert.ok((await transactions.list({ account: id })).data.length > 0);
}

export const ENDIVE: Step[] = [
  [
    "a Payment Intent refuses named types, and allows them",
    async (merchant) => {
      const { paymentIntents } = newest(merchant);
      const wanted = { amount: 2000, currency: "usd", customer: merchant.customer };
      const printed = { ...wanted, payment_method_options: OPTIONS, ...NAMED };
      const code = "payment_method_types_no_longer_supported";
      await refusedAsPrinted(merchant, paymentIntents.create(printed as typeof wanted), code);
      const intent = await paymentIntents.create({
        ...wanted,
        ...ALLOWED,
        payment_method_options: OPTIONS,
      });
      assert.deepEqual(intent.allowed_payment_method_types, ["us_bank_account"]);
      assert.deepEqual(intent.payment_method_types, ["us_bank_account"]);
      await merchant.link(intent.id);
      const linked = await paymentIntents.retrieve(intent.id, { expand: ["payment_method"] });
      await account(merchant, linked.payment_method);
    },
  ],
  [
    "a Setup Intent refuses named types, and allows them",
    async (merchant) => {
      const { setupIntents } = newest(merchant);
      const wanted = { customer: merchant.customer };
      const printed = { ...wanted, payment_method_options: OPTIONS, ...NAMED };
      const code = "payment_method_types_no_longer_supported";
      await refusedAsPrinted(merchant, setupIntents.create(printed as typeof wanted), code);
      const intent = await setupIntents.create({
        ...wanted,
        ...ALLOWED,
        payment_method_options: OPTIONS,
      });
      assert.deepEqual(intent.allowed_payment_method_types, ["us_bank_account"]);
      await merchant.link(intent.id);
      const linked = await setupIntents.retrieve(intent.id, { expand: ["payment_method"] });
      await account(merchant, linked.payment_method);
    },
  ],
  [
    "a Checkout Session does not know named types, and allows them",
    async (merchant) => {
      const { sessions } = newest(merchant).checkout;
      const wanted = { customer: merchant.customer };
      const printed = { ...wanted, payment_method_options: OPTIONS, ...NAMED };
      await refusedAsPrinted(merchant, sessions.create(printed as typeof wanted), "parameter_unknown");
      const session = await sessions.create({
        ...wanted,
        ...ALLOWED,
        payment_method_options: OPTIONS,
      });
      assert.deepEqual(session.payment_method_types, ["us_bank_account"]);
      await merchant.link(session.id);
      const expand = ["setup_intent.payment_method"];
      const { setup_intent } = await sessions.retrieve(session.id, { expand });
      assert.ok(setup_intent && typeof setup_intent === "object");
      await account(merchant, setup_intent.payment_method);
    },
  ],
  [
    "a session's country is one word",
    async (merchant) => {
      const { sessions } = newest(merchant).financialConnections;
      const wanted = {
        account_holder: { type: "customer" as const, customer: merchant.customer },
        permissions: ["transactions" as const],
      };
      const session = await sessions.create({ ...wanted, filters: { country: "US" } });
      assert.equal(session.filters?.country, "US");
      const before = merchant.stripe.financialConnections.sessions as StripeBefore.FinancialConnections.SessionResource;
      const error = await merchant.refused(
        merchant.Client.errors.StripeInvalidRequestError,
        before.create({ ...wanted, filters: { countries: ["US"] } } as never),
      );
      assert.equal(error.param, "filters[countries]");
    },
  ],
];
