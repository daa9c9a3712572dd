// The words of a test: link, add, post, refresh, advance, ledger.

import { randomBytes } from "node:crypto";
import Stripe from "stripe";
import { Receiver } from "./receiver.js";
import { rowsOf } from "./rows.js";

const BEGIN_S = 1_790_000_000;
const DAY_S = 86_400;
const HOUR_S = 3_600;
const WAIT_S_MAX = 60;
const HELPERS = "/v1/test_helpers";
const BANK = `${HELPERS}/financial_connections`;

/** A client that would lose data in production. The message names how. */
export class JudgeError extends Error {
  name = "JudgeError";
}

/** One empty merchant on the server, with a key of its own. */
export class Bankfeed {
  #receivers = [];

  constructor(url) {
    this.url = url;
    this.key = `sk_test_${randomBytes(12).toString("hex")}`;
    const { hostname, port, protocol } = new URL(url);
    const address = { host: hostname, protocol: protocol.slice(0, -1) };
    this.client = new Stripe(this.key, port === "" ? address : { ...address, port: Number(port) });
  }

  async link(options = {}) {
    const { institution, account, webhook, seed, prefetch = [], subscribe = true } = options;
    const { permissions = ["balances", "ownership", "transactions"] } = options;
    const endpoint = webhook === undefined ? undefined : await this.endpoint(webhook);
    const clock = await this.client.testHelpers.testClocks.create({ frozen_time: BEGIN_S });
    const customer = await this.client.customers.create({ test_clock: clock.id });
    const session = await this.client.financialConnections.sessions.create({
      account_holder: { type: "customer", customer: customer.id },
      permissions,
      ...(prefetch.length > 0 ? { prefetch } : {}),
    });
    const chosen = {
      carrier: session.id,
      ...(institution === undefined ? {} : { institution }),
      ...(account === undefined ? {} : { accounts: [account] }),
      ...(seed === undefined ? {} : { seed }),
    };
    const linked = await this.call("POST", `${BANK}/link`, chosen);
    const id = linked.accounts.data[0].id;
    if (subscribe && permissions.includes("transactions")) {
      const features = { features: ["transactions"] };
      await this.client.financialConnections.accounts.subscribe(id, features);
    }
    await this.settle();
    const ids = { account: id, customer: customer.id, clock: clock.id, session: session.id };
    return new Feed(this, { ...ids, endpoint });
  }

  async endpoint(receiver, events = ["*"]) {
    let url = receiver;
    let mine;
    if (typeof receiver !== "string") {
      mine = new Receiver(this.client.webhooks, receiver);
      this.#receivers.push(mine);
      url = await mine.start();
    }
    const created = await this.client.webhookEndpoints.create({ url, enabled_events: events });
    if (mine !== undefined) {
      mine.secret = created.secret;
    }
    return { id: created.id, url, secret: created.secret };
  }

  async settle() {
    await this.call("GET", `${HELPERS}/settled?timeout=${WAIT_S_MAX}`);
    for (const receiver of this.#receivers) {
      const [error] = receiver.errors.splice(0);
      if (error !== undefined) {
        throw error;
      }
    }
  }

  async scenario(text) {
    await this.call("POST", `${BANK}/scenarios`, { scenario: text });
  }

  fault(kind, params = {}) {
    return this.call("POST", `${HELPERS}/faults`, { kind, ...params });
  }

  judge() {
    return this.call("GET", `${HELPERS}/consumer_report?finished=true`);
  }

  call(method, path, params) {
    return this.client.rawRequest(method, path, params);
  }

  async close() {
    await Promise.all(this.#receivers.splice(0).map((receiver) => receiver.stop()));
  }
}

/** One linked bank account, with the bank's side of it. */
export class Feed {
  #bankfeed;
  #path;

  constructor(bankfeed, { account, customer, clock, session, endpoint }) {
    Object.assign(this, { account, customer, clock, session, endpoint });
    this.#bankfeed = bankfeed;
    this.#path = `${BANK}/accounts/${account}`;
  }

  async add(amount, description = "Test transaction", options = {}) {
    const { pending = false, ...params } = options;
    const status = pending ? "pending" : "posted";
    const added = await this.#bank("/transactions", { amount, description, status, ...params });
    return new Transaction(added.id, (change) => this.#bank(`/transactions/${added.id}`, change));
  }

  async refresh(...features) {
    const chosen = { features: features.length > 0 ? features : ["transactions"] };
    await this.#accounts.refresh(this.account, chosen);
    await this.#bankfeed.settle();
    return this.retrieve();
  }

  async advance({ days = 0, hours = 0, seconds = 0, refresh = true } = {}) {
    const clock = await this.#bankfeed.client.testHelpers.testClocks.retrieve(this.clock);
    const to = clock.frozen_time + days * DAY_S + hours * HOUR_S + seconds;
    const path = `${HELPERS}/test_clocks/${this.clock}/advance`;
    const params = { frozen_time: to, wait: true, timeout: WAIT_S_MAX };
    await this.#bankfeed.call("POST", path, params);
    await this.#bankfeed.settle();
    const account = await this.retrieve();
    if (refresh && account.status === "active" && account.subscriptions?.length > 0) {
      await this.refresh(...account.subscriptions);
    }
  }

  async failNext(cause = "institution_unavailable", { times = 1 } = {}) {
    await this.#bank("/next_refresh", { outcome: "failed", cause, times });
  }

  async delayNext(seconds) {
    await this.#bank("/next_refresh", { delay_seconds: seconds });
  }

  async setBalance(current, available) {
    await this.#bank("/balance", available === undefined ? { current } : { current, available });
  }

  async setOwners(...names) {
    await this.#bank("/owners", { owners: names.map((name) => ({ name })) });
  }

  async deactivate(cause = "access_expired") {
    await this.#bank("/deactivate", { cause });
    await this.#bankfeed.settle();
  }

  async reactivate() {
    await this.#bank("/reactivate", {});
    await this.#bankfeed.settle();
  }

  async ledger() {
    const ledger = await this.#bankfeed.call("GET", `${this.#path}/ledger`);
    return rowsOf(ledger.transactions);
  }

  retrieve() {
    return this.#accounts.retrieve(this.account);
  }

  get #accounts() {
    return this.#bankfeed.client.financialConnections.accounts;
  }

  #bank(path, params) {
    return this.#bankfeed.call("POST", this.#path + path, params);
  }
}

/** A transaction at the bank. A change is visible to clients after the next refresh. */
export class Transaction {
  #change;

  constructor(id, change) {
    this.id = id;
    this.#change = change;
  }

  post(amount) {
    return this.edit({ status: "posted", ...(amount === undefined ? {} : { amount }) });
  }

  void() {
    return this.edit({ status: "void" });
  }

  async edit(params) {
    await this.#change(params);
  }
}
