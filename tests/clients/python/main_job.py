"""The main job through the official Python SDK: link, refresh, receive the event, follow.

Runs twice: once on a server that stays up, once on one that is killed and started again between
the steps. Prints a line a step, and at the end `N passed, N failed`.
"""

import sys
import traceback
from pathlib import Path

import stripe

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from follower import REFRESHED, Follower  # noqa: E402
from server import Server  # noqa: E402

HELPERS = "/v1/test_helpers/financial_connections"
DAY = 86_400


class MainJob:
    def __init__(self, restarts):
        self.restarts = restarts
        self.server = Server()
        self.server.start()
        self.follower = Follower()
        self.client = stripe.StripeClient(
            "sk_test_python", base_addresses={"api": self.server.url}, max_network_retries=2
        )
        self.follower.client = self.client
        self.v1 = self.client.v1
        self.accounts = self.v1.financial_connections.accounts

    # Steps, in order.

    def an_endpoint_shows_its_secret_once(self):
        endpoint = self.v1.webhook_endpoints.create(
            {"url": self.follower.url, "enabled_events": ["*"], "api_version": stripe.api_version}
        )
        assert endpoint.secret.startswith("whsec_"), endpoint
        self.follower.secret = endpoint.secret
        again = self.v1.webhook_endpoints.retrieve(endpoint.id)
        assert getattr(again, "secret", None) is None, again
        assert again.api_version == stripe.api_version

    def a_customer_hangs_on_a_test_clock(self):
        clock = self.v1.test_helpers.test_clocks.create({"frozen_time": 1_790_000_000})
        assert clock.status == "ready" and clock.frozen_time == 1_790_000_000
        self.clock = clock.id
        self.now = clock.frozen_time
        customer = self.v1.customers.create(
            {"email": "jenny.rosen@example.com", "name": "Jenny Rosen", "test_clock": clock.id}
        )
        assert customer.test_clock == clock.id and customer.created == clock.frozen_time
        self.customer = customer.id

    def a_session_asks_for_transactions(self):
        session = self.v1.financial_connections.sessions.create(
            {
                "account_holder": {"type": "customer", "customer": self.customer},
                "permissions": ["transactions", "balances", "ownership"],
            }
        )
        assert session.permissions == ["balances", "ownership", "transactions"]
        assert session.client_secret.startswith("fcsess_client_secret_")
        assert session.accounts.data == []
        self.session = session

    def a_link_needs_no_browser(self):
        linked = self.raw(
            "post",
            f"{HELPERS}/link",
            client_secret=self.session.client_secret,
            institution="Test (OAuth)",
            accounts=["Success", "High Balance"],
        )
        assert linked.id == self.session.id and len(linked.accounts.data) == 2
        names = {account.display_name: account.id for account in linked.accounts.data}
        self.account, self.other = names["Success"], names["High Balance"]
        account = self.accounts.retrieve(self.account)
        assert isinstance(account, stripe.financial_connections.Account)
        assert account.status == "active" and account.transaction_refresh is None
        assert account.account_holder.customer == self.customer
        self.follower.wait(
            "the account's own event",
            lambda f: f.seen("financial_connections.account.created", self.account),
        )

    def nothing_is_listed_before_a_success(self):
        error = self.refused(
            lambda: self.v1.financial_connections.transactions.list({"account": self.account})
        )
        assert error.code == "financial_connections_no_successful_transaction_refresh"
        assert error.http_status == 400

    def subscribing_starts_a_refresh(self):
        account = self.accounts.subscribe(self.account, {"features": ["transactions"]})
        assert account.subscriptions == ["transactions"]
        refresh = account.transaction_refresh
        assert refresh.id.startswith("fctxnref_") and refresh.status == "pending"
        assert refresh.next_refresh_available_at is None
        self.first = refresh.id
        self.wait_for_refresh(self.first, "succeeded")

    def the_list_has_pages(self):
        page = self.v1.financial_connections.transactions.list({"account": self.account})
        assert len(page.data) == 10 and page.has_more
        rows = list(page.auto_paging_iter())
        assert len(rows) == len({row.id for row in rows}) > 100
        order = [(row.transacted_at, row.id) for row in rows]
        assert order == sorted(order, reverse=True)
        self.compare()

    def other_features_refresh_on_demand(self):
        account = self.accounts.refresh(
            self.account, {"features": ["balance", "ownership"]}
        )
        assert account.balance_refresh.status == "pending"
        for feature in ["balance", "ownership"]:
            event = f"financial_connections.account.refreshed_{feature}"
            self.follower.wait(event, lambda f, e=event: f.seen(e, self.account))
        account = self.accounts.retrieve(self.account, {"expand": ["ownership"]})
        assert account.balance.current.to_dict().keys() == {"usd"}
        assert account.ownership.owners.data[0].name
        owners = self.accounts.owners.list(self.account, {"ownership": account.ownership.id})
        assert [owner.id for owner in owners.data] == [
            owner.id for owner in account.ownership.owners.data
        ]

    def thirty_days_bring_thirty_refreshes(self):
        self.advance(10)
        self.mid = self.accounts.retrieve(self.account).transaction_refresh.id
        self.advance(20)
        handled = self.follower.refreshes(self.account)
        assert len(handled) == 31, len(handled)
        # The bank went on since the last of them.
        self.refresh_now("succeeded")
        self.compare()

    def after_a_refresh_comes_what_it_did_not_bring(self):
        listed = self.rows(self.account)
        newest = self.accounts.retrieve(self.account).transaction_refresh.id
        assert self.rows(self.account, after=newest) == {}
        since_first = self.rows(self.account, after=self.first)
        since_mid = self.rows(self.account, after=self.mid)
        assert since_mid.keys() < since_first.keys() < listed.keys()
        for id, row in listed.items():
            assert (id in since_first) == (row.transaction_refresh != self.first)

    def the_bank_is_steered(self):
        path = f"{HELPERS}/accounts/{self.account}/transactions"
        made = {}
        for text in ["Coffee with a tip", "Hotel hold", "Typo"]:
            entry = self.raw("post", path, amount=-1200, description=text, status="pending")
            made[text] = entry["id"]
        self.refresh_now("succeeded")
        rows = {row.description: row for row in self.rows(self.account).values()}
        assert rows["Hotel hold"].status == "pending"
        before = self.accounts.retrieve(self.account).transaction_refresh.id
        self.raw("post", f"{path}/{made['Coffee with a tip']}", status="posted", amount=-1440)
        self.raw("post", f"{path}/{made['Hotel hold']}", status="void")
        self.raw("post", f"{path}/{rows['Typo'].id}", description="Corrected")
        self.refresh_now("succeeded")
        changed = self.rows(self.account, after=before)
        facts = {
            row.id: (row.description, row.status, row.amount) for row in changed.values()
        }
        assert facts == {
            rows["Coffee with a tip"].id: ("Coffee with a tip", "posted", -1440),
            rows["Hotel hold"].id: ("Hotel hold", "void", -1200),
            rows["Typo"].id: ("Corrected", "pending", -1200),
        }, facts
        self.compare()

    def a_failed_refresh_tells_and_keeps(self):
        before = self.rows(self.account)
        path = f"{HELPERS}/accounts/{self.account}/next_refresh"
        queue = self.raw(
            "post", path, feature="transactions", outcome="failed", cause="institution_timeout"
        )
        assert queue["queue"][0]["cause"] == "institution_timeout"
        self.refresh_now("failed")
        assert self.rows(self.account).keys() == before.keys()
        self.refresh_now("succeeded")
        self.compare()

    def a_cool_down_answers_as_it_was(self):
        customer = self.v1.customers.create({"email": "realtime@example.com"})
        session = self.v1.financial_connections.sessions.create(
            {
                "account_holder": {"type": "customer", "customer": customer.id},
                "permissions": ["transactions"],
                "prefetch": ["transactions"],
            }
        )
        linked = self.raw("post", f"{HELPERS}/link", carrier=session.id)
        account = linked.accounts.data[0]
        assert account.transaction_refresh.status == "pending"
        refresh = account.transaction_refresh.id
        self.wait_for_refresh(refresh, "succeeded", account.id)
        asked = self.accounts.refresh(account.id, {"features": ["transactions"]})
        assert asked.transaction_refresh.id == refresh
        assert asked.transaction_refresh.status == "succeeded"
        assert asked.transaction_refresh.next_refresh_available_at > account.created
        assert list(self.follower.refreshes(account.id)) == [refresh]
        # The prefetch serves a new subscription too.
        subscribed = self.accounts.subscribe(account.id, {"features": ["transactions"]})
        assert subscribed.subscriptions == ["transactions"]
        assert subscribed.transaction_refresh.id == refresh

    def an_inactive_account_refuses(self):
        path = f"{HELPERS}/accounts/{self.other}"
        account = self.raw("post", f"{path}/deactivate", cause="access_expired")
        assert account.status == "inactive"
        for call in (self.accounts.refresh, self.accounts.subscribe):
            error = self.refused(lambda: call(self.other, {"features": ["transactions"]}))
            assert error.code == "financial_connections_account_inactive"
        account = self.raw("post", f"{path}/reactivate")
        assert account.status == "active"
        self.follower.wait(
            "the reactivation",
            lambda f: f.seen("financial_connections.account.reactivated", self.other),
        )

    def unsubscribed_days_bring_nothing(self):
        account = self.accounts.unsubscribe(self.account, {"features": ["transactions"]})
        assert account.subscriptions == []
        before = len(self.follower.refreshes(self.account))
        self.advance(3)
        assert len(self.follower.refreshes(self.account)) == before

    def subscribing_again_resumes(self):
        account = self.accounts.subscribe(self.account, {"features": ["transactions"]})
        self.wait_for_refresh(account.transaction_refresh.id, "succeeded")
        before = len(self.follower.refreshes(self.account))
        self.advance(2)
        assert len(self.follower.refreshes(self.account)) == before + 2
        self.refresh_now("succeeded")
        self.compare()

    def a_disconnected_account_is_closed(self):
        account = self.accounts.disconnect(self.other)
        assert account.status == "disconnected" and account.subscriptions == []
        error = self.refused(
            lambda: self.v1.financial_connections.transactions.list({"account": self.other})
        )
        assert error.code == "financial_connections_account_inactive"

    def mistakes_are_typed_exceptions(self):
        error = self.refused(lambda: self.v1.customers.retrieve("cus_none"))
        assert error.code == "resource_missing" and error.http_status == 404
        error = self.refused(
            lambda: self.accounts.refresh(self.account, {"features": ["inventory"]})
        )
        assert error.param == "features[0]"
        try:
            stripe.StripeClient("nonsense", base_addresses={"api": self.server.url}).v1.customers.list()
        except stripe.AuthenticationError as error:
            assert error.http_status == 401
        else:
            raise AssertionError("a key that is none was accepted")
        key = {"idempotency_key": "python-once"}
        first = self.v1.customers.create({"name": "Once"}, key)
        assert self.v1.customers.create({"name": "Once"}, key).id == first.id
        try:
            self.v1.customers.create({"name": "Twice"}, key)
        except stripe.IdempotencyError as error:
            assert error.http_status == 400
        else:
            raise AssertionError("other parameters under the same key were accepted")

    def events_can_be_listed(self):
        page = self.v1.events.list({"type": REFRESHED, "limit": 100})
        ids = {event.id for event in page.auto_paging_iter()}
        received = {event.id for event in self.follower.events if event.type == REFRESHED}
        assert received <= ids, received - ids
        event = self.v1.events.retrieve(next(iter(received)))
        assert event.data.object.object == "financial_connections.account"
        assert self.follower.rejected == 0

    def the_server_stops_cleanly(self):
        assert self.server.stop() == 0, self.server.logged()[-2_000:]

    # What the steps share.

    def raw(self, method, path, **params):
        answer = self.client.raw_request(method, path, **params)
        return self.client.deserialize(answer, api_mode="V1")

    def refused(self, call):
        try:
            call()
        except stripe.InvalidRequestError as error:
            return error
        raise AssertionError("the call was not refused")

    def rows(self, account, after=None):
        params = {"account": account, "limit": 100}
        if after is not None:
            params["transaction_refresh"] = {"after": after}
        page = self.v1.financial_connections.transactions.list(params)
        return {row.id: row for row in page.auto_paging_iter()}

    def wait_for_refresh(self, refresh, status, account=None):
        account = account or self.account
        self.follower.wait(
            f"refresh {refresh}", lambda f: refresh in f.refreshes(account)
        )
        handled = self.follower.refreshes(account)
        assert handled[refresh] == status, handled[refresh]
        return handled

    def refresh_now(self, status):
        account = self.accounts.refresh(self.account, {"features": ["transactions"]})
        self.wait_for_refresh(account.transaction_refresh.id, status)

    def advance(self, days):
        self.now += days * DAY
        clock = self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": self.now})
        assert clock.status == "advancing"
        if self.restarts:
            self.server.kill()
            self.server.start()
        now = self.now
        self.follower.wait(
            f"the clock to show {now}",
            lambda f: any(
                event.type == "test_helpers.test_clock.ready"
                and event.data.object.frozen_time == now
                for event in f.events
            ),
        )
        newest = self.accounts.retrieve(self.account).transaction_refresh.id
        self.follower.wait(
            f"refresh {newest}", lambda f: newest in f.refreshes(self.account)
        )
        # Every refresh up to the newest has an event, in any order.
        self.follower.wait(
            "every event",
            lambda f: all(
                event.pending_webhooks == 0 or f.has(event.id)
                for event in self.v1.events.list({"type": REFRESHED, "limit": 100}).data
            ),
        )

    def compare(self):
        """The follower's table, the server's list and the bank's own ledger are the same."""
        table = self.follower.tables[self.account]
        listed = self.rows(self.account)
        assert self.facts(table) == self.facts(listed)
        ledger = self.raw("get", f"{HELPERS}/accounts/{self.account}/ledger")
        assert not ledger["has_more"]
        books = {}
        for entry in ledger["transactions"]:
            if entry["status"] != "void":
                fact = self.fact(entry)
                books[fact] = books.get(fact, 0) + 1
        alive = {}
        for row in listed.values():
            if row.status != "void":
                fact = self.fact(row)
                alive[fact] = alive.get(fact, 0) + 1
        assert alive == books, set(alive.items()) ^ set(books.items())
        vanished = {
            (entry["amount"], entry["description"], entry["transacted_at"])
            for entry in ledger["transactions"]
            if entry["status"] == "void"
        }
        for row in listed.values():
            if row.status == "void":
                assert (row.amount, row.description, row.transacted_at) in vanished
                assert row.status_transitions.void_at

    def facts(self, rows):
        return {id: (self.fact(row), row.transaction_refresh, row.updated) for id, row in rows.items()}

    @staticmethod
    def fact(row):
        return (
            row["amount"],
            row["currency"],
            row["description"],
            row["status"],
            row["transacted_at"],
            row["status_transitions"]["posted_at"],
        )


STEPS = [
    MainJob.an_endpoint_shows_its_secret_once,
    MainJob.a_customer_hangs_on_a_test_clock,
    MainJob.a_session_asks_for_transactions,
    MainJob.a_link_needs_no_browser,
    MainJob.nothing_is_listed_before_a_success,
    MainJob.subscribing_starts_a_refresh,
    MainJob.the_list_has_pages,
    MainJob.other_features_refresh_on_demand,
    MainJob.thirty_days_bring_thirty_refreshes,
    MainJob.after_a_refresh_comes_what_it_did_not_bring,
    MainJob.the_bank_is_steered,
    MainJob.a_failed_refresh_tells_and_keeps,
    MainJob.a_cool_down_answers_as_it_was,
    MainJob.an_inactive_account_refuses,
    MainJob.unsubscribed_days_bring_nothing,
    MainJob.subscribing_again_resumes,
    MainJob.a_disconnected_account_is_closed,
    MainJob.mistakes_are_typed_exceptions,
    MainJob.events_can_be_listed,
    MainJob.the_server_stops_cleanly,
]


def run(restarts):
    """Runs the steps; answers how many passed and failed. The first failure ends the run."""
    job = MainJob(restarts)
    mode = "killed between steps" if restarts else "stays up"
    passed = 0
    try:
        for step in STEPS:
            if restarts and passed and step is not MainJob.the_server_stops_cleanly:
                job.server.kill()
                job.server.start()
            step(job)
            passed += 1
            print(f"python stripe {stripe.VERSION} ({mode}): {step.__name__.replace('_', ' ')}")
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print(f"FAILED ({mode}): {step.__name__}\n{job.server.logged()[-3_000:]}")
        return passed, 1
    finally:
        if job.server.process.poll() is None:
            job.server.kill()
    return passed, 0


if __name__ == "__main__":
    outcomes = [run(restarts) for restarts in [False, True]]
    passed, failed = (sum(counts) for counts in zip(*outcomes))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
