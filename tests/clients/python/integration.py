"""One integration through the official Python client, in its three styles: `StripeClient`, the same
awaited, and classes with one key for all. Runs under each release that is installed: under dahlia the
guide's calls are right as printed, under endive its intents refuse named types.

Prints a line a step, and at the end `N passed, M failed`.
"""

import asyncio
import io
import sys
import urllib.request
from pathlib import Path

import pypdf
import stripe

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import steps  # noqa: E402
from cut_once import CutOnce  # noqa: E402
from deliveries import Deliveries  # noqa: E402
from server import Server  # noqa: E402

HELPERS = "/v1/test_helpers"
REFRESHED = "financial_connections.account.refreshed_transactions"
EMAIL = "jenny.rosen@example.com"
KEY = "sk_test_python_integration"
ENDIVE = stripe.api_version.endswith(".endive")
NAMED = {"payment_method_types": ["us_bank_account"]}
ALLOWED = {"allowed_payment_method_types": ["us_bank_account"]}
OPTIONS = {
    "us_bank_account": {
        "financial_connections": {
            "permissions": ["payment_method", "transactions"],
            "prefetch": ["transactions"],
        }
    }
}


class Merchant:
    def __init__(self):
        self.server = Server(cool_down_test=0)
        self.server.start()
        self.deliveries = Deliveries()
        self.client = self.connect(KEY)
        self.v1 = self.client.v1
        self.connections = self.v1.financial_connections

    def connect(self, key, port=None, **more):
        base = f"http://127.0.0.1:{port}" if port else self.server.url
        return stripe.StripeClient(key, base_addresses={"api": base}, **more)

    # What the steps share.

    def raw(self, path, /, **params):
        return self.client.raw_request("post", f"{HELPERS}{path}", **params)

    def link(self, carrier, **more):
        """Links an account of a test bank as the holder would, without a browser."""
        self.raw("/financial_connections/link", carrier=carrier, **more)

    def told(self, refresh):
        """Waits for the verified event about the end of a refresh."""

        def find(body, signature):
            event = stripe.Webhook.construct_event(body, signature, self.secret)
            if event.type != REFRESHED:
                return None
            account = event.data.object
            assert isinstance(account, stripe.financial_connections.Account), type(account)
            return account if account.transaction_refresh.id == refresh else None

        account = self.deliveries.wait(f"the end of {refresh}", find)
        assert account.transaction_refresh.status == "succeeded", account.transaction_refresh
        return account

    def refused(self, error_type, call):
        try:
            call()
        except stripe.StripeError as error:
            assert type(error) is error_type, repr(error)
            return error
        raise AssertionError("the call was not refused")

    def payer(self):
        return self.v1.customers.create({"email": EMAIL}).id

    def collected(self, method):
        """Looks at the account of a payment method; its prefetch has to end in a webhook."""
        account = method.us_bank_account.financial_connections_account
        linked = self.connections.accounts.retrieve(account)
        self.told(linked.transaction_refresh.id)
        assert self.connections.transactions.list({"account": account}).data

    def as_the_version_has_it(self, create, code="payment_method_types_no_longer_supported"):
        """The guide's call as printed; under endive its refusal, and what takes its place."""
        if not ENDIVE:
            made = create(NAMED)
            assert made.payment_method_types == ["us_bank_account"], made
            return made
        error = self.refused(stripe.InvalidRequestError, lambda: create(NAMED))
        assert (error.http_status, error.code) == (400, code), repr(error)
        assert error.param == "payment_method_types", error.param
        made = create(ALLOWED)
        assert made.allowed_payment_method_types == ["us_bank_account"], made
        assert made.payment_method_types == ["us_bank_account"], made
        return made

    # Steps, in order.

    def an_endpoint_is_made_with_the_clients_own_version(self):
        endpoint = self.v1.webhook_endpoints.create(
            {
                "url": self.deliveries.url,
                "enabled_events": ["*"],
                "api_version": stripe.api_version,
            }
        )
        assert endpoint.api_version == stripe.api_version
        self.secret = endpoint.secret

    def the_guide_awaited(self):
        asyncio.run(self.awaited())

    async def awaited(self):
        connections = self.connections
        customer = await self.v1.customers.create_async({"email": EMAIL, "phone": "2025550100"})
        assert isinstance(customer, stripe.Customer) and customer.phone == "2025550100"
        session = await connections.sessions.create_async(
            {
                "account_holder": {"type": "customer", "customer": customer.id},
                "permissions": ["transactions"],
            }
        )
        path = f"{HELPERS}/financial_connections/link"
        await self.client.raw_request_async("post", path, carrier=session.id)
        params = {"session": session.id}
        listed = [a async for a in (await connections.accounts.list_async(params)).auto_paging_iter()]
        (account,) = [account.id for account in listed]
        try:
            await connections.transactions.list_async({"account": account})
        except stripe.InvalidRequestError as error:
            assert error.code == "financial_connections_no_successful_transaction_refresh"
        else:
            raise AssertionError("transactions were listed before any refresh")
        features = {"features": ["transactions"]}
        subscribed = await connections.accounts.subscribe_async(account, features)
        first = subscribed.transaction_refresh.id
        self.told(first)
        page = await connections.transactions.list_async({"account": account, "limit": 40})
        rows = [row.id async for row in page.auto_paging_iter()]
        assert len(rows) == len(set(rows)) > 100
        asked = await connections.accounts.refresh_async(account, features)
        self.told(asked.transaction_refresh.id)
        params = {"account": account, "transaction_refresh": {"after": first}}
        async for row in (await connections.transactions.list_async(params)).auto_paging_iter():
            assert row.transaction_refresh == asked.transaction_refresh.id, row
        ended = await connections.accounts.unsubscribe_async(account, features)
        assert ended.subscriptions == []
        self.account = account

    def the_guide_in_classes(self):
        stripe.api_key, stripe.api_base = KEY, self.server.url
        customer = stripe.Customer.create(email=EMAIL, phone="2025550100")
        session = stripe.financial_connections.Session.create(
            account_holder={"type": "customer", "customer": customer.id},
            permissions=["transactions"],
            prefetch=["transactions"],
        )
        self.link(session.id, accounts=["High Balance"])
        session = stripe.financial_connections.Session.retrieve(session.id)
        account = session.accounts.data[0]
        prefetched = account.transaction_refresh.id
        self.told(prefetched)
        resource = stripe.financial_connections.Account
        subscribed = resource.subscribe(account.id, features=["transactions"])
        self.told(subscribed.transaction_refresh.id)
        entry = {"amount": -1200, "description": "Blue Door Coffee"}
        self.raw(f"/financial_connections/accounts/{account.id}/transactions", **entry)
        asked = resource.refresh_account(account.id, features=["transactions"])
        self.told(asked.transaction_refresh.id)
        rows = stripe.financial_connections.Transaction.list(
            account=account.id,
            transaction_refresh={"after": subscribed.transaction_refresh.id},
        )
        found = [row for row in rows.auto_paging_iter() if row.description == "Blue Door Coffee"]
        assert [row.amount for row in found] == [-1200]
        # The guide's first sync has no refresh yet; the client leaves that out altogether.
        rows = stripe.financial_connections.Transaction.list(
            account=account.id, transaction_refresh={"after": None}
        )
        assert rows.has_more and len(rows.data) == 10
        ended = resource.unsubscribe(account.id, features=["transactions"])
        assert ended.subscriptions == []

    def a_payment_intent_collects_an_account(self):
        wanted = {"amount": 2000, "currency": "usd", "customer": self.payer()}
        wanted |= {"setup_future_usage": "off_session", "payment_method_options": OPTIONS}
        intents = self.v1.payment_intents
        intent = self.as_the_version_has_it(lambda types: intents.create({**wanted, **types}))
        self.link(intent.id)
        linked = intents.retrieve(intent.id, {"expand": ["payment_method"]})
        self.collected(linked.payment_method)

    def a_setup_intent_collects_an_account(self):
        wanted = {"customer": self.payer(), "payment_method_options": OPTIONS}
        intents = self.v1.setup_intents
        intent = self.as_the_version_has_it(lambda types: intents.create({**wanted, **types}))
        self.link(intent.id)
        linked = intents.retrieve(intent.id, {"expand": ["payment_method"]})
        self.collected(linked.payment_method)

    def a_checkout_session_collects_an_account(self):
        wanted = {"customer": self.payer(), "payment_method_options": OPTIONS}
        sessions = self.v1.checkout.sessions
        session = self.as_the_version_has_it(
            lambda types: sessions.create({**wanted, **types}), code="parameter_unknown"
        )
        self.link(session.id)
        done = sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
        assert done.status == "complete"
        self.collected(done.setup_intent.payment_method)

    def an_invoice_collects_an_account(self):
        payer = self.payer()
        settings = {**NAMED, "payment_method_options": OPTIONS}
        draft = self.v1.invoices.create({"customer": payer, "payment_settings": settings})
        self.v1.invoice_items.create(
            {"customer": payer, "invoice": draft.id, "amount": 1000, "currency": "usd"}
        )
        self.v1.invoices.finalize_invoice(draft.id)
        self.link(draft.id)
        expand = {"expand": ["payments.data.payment.payment_intent"]}
        paying = self.v1.invoices.retrieve(draft.id, expand).payments.data[0].payment
        linked = self.v1.payment_intents.retrieve(
            paying.payment_intent.id, {"expand": ["payment_method"]}
        )
        self.collected(linked.payment_method)

    def the_file_of_an_invoice_can_be_read(self):
        payer = self.v1.customers.create({"name": "Żaneta 茶", "email": EMAIL}).id
        draft = self.v1.invoices.create(
            {"customer": payer, "collection_method": "send_invoice", "days_until_due": 30}
        )
        for amount, words in [(129_900, "A samovar, Чай"), (4200, "Tea")]:
            self.v1.invoice_items.create(
                {
                    "customer": payer,
                    "invoice": draft.id,
                    "amount": amount,
                    "currency": "usd",
                    "description": words,
                }
            )
        invoice = self.v1.invoices.finalize_invoice(draft.id)
        with urllib.request.urlopen(invoice.invoice_pdf) as response:
            assert response.headers["Content-Type"] == "application/pdf"
            file = pypdf.PdfReader(io.BytesIO(response.read()))
        assert file.metadata.title == f"Invoice {invoice.number}"
        text = " ".join(file.pages[0].extract_text().split())
        for words in [
            invoice.number,
            "Test merchant",
            "Żaneta",
            EMAIL,
            "A samovar, Чай",
            "$1,299.00",
            "Tea",
            "$42.00",
            "Amount due",
            "$1,341.00",
        ]:
            assert words in text, f"{words} is not in: {text}"

    def a_subscription_collects_an_account(self):
        settings = {**NAMED, "payment_method_options": OPTIONS}
        subscriptions = self.v1.subscriptions
        made = subscriptions.create({"customer": self.payer(), "payment_settings": settings})
        assert made["items"].data == []
        self.link(made.id)
        shown = subscriptions.retrieve(made.id, {"expand": ["pending_setup_intent.payment_method"]})
        self.collected(shown.pending_setup_intent.payment_method)

    def mistakes_are_typed_exceptions(self):
        stranger = self.connect("sk_wrong").v1.customers
        assert self.refused(stripe.AuthenticationError, stranger.list).http_status == 401
        browser = self.connect("pk_test_python").v1.customers
        error = self.refused(stripe.PermissionError, browser.list)
        assert (error.http_status, error.error.code) == (403, "secret_key_required")
        accounts = self.connections.accounts
        error = self.refused(stripe.InvalidRequestError, lambda: accounts.retrieve("fca_none"))
        assert (error.http_status, error.code) == (404, "resource_missing")
        error = self.refused(
            stripe.InvalidRequestError, lambda: accounts.subscribe(self.account, {})
        )
        assert (error.code, error.param) == ("parameter_missing", "features")
        once = {"idempotency_key": "python-integration-once"}
        customers = self.v1.customers
        first = customers.create({"name": "Once"}, once)
        assert customers.create({"name": "Once"}, once).id == first.id
        error = self.refused(
            stripe.IdempotencyError, lambda: customers.create({"name": "Twice"}, once)
        )
        assert error.http_status == 400

    def a_forged_webhook_is_refused(self):
        body, signature = self.deliveries.wait("any webhook", lambda *delivery: delivery)
        forged = body.replace(b'"livemode":false', b'"livemode":true')
        assert forged != body
        self.refused(
            stripe.SignatureVerificationError,
            lambda: stripe.Webhook.construct_event(forged, signature, self.secret),
        )

    def a_cut_connection_is_tried_again(self):
        front = CutOnce(self.server.port)
        email = {"email": "cut@example.com"}
        patient = self.connect(KEY, front.port, max_network_retries=2).v1.customers
        made = patient.create(email)
        assert [one.id for one in self.v1.customers.list(email).data] == [made.id]
        front.close()
        nobody = self.connect(KEY, front.port, max_network_retries=0).v1.customers
        self.refused(stripe.APIConnectionError, nobody.list)

    def a_disconnected_account_is_closed(self):
        self.connections.accounts.disconnect(self.account)
        error = self.refused(
            stripe.InvalidRequestError,
            lambda: self.connections.transactions.list({"account": self.account}),
        )
        assert error.code == "financial_connections_account_inactive"

    def a_rate_limit_and_a_failure_inside_the_server_are_typed(self):
        hasty = self.connect(KEY, max_network_retries=0).v1.customers
        self.raw("/faults", kind="api_rate_limited", path="/v1/customers", times=1)
        error = self.refused(stripe.RateLimitError, hasty.list)
        assert (error.http_status, error.error.code) == (429, "rate_limit")
        self.raw("/faults", kind="api_error_before", path="/v1/customers", times=1)
        error = self.refused(stripe.APIError, hasty.list)
        assert (error.http_status, error.error.type) == (500, "api_error")


STEPS = [
    Merchant.an_endpoint_is_made_with_the_clients_own_version,
    Merchant.the_guide_awaited,
    Merchant.the_guide_in_classes,
    Merchant.a_payment_intent_collects_an_account,
    Merchant.a_setup_intent_collects_an_account,
    Merchant.a_checkout_session_collects_an_account,
    Merchant.an_invoice_collects_an_account,
    Merchant.the_file_of_an_invoice_can_be_read,
    Merchant.a_subscription_collects_an_account,
    Merchant.mistakes_are_typed_exceptions,
    Merchant.a_forged_webhook_is_refused,
    Merchant.a_cut_connection_is_tried_again,
    Merchant.a_disconnected_account_is_closed,
    Merchant.a_rate_limit_and_a_failure_inside_the_server_are_typed,
]


if __name__ == "__main__":
    steps.run(Merchant(), STEPS, f"python stripe {stripe.VERSION} ({stripe.api_version})")
