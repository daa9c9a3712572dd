"""A budget: categories by rules, and the cash flow of each month.

    python budget.py sk_test_… http://127.0.0.1:12111 fca_…
"""

import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Dict, List, Sequence, Tuple

import stripe

from copy_of_feed import CopyOfFeed, Payment

# The first rule that fits decides. A rule is a category, the direction, and words of the description.
RULES: Sequence[Tuple[str, int, str]] = (
    ("income", 1, r"PAYROLL|DIR DEP|PAYOUT|SOC SEC|SALARY"),
    ("refunds", 1, r"REFUND|RETURN|REVERSAL"),
    ("transfers", 0, r"TRANSFER|XFER|ZELLE|VENMO"),
    ("housing", -1, r"RENT|MORTGAGE|APARTMENTS|PROPERTY"),
    ("utilities", -1, r"ELECTRIC|POWER|WATER|GAS CO|INTERNET|MOBILE|TELECOM|INSURANCE"),
    ("groceries", -1, r"MARKET|GROCER|FOODS|BAKERY"),
    ("eating out", -1, r"COFFEE|CAFE|RESTAURANT|PIZZA|GRILL|DELIVER|DINER"),
    ("transport", -1, r"METRO|FUEL|TAXI|PARKING|RIDE|TRANSIT|GAS STATION"),
    ("fees", -1, r"\bFEE\b|OVERDRAFT"),
)
OTHER = {1: "other income", -1: "other expenses"}
TRANSFERS = "transfers"


@dataclass(frozen=True)
class Month:
    """The sums of a month by category, in minor units. Transfers are neither income nor expense."""

    name: str
    by_category: Dict[str, int]

    @property
    def income(self) -> int:
        """Money in."""
        return sum(self._amounts(1))

    @property
    def expenses(self) -> int:
        """Money out, as a negative sum."""
        return sum(self._amounts(-1))

    @property
    def cash_flow(self) -> int:
        """Money in and out."""
        return self.income + self.expenses

    def _amounts(self, sign: int) -> List[int]:
        sums = self.by_category.items()
        return [sum_ for category, sum_ in sums if category != TRANSFERS and sum_ * sign > 0]


def category_of(payment: Payment) -> str:
    """The category of a payment, by the first rule that fits."""
    sign = 1 if payment.amount > 0 else -1
    for category, direction, words in RULES:
        if direction in (0, sign) and re.search(words, payment.description.upper()):
            return category
    return OTHER[sign]


def month_of(payment: Payment) -> str:
    """The month of a payment in UTC, such as `2026-09`."""
    return datetime.fromtimestamp(payment.transacted_at, timezone.utc).strftime("%Y-%m")


def months(payments: Sequence[Payment]) -> List[Month]:
    """The months of payments, the oldest first. Pending payments count, because the money is spent."""
    sums: Dict[str, Dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in payments:
        sums[month_of(one)][category_of(one)] += one.amount
    return [Month(name, dict(by_category)) for name, by_category in sorted(sums.items())]


class Budget:
    """The application: a webhook handler and a report."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client, self.copy = client, CopyOfFeed(client)

    def handle(self, event: object) -> None:
        """The webhook handler."""
        self.copy.handle(event)

    def months(self, account: str) -> List[Month]:
        """The months of an account."""
        return months(self.copy.payments(account))

    def report(self, account: str) -> str:
        """A table of the months, with a remark if the data may be old."""
        lines = [f"{'month':8} {'income':>12} {'expenses':>12} {'cash flow':>12}"]
        for month in self.months(account):
            figures = (month.income, month.expenses, month.cash_flow)
            lines.append(f"{month.name:8} " + " ".join(f"{sum_ / 100:12,.2f}" for sum_ in figures))
        if self.copy.is_stale(account):
            lines.append("The bank could not be reached. These are the last known figures.")
        return "\n".join(lines)


def main() -> None:
    key, url, account = sys.argv[1:]
    budget = Budget(stripe.StripeClient(key, base_addresses={"api": url}))
    shown = budget.client.v1.financial_connections.accounts.retrieve(account)
    budget.copy.follow(shown)
    print(budget.report(account))


if __name__ == "__main__":
    main()
