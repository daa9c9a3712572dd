// One integration from nothing: the calls of Stripe's guide in the order in which a merchant comes to
// them. The types are those of the client that the guide was written for; the same code runs on others.
import assert from "node:assert/strict";
import Stripe from "stripe";
import { cutOnce, Inbox, startServer, type Server } from "./server.js";

export const EMAIL = "jenny.rosen@example.com";
const PHONE = "2025550100";
const REFRESHED = "financial_connections.account.refreshed_transactions";
const HELPERS = "/v1/test_helpers";
const FAULTS = `${HELPERS}/faults`;

type Account = Stripe.FinancialConnections.Account;
/** A name of a step, and what it does. */
export type Step = [string, (merchant: Merchant) => Promise<void>];

/** One merchant on one server, by one release of the client. */
export class Merchant {
  readonly stripe: Stripe;
  readonly inbox = new Inbox();
  secret = "";
  customer = "";
  account = "";
  refresh = "";

  constructor(
    readonly Client: typeof Stripe,
    readonly server: Server,
  ) {
    this.stripe = this.client("sk_test_node");
  }

  client(key: string, more: Stripe.StripeConfig = {}) {
    const { port } = this.server;
    return new this.Client(key, { host: "127.0.0.1", port, protocol: "http", ...more });
  }

  /** Links accounts of a test bank as the holder would, without a browser. */
  async link(carrier: string, params: object = {}): Promise<void> {
    await this.stripe.rawRequest("POST", `${HELPERS}/financial_connections/link`, { carrier, ...params });
  }

  /** The verified event about the end of a refresh. */
  async told(refresh: string): Promise<Account> {
    return this.inbox.wait(`the end of ${refresh}`, ({ body, signature }) => {
      const event = this.stripe.webhooks.constructEvent(body, signature, this.secret);
      if (event.type !== REFRESHED) return undefined;
      const account = event.data.object;
      return account.transaction_refresh?.id === refresh ? account : undefined;
    });
  }

  /** The error of a call that has to fail. */
  async refused<T extends Error>(type: abstract new (...given: any[]) => T, call: Promise<unknown>) {
    const error = await call.then(
      () => assert.fail("the call was not refused"),
      (error: unknown) => error,
    );
    assert.ok(error instanceof type, `${type.name}: ${error}`);
    return error;
  }
}

/** Runs the steps on a server of their own; answers how many passed. The first failure ends it. */
export async function run(name: string, Client: typeof Stripe, steps: Step[]): Promise<boolean> {
  const server = await startServer();
  const merchant = new Merchant(Client, server);
  let current = "";
  try {
    for (const [step, act] of steps) {
      current = step;
      await act(merchant);
      counts.passed += 1;
      console.log(`${name}: ${step}`);
    }
    return true;
  } catch (error) {
    counts.failed += 1;
    console.log(`FAILED ${name}: ${current}\n`, error);
    return false;
  } finally {
    merchant.inbox.close();
    await server.stop();
  }
}

export const counts = { passed: 0, failed: 0 };

export const GUIDE: Step[] = [
  [
    "an endpoint is made with the client's own version",
    async (merchant) => {
      const endpoint = await merchant.stripe.webhookEndpoints.create({
        url: await merchant.inbox.open(),
        enabled_events: ["*"],
        api_version: merchant.Client.API_VERSION as Stripe.WebhookEndpointCreateParams.ApiVersion,
      });
      assert.equal(endpoint.api_version, merchant.Client.API_VERSION);
      assert.ok(endpoint.secret);
      merchant.secret = endpoint.secret;
    },
  ],
  [
    "a customer is made, and read again",
    async (merchant) => {
      const { stripe } = merchant;
      const customer = await stripe.customers.create({ email: EMAIL, phone: PHONE });
      assert.equal(customer.email, EMAIL);
      const again = await stripe.customers.retrieve(customer.id);
      assert.ok(!again.deleted && again.phone === PHONE);
      assert.match(again.lastResponse.requestId, /^req_/);
      merchant.customer = customer.id;
    },
  ],
  [
    "a session asks for transactions, and its holder links an account",
    async (merchant) => {
      const { sessions, accounts } = merchant.stripe.financialConnections;
      const session = await sessions.create({
        account_holder: { type: "customer", customer: merchant.customer },
        permissions: ["transactions"],
      });
      assert.match(String(session.client_secret), /^fcsess_client_secret_/);
      assert.deepEqual(session.accounts.data, []);
      await merchant.link(session.id, { institution: "Test (OAuth)", accounts: ["Success"] });
      const linked = await sessions.retrieve(session.id, {
        expand: ["accounts.data.account_holder.customer"],
      });
      const [account] = linked.accounts.data;
      const holder = account.account_holder?.customer;
      assert.ok(typeof holder === "object" && holder.email === EMAIL, String(holder));
      assert.equal(account.transaction_refresh, null);
      const listed = await accounts.list({ account_holder: { customer: merchant.customer } });
      assert.deepEqual(listed.data.map(({ id }) => id), [account.id]);
      merchant.account = account.id;
    },
  ],
  [
    "nothing is listed before a refresh succeeded",
    async (merchant) => {
      const { transactions } = merchant.stripe.financialConnections;
      const error = await merchant.refused(
        merchant.Client.errors.StripeInvalidRequestError,
        transactions.list({ account: merchant.account }),
      );
      assert.equal(error.code, "financial_connections_no_successful_transaction_refresh");
      assert.equal(error.statusCode, 400);
    },
  ],
  [
    "subscribing starts a refresh, and a webhook tells of its end",
    async (merchant) => {
      const { accounts } = merchant.stripe.financialConnections;
      const account = await accounts.subscribe(merchant.account, { features: ["transactions"] });
      assert.deepEqual(account.subscriptions, ["transactions"]);
      assert.equal(account.transaction_refresh?.status, "pending");
      merchant.refresh = String(account.transaction_refresh?.id);
      const told = await merchant.told(merchant.refresh);
      assert.equal(told.transaction_refresh?.status, "succeeded");
      assert.equal(told.object, "financial_connections.account");
    },
  ],
  [
    "transactions are listed page by page",
    async (merchant) => {
      const { transactions } = merchant.stripe.financialConnections;
      const page = await transactions.list({ account: merchant.account });
      assert.ok(page.data.length === 10 && page.has_more);
      const ids = new Set<string>();
      for await (const row of transactions.list({ account: merchant.account, limit: 40 })) {
        assert.equal(row.account, merchant.account);
        assert.equal(row.transaction_refresh, merchant.refresh);
        assert.ok(["pending", "posted"].includes(row.status) && Number.isInteger(row.amount));
        ids.add(row.id);
      }
      assert.ok(ids.size > 100, String(ids.size));
      const row = await transactions.retrieve(page.data[0].id);
      assert.equal(row.description, page.data[0].description);
    },
  ],
  [
    "after a refresh only what came later is listed",
    async (merchant) => {
      const { accounts, transactions } = merchant.stripe.financialConnections;
      const path = `${HELPERS}/financial_connections/accounts/${merchant.account}/transactions`;
      await merchant.stripe.rawRequest("POST", path, {
        amount: -1200,
        description: "Blue Door Coffee",
      });
      const before = merchant.refresh;
      const account = await accounts.refresh(merchant.account, { features: ["transactions"] });
      merchant.refresh = String(account.transaction_refresh?.id);
      await merchant.told(merchant.refresh);
      const later = await transactions.list({
        account: merchant.account,
        transaction_refresh: { after: before },
      });
      assert.ok(later.data.some((row) => row.description === "Blue Door Coffee" && row.amount === -1200));
      assert.ok(later.data.every((row) => row.transaction_refresh === merchant.refresh));
    },
  ],
  [
    "unsubscribing keeps what was refreshed",
    async (merchant) => {
      const { accounts } = merchant.stripe.financialConnections;
      const account = await accounts.unsubscribe(merchant.account, { features: ["transactions"] });
      assert.deepEqual(account.subscriptions, []);
      assert.equal(account.transaction_refresh?.id, merchant.refresh);
    },
  ],
  [
    "a prefetch starts with the link; balances and owners come with their permissions",
    async (merchant) => {
      const { accounts, sessions } = merchant.stripe.financialConnections;
      const session = await sessions.create({
        account_holder: { type: "customer", customer: merchant.customer },
        permissions: ["transactions", "balances", "ownership"],
        prefetch: ["transactions", "balances", "ownership"],
      });
      await merchant.link(session.id, { accounts: ["High Balance"] });
      const page = await accounts.list({ session: session.id });
      const [linked] = page.data;
      await merchant.told(String(linked.transaction_refresh?.id));
      const account = await merchant.inbox.wait("the owners", ({ body, signature }) => {
        const event = merchant.stripe.webhooks.constructEvent(body, signature, merchant.secret);
        const refreshed = event.type === "financial_connections.account.refreshed_ownership";
        return refreshed && event.data.object.id === linked.id ? event.data.object : undefined;
      });
      const shown = await accounts.retrieve(account.id, { expand: ["ownership"] });
      const { ownership } = shown;
      assert.ok(ownership && typeof ownership === "object");
      const owners = await accounts.listOwners(account.id, { ownership: ownership.id });
      assert.deepEqual(owners.data.map(({ name }) => name), ownership.owners.data.map(({ name }) => name));
    },
  ],
];

export const MISTAKES: Step[] = [
  [
    "a key that opens nothing, and one that may not, are typed errors",
    async (merchant) => {
      const { errors } = merchant.Client;
      const stranger = merchant.client("sk_wrong");
      const error = await merchant.refused(
        errors.StripeAuthenticationError,
        stranger.customers.list(),
      );
      assert.equal(error.statusCode, 401);
      const browser = merchant.client("pk_test_node");
      const denied = await merchant.refused(
        errors.StripePermissionError,
        browser.customers.list(),
      );
      assert.equal(denied.code, "secret_key_required");
    },
  ],
  [
    "wrong parameters, unknown ids and reused keys are typed errors",
    async (merchant) => {
      const { errors } = merchant.Client;
      const { customers, financialConnections } = merchant.stripe;
      const unknown = await merchant.refused(
        errors.StripeInvalidRequestError,
        financialConnections.accounts.retrieve("fca_none"),
      );
      assert.deepEqual([unknown.statusCode, unknown.code], [404, "resource_missing"]);
      const missing = await merchant.refused(
        errors.StripeInvalidRequestError,
        financialConnections.accounts.subscribe(merchant.account, {} as never),
      );
      assert.deepEqual([missing.code, missing.param], ["parameter_missing", "features"]);
      const once = { idempotencyKey: "node-once" };
      const first = await customers.create({ name: "Once" }, once);
      assert.equal((await customers.create({ name: "Once" }, once)).id, first.id);
      const reused = await merchant.refused(
        errors.StripeIdempotencyError,
        customers.create({ name: "Twice" }, once),
      );
      assert.equal(reused.statusCode, 400);
    },
  ],
  [
    "a forged webhook is refused by the client's own verifier",
    async (merchant) => {
      const { body, signature } = await merchant.inbox.wait("any webhook", (delivery) => delivery);
      const { constructEvent } = merchant.stripe.webhooks;
      const forged = body.replace('"livemode":false', '"livemode":true');
      assert.notEqual(forged, body);
      assert.throws(
        () => constructEvent.call(merchant.stripe.webhooks, forged, signature, merchant.secret),
        merchant.Client.errors.StripeSignatureVerificationError,
      );
    },
  ],
  [
    "a connection that is cut is tried again, and the work is done once",
    async (merchant) => {
      const front = await cutOnce(merchant.server.port);
      const email = "cut@example.com";
      const { customers } = merchant.client("sk_test_node", { port: front.port });
      const customer = await customers.create({ email });
      front.close();
      const { data } = await merchant.stripe.customers.list({ email });
      assert.deepEqual(data.map(({ id }) => id), [customer.id]);
      const nobody = merchant.client("sk_test_node", { port: front.port, maxNetworkRetries: 0 });
      const { StripeConnectionError } = merchant.Client.errors;
      await merchant.refused(StripeConnectionError, nobody.customers.list());
    },
  ],
  [
    "events are listed, and a disconnected account is closed",
    async (merchant) => {
      const { financialConnections, events } = merchant.stripe;
      await financialConnections.accounts.disconnect(merchant.account);
      const error = await merchant.refused(
        merchant.Client.errors.StripeInvalidRequestError,
        financialConnections.transactions.list({ account: merchant.account }),
      );
      assert.equal(error.code, "financial_connections_account_inactive");
      const listed = await events.list({ type: "financial_connections.account.disconnected" });
      const ids = listed.data.map((event) => (event.data.object as Account).id);
      assert.ok(ids.includes(merchant.account));
    },
  ],
  [
    "a rate limit, and a failure inside the server, are typed errors",
    async (merchant) => {
      const { StripeAPIError, StripeRateLimitError } = merchant.Client.errors;
      const { customers } = merchant.client("sk_test_node", { maxNetworkRetries: 0 });
      const fault = { path: "/v1/customers", times: 1 };
      await merchant.stripe.rawRequest("POST", FAULTS, { kind: "api_rate_limited", ...fault });
      const limited = await merchant.refused(StripeRateLimitError, customers.list());
      assert.deepEqual([limited.statusCode, limited.code], [429, "rate_limit"]);
      await merchant.stripe.rawRequest("POST", FAULTS, { kind: "api_error_before", ...fault });
      const failed = await merchant.refused(StripeAPIError, customers.list());
      assert.deepEqual([failed.statusCode, failed.rawType], [500, "api_error"]);
    },
  ],
];
