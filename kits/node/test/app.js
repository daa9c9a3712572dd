// An application that follows an account, as the documents describe.

import { rowsOf } from "bankfeed-test";

const REFRESHED = "financial_connections.account.refreshed_transactions";

export function follower({ client }) {
  const copy = new Map();
  const last = {};
  return {
    get rows() {
      return rowsOf(copy.values());
    },
    async handle(event) {
      if (event.type !== REFRESHED) return;
      const { id: account, transaction_refresh: refresh } = event.data.object;
      if (refresh.status !== "succeeded") {
        await client.financialConnections.accounts.retrieve(account);
        return;
      }
      const params = { account, limit: 100, ...last };
      for await (const row of client.financialConnections.transactions.list(params)) {
        copy.set(row.id, row);
      }
      last.transaction_refresh = { after: refresh.id };
    },
  };
}
