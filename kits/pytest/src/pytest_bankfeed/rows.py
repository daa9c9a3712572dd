"""Rows of transactions in a form that an application's copy and the bank's ledger share."""

from typing import Any, Iterable, List, NamedTuple, Optional


class Row(NamedTuple):
    """A transaction as both sides know it. Times are Unix seconds, and amounts are minor units."""

    transacted_at: int
    amount: int
    currency: str
    description: str
    status: str
    posted_at: Optional[int]


def row_of(transaction: Any) -> Row:
    """The row of a transaction of the API or of an entry of the ledger."""
    transitions = transaction["status_transitions"]
    return Row(
        transacted_at=transaction["transacted_at"],
        amount=transaction["amount"],
        currency=transaction["currency"],
        description=transaction["description"],
        status=transaction["status"],
        posted_at=transitions["posted_at"],
    )


def rows_of(transactions: Iterable[Any]) -> List[Row]:
    """The rows of transactions, without void ones, in the order of their times."""
    rows = [row_of(one) for one in transactions if one["status"] != "void"]
    # A time that is missing sorts first.
    return sorted(rows, key=lambda row: (*row[:5], row.posted_at or 0))
