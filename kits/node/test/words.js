// The tests of the kit, for any runner: a name and a function that takes an assertion of equality.

import assert from "node:assert/strict";
import { JudgeError, withBankfeed } from "bankfeed-test";
import { follower } from "./app.js";

const coffees = (rows) =>
  rows.filter((row) => row.description === "Blue Door Coffee").map((row) => row.amount);

export const tests = {
  "a tip": withBankfeed(async (bankfeed) => {
    const app = follower(bankfeed);
    const feed = await bankfeed.link({ prefetch: ["transactions"], webhook: app.handle });
    const coffee = await feed.add(-1200, "Blue Door Coffee", { pending: true });
    await feed.refresh();
    assert.deepEqual(coffees(app.rows), [-1200]);
    await coffee.post(-1440);
    await feed.refresh();
    assert.deepEqual(coffees(app.rows), [-1440]);
    await feed.advance({ days: 7 });
    assert.deepEqual(app.rows, await feed.ledger());
    assert.notEqual(app.rows.length, 0);
  }),

  "a failed refresh changes no row": withBankfeed(async (bankfeed) => {
    const app = follower(bankfeed);
    const feed = await bankfeed.link({ webhook: app.handle });
    const before = app.rows;
    await feed.add(-500, "Parking");
    await feed.failNext("institution_timeout");
    assert.equal((await feed.refresh()).transaction_refresh.status, "failed");
    assert.deepEqual(app.rows, before);
    assert.equal((await feed.refresh()).transaction_refresh.status, "succeeded");
    assert.equal(app.rows.length, before.length + 1);
    assert.deepEqual(app.rows, await feed.ledger());
  }),

  "balance, owners and status": withBankfeed(async (bankfeed) => {
    const feed = await bankfeed.link();
    await feed.setBalance(12345);
    await feed.setOwners("Jenny Rosen");
    assert.equal((await feed.refresh("balance", "ownership")).balance.current.usd, 12345);
    await feed.deactivate();
    assert.equal((await feed.retrieve()).status, "inactive");
    await feed.reactivate();
    assert.equal((await feed.retrieve()).status, "active");
  }),

  "a scenario adds a bank": withBankfeed(async (bankfeed) => {
    const text = 'name = "Quiet Bank"\n[[accounts]]\nname = "Checking"\nbalance = "12.00"';
    await bankfeed.scenario(text);
    const feed = await bankfeed.link({ institution: "Quiet Bank", webhook: () => {} });
    assert.deepEqual(await feed.ledger(), []);
    assert.equal((await feed.refresh("balance")).balance.current.usd, 1200);
  }, { judge: false }),

  "keys share no data": withBankfeed(async (bankfeed) => {
    await withBankfeed((other) => other.link())();
    assert.deepEqual((await bankfeed.client.customers.list()).data, []);
  }),

  "the judge fails a client that stops paging": () => {
    const sloppy = withBankfeed(async (bankfeed) => {
      const { transactions } = bankfeed.client.financialConnections;
      const webhook = async ({ type, data }) => {
        if (type.endsWith("refreshed_transactions")) {
          await transactions.list({ account: data.object.id });
        }
      };
      await bankfeed.link({ prefetch: ["transactions"], webhook });
    });
    return assert.rejects(sloppy, (error) => {
      assert.ok(error instanceof JudgeError);
      assert.match(error.message, /paging_stopped[^]*Fix: Read every page/);
      assert.match(error.stack, /bankfeed: key sk_test_/);
      return true;
    });
  },

  "an error of the receiver is that of the test": () => {
    const broken = withBankfeed(async (bankfeed) => {
      const webhook = () => {
        throw new TypeError("no such column");
      };
      await bankfeed.link({ webhook });
    });
    return assert.rejects(broken, { name: "TypeError", message: "no such column" });
  },
};
