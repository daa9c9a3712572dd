// Thin events: from an event destination to the fetched object, with the types of the newest client.
import assert from "node:assert/strict";
import type Stripe from "stripe-newest";
import type { Merchant, Step } from "./integration.js";
import { Inbox } from "./server.js";

const FAMILY = "v1.financial_connections.account.";
const ENDED = `${FAMILY}balance_refresh_succeeded` as const;
const REFRESHED = `${FAMILY}refreshed_balance` as const;

const newest = (merchant: Merchant) => merchant.stripe as unknown as Stripe;

/** The inbox of the destination, and its secret. */
const inbox = new Inbox();
let secret = "";

/** The verified notification with a name. */
function notified(merchant: Merchant, name: Stripe.V2.Core.EventNotification["type"]) {
  return inbox.wait(name, ({ body, signature }) => {
    const event = newest(merchant).parseEventNotification(body, signature, secret);
    return event.type === name ? event : undefined;
  });
}

export const THIN: Step[] = [
  [
    "a destination for thin events is created",
    async (merchant) => {
      const made = await newest(merchant).v2.core.eventDestinations.create({
        name: "Node",
        type: "webhook_endpoint",
        event_payload: "thin",
        enabled_events: [ENDED, REFRESHED],
        webhook_endpoint: { url: await inbox.open() },
        include: ["webhook_endpoint.signing_secret"],
      });
      assert.match(made.id, /^ed_test_/);
      secret = String(made.webhook_endpoint?.signing_secret);
      const listed = await newest(merchant).v2.core.eventDestinations.list();
      assert.deepEqual(listed.data.map(({ id }) => id), [made.id]);
    },
  ],
  [
    "a notification leads to its event and its account",
    async (merchant) => {
      const { sessions, accounts } = newest(merchant).financialConnections;
      const session = await sessions.create({
        account_holder: { type: "customer", customer: merchant.customer },
        permissions: ["balances"],
      });
      await merchant.link(session.id, { accounts: ["High Balance"] });
      const [linked] = (await sessions.retrieve(session.id)).accounts.data;
      await accounts.refresh(linked.id, { features: ["balance"] });
      const ended = await notified(merchant, ENDED);
      assert.ok(ended.type === ENDED);
      assert.equal(ended.related_object.id, linked.id);
      const account = await ended.fetchRelatedObject();
      assert.equal(account.balance_refresh?.status, "succeeded");
      const event = await ended.fetchEvent();
      assert.ok(event.type === ENDED && event.id === ended.id);
      const refreshed = await notified(merchant, REFRESHED);
      assert.notEqual(refreshed.id, ended.id);
      assert.equal((await refreshed.fetchEvent()).snapshot_event, event.snapshot_event);
      inbox.close();
    },
  ],
];
