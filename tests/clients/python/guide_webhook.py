"""The webhook of Stripe's guide to transactions, with each call that it makes there: the event is not verified, and one
page is read. What the guide leaves out is above and below it: three imports, and the functions of a database."""

import json

import stripe
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.route("/stripe_webhooks", methods=["POST"])
def webhook():
    event = None
    try:
        event = stripe.Event.construct_from(json.loads(request.data), stripe.api_key)
    except ValueError as e:
        raise e

    if event.type == "financial_connections.account.refreshed_transactions":
        account = event.data.object
        sync_transactions(account["id"], account["transaction_refresh"]["id"])

    return jsonify(success=True)


def sync_transactions(account_id, current_refresh):
    last_observed_transaction_refresh = get_previous_transaction_refresh(key=account_id)

    response = stripe.financial_connections.Transaction.list(
        account=account_id,
        transaction_refresh={"after": last_observed_transaction_refresh},
    )

    for transaction in response.data:
        record_transaction(transaction)

    set_previous_transaction_refresh(key=account_id, value=current_refresh)


# The database.

transactions = {}
refreshes = {}


def record_transaction(transaction):
    transactions[transaction.id] = transaction


def get_previous_transaction_refresh(key):
    return refreshes.get(key)


def set_previous_transaction_refresh(key, value):
    refreshes[key] = value
