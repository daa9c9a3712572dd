"""A bank that a test controls, behind Stripe's Financial Connections API.

The fixture `bankfeed` is a `Bankfeed`. `bankfeed.link()` returns a `Feed`: one linked bank account with
the bank's side of it.
"""

from .bank import BEGIN_S, Bankfeed, Endpoint, Feed, JudgeError, Transaction
from .rows import Row, rows_of
from .server import Server, ServerError

__all__ = [
    "BEGIN_S",
    "Bankfeed",
    "Endpoint",
    "Feed",
    "JudgeError",
    "Row",
    "Server",
    "ServerError",
    "Transaction",
    "rows_of",
]
