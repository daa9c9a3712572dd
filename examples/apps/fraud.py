"""A check for fraud: an inflow just before a large outflow, an owner with another name, a new account.

    python fraud.py sk_test_… http://127.0.0.1:12111 fca_… "Jenny Rosen"
"""

import sys
from dataclasses import dataclass
from typing import List, Sequence

import stripe

from copy_of_feed import CopyOfFeed, Payment

DAY_S = 86_400
# An inflow that leaves again within three days, nearly whole, is a pass-through.
PASS_THROUGH_S_MAX = 3 * DAY_S
PASS_THROUGH_SHARE_MIN = 0.8
LARGE = 100_000
HISTORY_S_MIN = 30 * DAY_S
# Legal forms and titles say nothing about the person.
IGNORED = {"mr", "mrs", "ms", "dr", "llc", "inc", "co", "ltd"}


@dataclass(frozen=True)
class Signal:
    """A reason to look at an account, with the ids of the transactions that show it."""

    code: str
    message: str
    transactions: Sequence[str] = ()


def words_of(name: str) -> frozenset:
    """The words of a name that identify a person, without their order."""
    letters = "".join(letter.lower() if letter.isalnum() else " " for letter in name)
    return frozenset(word for word in letters.split() if word not in IGNORED and len(word) > 1)


def is_same_person(name: str, owner: str) -> bool:
    """True if two names share the last name and one more word, in any order. A middle name may be
    missing on one side."""
    return len(words_of(name) & words_of(owner)) >= min(2, len(words_of(name)), len(words_of(owner)))


def pass_throughs(payments: Sequence[Payment]) -> List[Signal]:
    """Large inflows of which most leaves again within three days."""
    signals = []
    for position, inflow in enumerate(payments):
        if inflow.amount < LARGE:
            continue
        later = payments[position + 1 :]
        out = [
            one
            for one in later
            if one.amount < 0 and one.transacted_at - inflow.transacted_at <= PASS_THROUGH_S_MAX
        ]
        # A larger payment is not this inflow alone.
        most = inflow.amount * 1.05
        large = [one for one in out if LARGE // 2 <= -one.amount <= most]
        if -sum(one.amount for one in large) >= inflow.amount * PASS_THROUGH_SHARE_MIN:
            ids = [inflow.id, *(one.id for one in large)]
            message = f"{inflow.amount / 100:,.2f} came in and left within three days"
            signals.append(Signal("pass_through", message, ids))
    return signals


def owner_signals(name: str, owners: Sequence[str]) -> List[Signal]:
    """A signal if no owner of the account has the name of the customer."""
    if not owners:
        return [Signal("owner_unknown", "the bank names no owner")]
    if any(is_same_person(name, owner) for owner in owners):
        return []
    return [Signal("owner_mismatch", f"the customer is {name}, the account belongs to {', '.join(owners)}")]


def history_signals(payments: Sequence[Payment], now: int) -> List[Signal]:
    """A signal if the account is new or unused."""
    if payments and now - payments[0].transacted_at >= HISTORY_S_MIN:
        return []
    return [Signal("new_account", "the account has less than thirty days of history")]


class FraudCheck:
    """The application: a webhook handler and a check."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client, self.copy = client, CopyOfFeed(client)

    def handle(self, event: object) -> None:
        """The webhook handler."""
        self.copy.handle(event)

    def signals(self, account: str, name: str) -> List[Signal]:
        """The signals about a customer's account."""
        accounts = self.client.v1.financial_connections.accounts
        shown = accounts.retrieve(account)
        payments = self.copy.payments(account)
        signals = owner_signals(name, self._owners(shown))
        signals += history_signals(payments, shown.transaction_refresh.last_attempted_at)
        signals += pass_throughs(payments)
        if self.copy.is_stale(account):
            signals.append(Signal("stale", "the last refresh failed, so newer payments may be missing"))
        return signals

    def _owners(self, account: object) -> List[str]:
        if account.ownership is None:
            return []
        owners = self.client.v1.financial_connections.accounts.owners.list(
            account.id, {"ownership": account.ownership, "limit": 100}
        )
        return [owner.name for owner in owners.auto_paging_iter()]


def main() -> None:
    key, url, account, name = sys.argv[1:]
    check = FraudCheck(stripe.StripeClient(key, base_addresses={"api": url}))
    check.copy.follow(check.client.v1.financial_connections.accounts.retrieve(account))
    for signal in check.signals(account, name):
        print(signal.code, signal.message)


if __name__ == "__main__":
    main()
