"""A follower of the feed, as an integrator writes it: a Flask app that verifies each webhook and
brings its own table up to date."""

import logging
import threading

import stripe
from flask import Flask, request
from werkzeug.serving import make_server

REFRESHED = "financial_connections.account.refreshed_transactions"


class Follower:
    def __init__(self):
        self.client = None
        self.secret = None
        self.tables = {}
        self.cursors = {}
        self.events = []
        self.rejected = 0
        self.changed = threading.Condition()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        app = Flask("follower")
        app.add_url_rule("/webhook", view_func=self.receive, methods=["POST"])
        self.http = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.port}/webhook"

    def receive(self):
        try:
            event = stripe.Webhook.construct_event(
                request.get_data(), request.headers["Stripe-Signature"], self.secret
            )
        except stripe.SignatureVerificationError:
            with self.changed:
                self.rejected += 1
                self.changed.notify_all()
            return "", 400
        with self.changed:
            try:
                if event.type == REFRESHED:
                    self.follow(event.data.object)
            except stripe.APIConnectionError:
                # The server went away in the middle; the event comes again.
                return "", 503
            self.events.append(event)
            self.changed.notify_all()
        return "", 200

    def follow(self, account):
        """Reads what is new or changed since the last refresh that was handled, page by page."""
        params = {"account": account.id, "limit": 50}
        if account.id in self.cursors:
            params["transaction_refresh"] = {"after": self.cursors[account.id]}
        table = self.tables.setdefault(account.id, {})
        try:
            page = self.client.v1.financial_connections.transactions.list(params)
            for row in page.auto_paging_iter():
                table[row.id] = row
        except stripe.InvalidRequestError as error:
            if error.code != "financial_connections_no_successful_transaction_refresh":
                raise
        self.cursors[account.id] = account.transaction_refresh.id

    def wait(self, what, condition, seconds=30):
        """Waits for a named condition over what was received, and for so long at most."""
        with self.changed:
            if not self.changed.wait_for(lambda: condition(self), seconds):
                seen = [event.type for event in self.events[-5:]]
                raise AssertionError(f"waited {seconds} s for {what}; last events: {seen}")

    def refreshes(self, account):
        """The refreshes of an account that were reported, in the order of their arrival, each once."""
        handled = {}
        for event in self.events:
            if event.type == REFRESHED and event.data.object.id == account:
                refresh = event.data.object.transaction_refresh
                handled[refresh.id] = refresh.status
        return handled

    def has(self, event_id):
        return any(event.id == event_id for event in self.events)

    def seen(self, event_type, id=None):
        return any(
            event.type == event_type and (id is None or event.data.object.id == id)
            for event in self.events
        )
