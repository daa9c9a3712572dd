// Rows of transactions in a form that an application's copy and the bank's ledger share.

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The row of a transaction of the API or of an entry of the ledger. */
function rowOf(transaction) {
  return {
    transacted_at: transaction.transacted_at,
    amount: transaction.amount,
    currency: transaction.currency,
    description: transaction.description,
    status: transaction.status,
    posted_at: transaction.status_transitions.posted_at,
  };
}

/** The rows of transactions, without void ones, in the order of their times. */
export function rowsOf(transactions) {
  const rows = [...transactions].filter((one) => one.status !== "void").map(rowOf);
  return rows.sort(
    (a, b) =>
      a.transacted_at - b.transacted_at ||
      a.amount - b.amount ||
      byText(a.description, b.description) ||
      byText(a.status, b.status) ||
      (a.posted_at ?? 0) - (b.posted_at ?? 0),
  );
}
