"""beangulp-stripe fetches invoices, the balance and its transactions for a ledger."""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from beangulp_stripe import Importer, StripeClient, StripeError, correlate_invoices  # noqa: E402
from judging import KEY, Judge, every, get, post, trigger  # noqa: E402

INVOICES = 103


def main():
    judge = Judge("beangulp-stripe 0.3.0")
    trigger("invoice.payment_succeeded", "invoice.payment_succeeded", "charge.succeeded")
    customer = post("/v1/customers", email="jenny@example.com")["id"]
    # More than one page of a hundred.
    for _ in range(INVOICES - 2):
        post("/v1/invoices", customer=customer)

    client = StripeClient(KEY)
    judge.equal("the account is the server's", client.account()["id"], get("/v1/account")["id"])
    invoices = client.invoices()
    judge.equal(
        "every invoice is fetched once", len({invoice["id"] for invoice in invoices}), INVOICES
    )
    judge.equal("the order is that of creation", invoices, sorted(invoices, key=by_creation))
    newest = max(invoice["created"] for invoice in invoices)
    judge.equal("a window after the newest is empty", client.invoices(created_gte=newest + 1), [])
    balance = client.balance()
    judge.equal("the balance is the server's", balance, get("/v1/balance"))
    transactions = client.balance_transactions()
    judge.equal("its transactions are the server's", len(transactions), len(every(TRANSACTIONS)))

    document = {
        "account": client.account(),
        "data": transactions,
        "balance": {"as_of": "2026-01-01", **balance},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        importer = Importer({"USD": "Assets:Stripe"}, fees_account="Expenses:Fees")
        judge.true("the importer knows the file", importer.identify(file.name))
        entries = importer.extract(file.name, [])
        booked = [entry for entry in entries if hasattr(entry, "postings")]
        judge.equal("each transaction is an entry", len(booked), len(transactions))
    matches, ties = correlate_invoices(transactions, invoices)
    judge.true(
        "a match needs a transaction",
        len(matches) + len(ties) <= len(transactions),
        (matches, ties),
    )
    try:
        StripeClient("nonsense").account()
        judge.true("a wrong key is an error", False, "no error")
    except StripeError as error:
        judge.true("a wrong key is an error", "401" in str(error), str(error))
    judge.end()


def by_creation(row):
    return (row["created"], row["id"])


TRANSACTIONS = "/v1/balance_transactions"
main()
