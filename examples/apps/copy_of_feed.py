"""A copy of the transactions of bank accounts in SQLite, which follows the feed.

The three applications beside this file share it. It handles `refreshed_transactions` as the README says:
list what changed since the last refresh that was handled, to the last page, store it, and then store the
refresh. Rows and refresh are stored in one transaction of the database, so a crash in between repeats
the event and loses no row.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any, Iterator, List, Optional

import stripe

REFRESHED = "financial_connections.account.refreshed_transactions"
NO_DATA_YET = "financial_connections_no_successful_transaction_refresh"
SCHEMA = """
CREATE TABLE IF NOT EXISTS transactions (
    id TEXT PRIMARY KEY, account TEXT, transacted_at INTEGER, posted_at INTEGER, amount INTEGER,
    currency TEXT, description TEXT, status TEXT);
CREATE INDEX IF NOT EXISTS by_account ON transactions (account, transacted_at);
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, handled TEXT, refreshed_at INTEGER, failed INTEGER);
"""


@dataclass(frozen=True)
class Payment:
    """A transaction that is not void. Money out is negative."""

    id: str
    transacted_at: int
    posted_at: Optional[int]
    amount: int
    currency: str
    description: str
    status: str


class CopyOfFeed:
    """The copy. `path` is the file of the database, or `:memory:`."""

    def __init__(self, client: stripe.StripeClient, path: str = ":memory:") -> None:
        self.bank = client.v1.financial_connections
        self.database = sqlite3.connect(path, check_same_thread=False)
        self.database.executescript(SCHEMA)

    def handle(self, event: Any) -> None:
        """Handles a verified event. Other events than those about transactions are ignored."""
        if event.type == REFRESHED:
            self.follow(event.data.object)

    def follow(self, account: Any) -> None:
        """Stores the changes of an account since the last refresh that was handled."""
        refresh = account.transaction_refresh
        with self.database:
            for row in self._changes(account.id):
                transitions = row.status_transitions
                self.database.execute(
                    "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (row.id, account.id, row.transacted_at, transitions.posted_at, row.amount,
                     row.currency, row.description, row.status),
                )
            failed = refresh.status == "failed"
            self.database.execute(
                "INSERT INTO accounts VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET handled = ?2,"
                " refreshed_at = CASE WHEN ?4 THEN refreshed_at ELSE ?3 END, failed = ?4",
                (account.id, refresh.id, None if failed else refresh.last_attempted_at, failed),
            )
        if failed:
            # The rows do not show that they are old, so look at the account. Its status says whether the
            # holder has to link it again.
            self.bank.accounts.retrieve(account.id)

    def _changes(self, account: str) -> Iterator[Any]:
        params: Any = {"account": account, "limit": 100}
        known = self._account(account)
        if known is not None:
            params["transaction_refresh"] = {"after": known[0]}
        try:
            yield from self.bank.transactions.list(params).auto_paging_iter()
        except stripe.InvalidRequestError as error:
            if error.code != NO_DATA_YET:
                raise

    def payments(self, account: str) -> List[Payment]:
        """The transactions of an account that are not void, the oldest first."""
        found = self.database.execute(
            "SELECT id, transacted_at, posted_at, amount, currency, description, status FROM transactions"
            " WHERE account = ? AND status <> 'void' ORDER BY transacted_at, id",
            (account,),
        )
        return [Payment(*row) for row in found]

    def is_stale(self, account: str) -> bool:
        """True if the last refresh failed, or there was none. The copy is then as old as the last
        refresh that succeeded."""
        known = self._account(account)
        return known is None or bool(known[2])

    def _account(self, account: str) -> Any:
        found = self.database.execute(
            "SELECT handled, refreshed_at, failed FROM accounts WHERE id = ?", (account,)
        )
        return found.fetchone()
