"""A lender decides on a loan by 180 days of transactions: income, fixed costs and the lowest balance.

    python lender.py sk_test_… http://127.0.0.1:12111 fca_…
"""

import sys
from dataclasses import dataclass, field
from typing import List, Tuple

import stripe

from copy_of_feed import CopyOfFeed, Payment
from patterns import DAY_S, Repeated, repeated

WINDOW_S = 180 * DAY_S
INCOME_MAX_AGE_S = 45 * DAY_S
# The instalment may be at most this part of the money that is left in a month.
SHARE_OF_FREE = 0.4
LOWEST_BALANCE = -50_000
HISTORY_S_MIN = 90 * DAY_S


@dataclass
class Decision:
    """The decision with its figures, in minor units, and the reasons against a loan."""

    approved: bool
    income: int
    fixed_costs: int
    lowest_balance: int
    reasons: List[str] = field(default_factory=list)


def lowest_balance(payments: List[Payment], current: int, now: int) -> Tuple[int, int]:
    """The lowest balance of the window, with its time. It goes back from the current balance, because
    the history may begin in the middle of the account's life. Pending payments are not in the balance."""
    balance, lowest = current, (current, now)
    posted = [one for one in payments if one.status == "posted"]
    for one in reversed(posted):
        # Before this payment the balance was higher by what it took.
        balance -= one.amount
        lowest = min(lowest, (balance, one.transacted_at))
    return lowest


def incomes(payments: List[Payment], now: int) -> List[Repeated]:
    """The incomes that still arrive: repeated credits with a recent last payment."""
    credits = [one for one in payments if one.amount > 0 and one.status == "posted"]
    return [one for one in repeated(credits) if now - one.last_at <= INCOME_MAX_AGE_S]


def decide(payments: List[Payment], current: int, now: int, instalment: int, stale: bool) -> Decision:
    """Decides on a monthly instalment, in minor units. `stale` is true if the last refresh failed."""
    recent = [one for one in payments if one.transacted_at > now - WINDOW_S]
    income = sum(one.monthly for one in incomes(recent, now))
    debits = [one for one in recent if one.amount < 0 and one.status == "posted"]
    fixed_costs = -sum(one.monthly for one in repeated(debits))
    lowest, _ = lowest_balance(recent, current, now)
    decision = Decision(False, income, fixed_costs, lowest)
    if stale:
        decision.reasons.append("the last refresh failed, so the data may be old")
    if not recent or now - recent[0].transacted_at < HISTORY_S_MIN:
        decision.reasons.append("less than 90 days of history")
    if income == 0:
        decision.reasons.append("no repeated income")
    elif instalment > (income - fixed_costs) * SHARE_OF_FREE:
        decision.reasons.append("the instalment is too high for income and fixed costs")
    if lowest < LOWEST_BALANCE:
        decision.reasons.append("the account was deeply overdrawn")
    decision.approved = not decision.reasons
    return decision


class Lender:
    """The application: a webhook handler and a question."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client, self.copy = client, CopyOfFeed(client)

    def handle(self, event: object) -> None:
        """The webhook handler."""
        self.copy.handle(event)

    def decision(self, account: str, instalment: int) -> Decision:
        """The decision on an instalment for the holder of an account."""
        shown = self.client.v1.financial_connections.accounts.retrieve(account)
        if shown.balance is None:
            return Decision(False, 0, 0, 0, ["the balance is not known yet"])
        current, now = shown.balance.current["usd"], shown.balance.as_of
        payments = self.copy.payments(account)
        return decide(payments, current, now, instalment, self.copy.is_stale(account))


def main() -> None:
    key, url, account = sys.argv[1:]
    lender = Lender(stripe.StripeClient(key, base_addresses={"api": url}))
    shown = lender.client.v1.financial_connections.accounts.retrieve(account)
    lender.copy.follow(shown)
    print(lender.decision(account, 30_000))


if __name__ == "__main__":
    main()
