// Follows a bank account for seven steps of a test clock, as a test suite does, without a sleep or a retry.
// It makes the calls of week.py. In addition, each receiver must close at once at the end of its flow.
//
//     node week.mjs URL FLOWS NAME

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";

const START = 1790000000;
const DAY = 86400;
const STEPS = 7;
const FC = "/v1/financial_connections";
const HELPERS = "/v1/test_helpers";
const REFRESHED = "financial_connections.account.refreshed_transactions";

/** A webhook endpoint that verifies and stores each event. */
class Receiver {
  events = [];
  secret = "";
  failure = null;

  async start() {
    this.server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      try {
        this.take(Buffer.concat(chunks), request.headers["stripe-signature"]);
      } catch (failure) {
        this.failure = failure;
      }
      response.end();
    });
    await new Promise((started) => this.server.listen(0, "127.0.0.1", started));
    this.url = `http://127.0.0.1:${this.server.address().port}/webhook`;
  }

  take(body, signature) {
    const parts = Object.fromEntries(signature.split(",").map((part) => part.split("=")));
    const signed = createHmac("sha256", this.secret).update(`${parts.t}.`).update(body);
    assert.equal(parts.v1, signed.digest("hex"), "a webhook has a wrong signature");
    this.events.push(JSON.parse(body));
  }

  /** Ends when every connection has ended. A connection without a request would hold it open. */
  async close() {
    await new Promise((closed) => {
      this.server.close(closed);
      this.server.closeIdleConnections();
    });
    if (this.failure) throw this.failure;
  }
}

class Flow {
  constructor(url, key) {
    this.url = url;
    this.authorization = `Basic ${Buffer.from(`${key}:`).toString("base64")}`;
    this.receiver = new Receiver();
  }

  async call(method, path, form = {}) {
    const text = new URLSearchParams(form).toString();
    const headers = { authorization: this.authorization };
    const request = { method, headers };
    if (method === "GET") path += text ? `?${text}` : "";
    else {
      headers["content-type"] = "application/x-www-form-urlencoded";
      request.body = text;
    }
    const response = await fetch(this.url + path, request);
    const body = await response.json();
    assert.equal(response.status, 200, `${method} ${path}: ${JSON.stringify(body)}`);
    return body;
  }

  /** All objects of a list, page by page. */
  async all(path, form = {}) {
    const rows = [];
    for (let more = true; more; ) {
      const after = rows.length ? { starting_after: rows.at(-1).id } : {};
      const page = await this.call("GET", path, { limit: 100, ...form, ...after });
      rows.push(...page.data);
      more = page.has_more;
    }
    return rows;
  }

  async run(stepSeconds) {
    await this.receiver.start();
    try {
      await this.followWeek(stepSeconds);
    } finally {
      await this.receiver.close();
    }
  }

  async followWeek(stepSeconds) {
    const account = await this.link();
    await this.call("GET", `${HELPERS}/settled`, { customer: this.customer, timeout: 60 });
    const copy = new Map();
    let seen = await this.nextRefresh(account);
    await this.follow(account, copy, seen);
    let refreshes = 1;
    for (let step = 1; step <= STEPS; step += 1) {
      const form = { frozen_time: START + step * stepSeconds, wait: true, timeout: 60 };
      const clock = await this.call("POST", `${HELPERS}/test_clocks/${this.clock}/advance`, form);
      assert.equal(clock.status, "ready");
      for (let day = 0; day < stepSeconds / DAY; day += 1) {
        const last = seen;
        seen = await this.nextRefresh(account, { after: last.id });
        refreshes += 1;
        const after = last.data.object.transaction_refresh.id;
        await this.follow(account, copy, seen, { "transaction_refresh[after]": after });
      }
      await this.compare(account, copy, refreshes);
    }
  }

  async link() {
    const endpoint = { url: this.receiver.url, "enabled_events[]": "*" };
    this.receiver.secret = (await this.call("POST", "/v1/webhook_endpoints", endpoint)).secret;
    const clocks = `${HELPERS}/test_clocks`;
    this.clock = (await this.call("POST", clocks, { frozen_time: START })).id;
    this.customer = (await this.call("POST", "/v1/customers", { test_clock: this.clock })).id;
    const session = await this.call("POST", `${FC}/sessions`, {
      "account_holder[type]": "customer",
      "account_holder[customer]": this.customer,
      "permissions[]": "transactions",
      "prefetch[]": "transactions",
    });
    const link = `${HELPERS}/financial_connections/link`;
    const linked = await this.call("POST", link, { carrier: session.id });
    const account = linked.accounts.data[0].id;
    const features = { "features[]": "transactions" };
    await this.call("POST", `${FC}/accounts/${account}/subscribe`, features);
    return account;
  }

  nextRefresh(account, after = {}) {
    const form = { type: REFRESHED, account, timeout: 60, ...after };
    return this.call("GET", `${HELPERS}/events/wait`, form);
  }

  /** Brings the copy up to date after one refresh. */
  async follow(account, copy, event, after = {}) {
    assert.equal(event.data.object.transaction_refresh.status, "succeeded");
    const rows = await this.all(`${FC}/transactions`, { account, ...after });
    for (const row of rows) copy.set(row.id, row);
  }

  async compare(account, copy, refreshes) {
    const listed = await this.all(`${FC}/transactions`, { account });
    assert.deepEqual(copy, new Map(listed.map((row) => [row.id, row])));
    const events = await this.all("/v1/events");
    const received = new Set(this.receiver.events.map((event) => event.id));
    assert.equal(received.size, this.receiver.events.length, "a webhook came twice");
    const missing = events.filter((event) => !received.has(event.id));
    for (const event of missing) {
      const path = `${HELPERS}/events/${event.id}/deliveries`;
      console.log("missing", JSON.stringify(await this.call("GET", path)));
    }
    assert.equal(missing.length, 0, "an event has not come");
    assert.equal(received.size, events.length, "a webhook has no event");
    assert.equal(events.filter((event) => event.type === REFRESHED).length, refreshes);
  }
}

const [url, flows, name] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
let failed = 0;
const run = async (number) => {
  try {
    const stepSeconds = number % 2 ? DAY : 7 * DAY;
    await new Flow(url, `sk_test_week${name}${number}`).run(stepSeconds);
  } catch (failure) {
    failed += 1;
    console.log(`${name} ${number}: ${failure.stack}`);
  }
};
await Promise.all(Array.from({ length: flows }, (_, number) => run(number)));
console.log(`${flows - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
