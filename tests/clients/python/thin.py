"""Thin events through the official Python client: from an event destination to the fetched object.

Prints a line a step, and at the end `N passed, M failed`.
"""

import sys
from pathlib import Path

import stripe

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import steps  # noqa: E402
from deliveries import Deliveries  # noqa: E402
from server import Server  # noqa: E402

KEY = "sk_test_python_thin"
HELPERS = "/v1/test_helpers"
FAMILY = "v1.financial_connections.account."


class Merchant:
    def __init__(self):
        self.server = Server(cool_down_test=0)
        self.server.start()
        self.deliveries = Deliveries()
        self.client = stripe.StripeClient(KEY, base_addresses={"api": self.server.url})
        self.destinations = self.client.v2.core.event_destinations

    def raw(self, path, /, **params):
        return self.client.raw_request("post", f"{HELPERS}{path}", **params)

    def wait(self, name, account=None):
        """Waits for a verified notification with this name."""

        def find(body, signature):
            event = self.client.parse_event_notification(body, signature, self.secret)
            about = account in (None, event.related_object.id)
            return event if event.type == name and about else None

        return self.deliveries.wait(name, find)

    # Steps, in order.

    def a_destination_is_created(self):
        names = ["created", "refreshed_balance", "balance_refresh_succeeded"]
        made = self.destinations.create(
            {
                "name": "Python",
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": [FAMILY + name for name in names],
                "webhook_endpoint": {"url": self.deliveries.url},
                "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
            }
        )
        assert isinstance(made, stripe.v2.core.EventDestination), type(made)
        assert made.webhook_endpoint.url == self.deliveries.url
        assert (made.status, made.snapshot_api_version) == ("enabled", None)
        self.secret, self.id = made.webhook_endpoint.signing_secret, made.id
        shown = self.destinations.retrieve(made.id)
        assert shown.webhook_endpoint.signing_secret is None, shown
        listed = list(self.destinations.list({"limit": 1}).auto_paging_iter())
        assert [one.id for one in listed] == [made.id]

    def a_linked_account_is_notified_and_fetched(self):
        customer = self.client.v1.customers.create({"email": "jenny.rosen@example.com"})
        session = self.client.v1.financial_connections.sessions.create(
            {
                "account_holder": {"type": "customer", "customer": customer.id},
                "permissions": ["balances", "transactions"],
            }
        )
        self.raw("/financial_connections/link", carrier=session.id, accounts=["Success"])
        notified = self.wait(FAMILY + "created")
        typed = stripe.events.V1FinancialConnectionsAccountCreatedEventNotification
        assert isinstance(notified, typed), type(notified)
        event = notified.fetch_event()
        assert isinstance(event, stripe.events.V1FinancialConnectionsAccountCreatedEvent)
        assert event.changes.before is None and event.changes.after.id == event.related_object.id
        account = notified.fetch_related_object()
        assert isinstance(account, stripe.financial_connections.Account), type(account)
        assert account.id == notified.related_object.id
        assert event.fetch_related_object().id == account.id
        self.account = account.id

    def a_refresh_is_notified_by_both_names(self):
        self.client.v1.financial_connections.accounts.refresh(
            self.account, {"features": ["balance"]}
        )
        refreshed = self.wait(FAMILY + "refreshed_balance", self.account)
        ended = self.wait(FAMILY + "balance_refresh_succeeded", self.account)
        typed = stripe.events.V1FinancialConnectionsAccountBalanceRefreshSucceededEventNotification
        assert isinstance(ended, typed), type(ended)
        assert refreshed.id != ended.id
        both = [refreshed.fetch_event(), ended.fetch_event()]
        (snapshot,) = {event.snapshot_event for event in both}
        assert self.client.v1.events.retrieve(snapshot).data.object.id == self.account
        account = ended.fetch_related_object()
        assert account.balance_refresh.status == "succeeded", account.balance_refresh

    def events_are_listed_by_name(self):
        names = [FAMILY + "balance_refresh_succeeded", FAMILY + "created"]
        params = {"types": names, "limit": 1, "object_id": self.account}
        listed = list(self.client.v2.core.events.list(params).auto_paging_iter())
        assert [event.type for event in listed] == names, listed

    def a_ping_arrives(self):
        pinged = self.destinations.ping(self.id)
        notified = self.wait("v2.core.event_destination.ping")
        assert notified.id == pinged.id
        assert notified.fetch_related_object().id == self.id

    def a_thin_event_is_not_a_snapshot_event(self):
        body, signature = self.deliveries.wait("any", lambda *delivery: delivery)
        try:
            stripe.Webhook.construct_event(body, signature, self.secret)
        except ValueError:
            return
        raise AssertionError("the payload was read as a snapshot event")

    def mistakes_are_typed_exceptions(self):
        for call, kind, status, text in [
            (lambda: self.destinations.retrieve("ed_test_none"), "not_found", 404, "ed_test_none"),
            (lambda: self.destinations.update(self.id, {"nme": "x"}), "parameter_unknown", 400, "nme"),
        ]:
            try:
                call()
            except stripe.InvalidRequestError as error:
                assert (error.http_status, error.code) == (status, kind), repr(error)
                assert text in str(error), str(error)
            else:
                raise AssertionError("the call was not refused")

    def a_deleted_destination_is_gone(self):
        disabled = self.destinations.disable(self.id)
        assert disabled.status_details.disabled.reason == "user"
        assert self.destinations.enable(self.id).status == "enabled"
        assert self.destinations.delete(self.id).id == self.id
        assert self.destinations.list().data == []


STEPS = [
    Merchant.a_destination_is_created,
    Merchant.a_linked_account_is_notified_and_fetched,
    Merchant.a_refresh_is_notified_by_both_names,
    Merchant.events_are_listed_by_name,
    Merchant.a_ping_arrives,
    Merchant.a_thin_event_is_not_a_snapshot_event,
    Merchant.mistakes_are_typed_exceptions,
    Merchant.a_deleted_destination_is_gone,
]


if __name__ == "__main__":
    steps.run(Merchant(), STEPS, f"python stripe {stripe.VERSION} thin events")
