"""The calls of Stripe's guide to transactions by curl, and what the guide says about each.

Each check makes the customer, session and account that it needs, so it fails alone. Prints a line a
check, and at the end `N passed, M failed`. To add calls, put them into a file in the form of
`access_transactions.sh`, name it in `GUIDES`, and write checks that send them. What the carriers of
the guide need stands in `carriers.py` and `carriers.sh`.

    python3 tests/clients/curl/main.py [WORD …]     only the checks whose names have one of the words
"""

import sys
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from calls import Curl, read_calls  # noqa: E402
from carriers import CHECKS as CARRIER_CHECKS  # noqa: E402
from faults import CHECKS as FAULT_CHECKS  # noqa: E402
from inbox import Inbox  # noqa: E402
from server import Server  # noqa: E402

GUIDES = [HERE / "access_transactions.sh"]
REFRESHED = "financial_connections.account.refreshed_transactions"
START = 1_790_000_000
DAY = 86_400
# From one refresh to the next that may be asked for, on a test clock too, in seconds.
COOL_DOWN = 600
EMAIL = "jenny.rosen@example.com"
PHONE = "2025550100"


class Bench:
    """One server, and what checks have in common. Each check has a key, and so a merchant, of its own."""

    def __init__(self):
        self.server = Server(cool_down_clock=COOL_DOWN)
        self.server.start()
        self.inbox = Inbox()
        others = [HERE / f"{name}.sh" for name in ("carriers", "faults", "steering")]
        self.curl = Curl(self.server.url, [*GUIDES, *others])

    def begin(self, check):
        self.curl.key = f"sk_test_{check}"
        made = self.curl("create webhook endpoint", webhook_url=self.inbox.url).ok()
        self.secret = made["secret"]

    def customer(self):
        return self.curl("create customer", customer_email=EMAIL, customer_phone=PHONE).ok()

    def account(self, session="create session"):
        """A bank account that was just linked, on a test clock of its own."""
        clock = self.curl("create test clock", time=START).ok()
        customer = self.curl(
            "create customer on a clock", customer_email=EMAIL, test_clock_id=clock["id"]
        ).ok()
        return Account(self, clock["id"], customer["id"], session)


class Account:
    def __init__(self, bench, clock, customer, session):
        self.bench, self.clock, self.customer = bench, clock, customer
        self.now = START
        self.linked = self.link(session)
        self.id = self.linked["id"]

    def link(self, session):
        curl = self.bench.curl
        made = curl(session, customer_id=self.customer).ok()
        accounts = curl("link", carrier_id=made["id"]).ok()["accounts"]["data"]
        assert len(accounts) == 1, accounts
        return accounts[0]

    def call(self, name, **values):
        return self.bench.curl(name, financialconnectionsaccount_id=self.id, **values)

    def retrieve(self):
        return self.call("retrieve account").ok()

    def told(self, refresh):
        """The refresh hash of the event about this refresh."""
        event = self.bench.inbox.wait(
            f"the event of {refresh}", lambda event: refresh_of(event, self.id).get("id") == refresh
        )
        return refresh_of(event, self.id)

    def ended(self, name):
        """Calls refresh or subscribe, and waits for the end of the refresh that it started."""
        refresh = self.call(name).ok()["transaction_refresh"]
        assert refresh["status"] == "pending", refresh
        return self.told(refresh["id"])

    def refreshes(self):
        """The refreshes of events, oldest first."""
        listed = self.bench.curl("list refresh events").ok()
        assert not listed["has_more"], "more events than one page holds"
        found = [refresh_of(event, self.id) for event in listed["data"]]
        return [refresh for refresh in reversed(found) if refresh]

    def advance(self, seconds):
        self.now += seconds
        self.bench.curl("advance test clock", test_clock_id=self.clock, time=self.now).ok()
        self.bench.inbox.wait(
            f"{self.clock} to show {self.now}",
            lambda event: event["type"] == "test_helpers.test_clock.ready"
            and event["data"]["object"]["id"] == self.clock
            and event["data"]["object"]["frozen_time"] == self.now,
        )


def refresh_of(event, account):
    """The refresh hash that an event shows; empty if it is about no refresh of this account."""
    shown = event["data"]["object"]
    if event["type"] == REFRESHED and shown["id"] == account:
        return shown["transaction_refresh"]
    return {}


# The checks. The name of one is the name of its function.


def create_a_customer(bench):
    customer = bench.customer()
    assert customer["id"].startswith("cus_") and customer["object"] == "customer", customer
    assert (customer["email"], customer["phone"]) == (EMAIL, PHONE), customer


def create_a_session_with_permissions(bench):
    customer = bench.customer()["id"]
    session = bench.curl("create session", customer_id=customer).ok()
    assert session["id"].startswith("fcsess_"), session
    assert session["account_holder"] == {"customer": customer, "type": "customer"}, session
    assert session["permissions"] == ["transactions"], session
    assert session["client_secret"].startswith("fcsess_client_secret_"), session
    assert session["accounts"]["data"] == [], session


def create_a_session_with_prefetch(bench):
    account = bench.account("create session with prefetch")
    refresh = account.linked["transaction_refresh"]
    assert refresh["status"] == "pending", refresh
    assert account.told(refresh["id"])["status"] == "succeeded"
    account.call("list transactions").ok()


def transaction_refresh_is_null_before_any_refresh(bench):
    account = bench.account()
    assert account.linked["transaction_refresh"] is None, account.linked
    assert account.retrieve()["transaction_refresh"] is None
    assert account.linked["subscriptions"] == [], account.linked


def subscribe_starts_a_refresh(bench):
    account = bench.account()
    before = account.ended("refresh")["id"]
    answer = account.call("subscribe").ok()
    assert answer["subscriptions"] == ["transactions"], answer
    refresh = answer["transaction_refresh"]
    assert refresh["id"].startswith("fctxnref_") and refresh["id"] != before, refresh
    assert refresh["status"] == "pending", refresh
    assert refresh["next_refresh_available_at"] is None, refresh
    assert refresh["last_attempted_at"] == START, refresh


def a_refresh_asked_while_one_is_pending_does_nothing(bench):
    account = bench.account()
    account.call("delay the next refresh", seconds=DAY).ok()
    first = account.call("refresh").ok()["transaction_refresh"]
    assert first["status"] == "pending", first
    assert first["next_refresh_available_at"] is None, first
    again = account.call("refresh").ok()["transaction_refresh"]
    assert again == first, again
    account.advance(2 * DAY)
    assert [refresh["id"] for refresh in account.refreshes()] == [first["id"]]


def a_refresh_asked_before_it_is_available_does_nothing(bench):
    account = bench.account()
    first = account.ended("refresh")
    assert first["next_refresh_available_at"] == START + COOL_DOWN, first
    account.advance(COOL_DOWN - 1)
    again = account.call("refresh").ok()["transaction_refresh"]
    assert again == first, again
    account.advance(1)
    later = account.ended("refresh")
    assert later["id"] != first["id"]
    assert [refresh["id"] for refresh in account.refreshes()] == [first["id"], later["id"]]


def an_inactive_account_refuses_a_refresh(bench):
    inactive(bench).call("refresh").refused(400, "financial_connections_account_inactive")


def an_inactive_account_refuses_a_subscription(bench):
    inactive(bench).call("subscribe").refused(400, "financial_connections_account_inactive")


def an_inactive_account_has_no_next_refresh(bench):
    account = inactive(bench).retrieve()
    assert account["status"] == "inactive", account
    refresh = account["transaction_refresh"]
    assert refresh["status"] == "succeeded", refresh
    assert refresh["next_refresh_available_at"] is None, refresh


def inactive(bench):
    """An inactive account whose transactions were refreshed before."""
    account = bench.account()
    refresh = account.ended("refresh")
    assert refresh["next_refresh_available_at"] is not None, refresh
    account.call("deactivate").ok()
    return account


def nothing_is_listed_before_a_refresh_succeeded(bench):
    refusal = "financial_connections_no_successful_transaction_refresh"
    account = bench.account()
    account.call("list transactions").refused(400, refusal)
    account.call("fail the next refresh").ok()
    assert account.ended("refresh")["status"] == "failed"
    account.call("list transactions").refused(400, refusal)
    account.advance(COOL_DOWN)
    assert account.ended("refresh")["status"] == "succeeded"
    account.call("list transactions").ok()


def transactions_are_listed_after_a_refresh(bench):
    account = bench.account()
    refresh = account.ended("refresh")["id"]
    page = account.call("list transactions").ok()
    assert page["object"] == "list" and page["has_more"], page
    assert page["url"] == "/v1/financial_connections/transactions", page
    assert len(page["data"]) == 10, len(page["data"])
    for row in page["data"]:
        assert row["id"].startswith("fctxn_"), row
        assert row["account"] == account.id and row["transaction_refresh"] == refresh, row
        assert row["status"] in {"pending", "posted"}, row


def only_what_came_later_is_listed_after_a_refresh(bench):
    account = bench.account()
    first = account.ended("refresh")["id"]
    listed = account.call("list transactions after a refresh", after=first).ok()
    assert listed["data"] == [] and not listed["has_more"], listed
    account.call("add a transaction at the bank").ok()
    # Subscribing refreshes inside the cool-down too, so nothing else happens at the bank.
    second = account.ended("subscribe")["id"]
    listed = account.call("list transactions after a refresh", after=first).ok()
    facts = [(row["description"], row["transaction_refresh"]) for row in listed["data"]]
    assert facts == [("Blue Door Coffee", second)], listed
    listed = account.call("list transactions after a refresh", after=second).ok()
    assert listed["data"] == [], listed


def a_subscription_while_a_prefetch_is_pending_starts_no_second_refresh(bench):
    account = bench.account()
    account.call("delay the next refresh", seconds=3_600).ok()
    # The same bank account, linked again, with a prefetch that takes an hour.
    linked = account.link("create session with prefetch")
    assert linked["id"] == account.id, linked
    prefetch = linked["transaction_refresh"]
    assert prefetch["status"] == "pending", prefetch
    answer = account.call("subscribe").ok()
    assert answer["subscriptions"] == ["transactions"], answer
    assert answer["transaction_refresh"] == prefetch, answer
    assert account.refreshes() == []
    account.advance(3_600)
    told = account.refreshes()
    assert told[0]["id"] == prefetch["id"], told
    assert all(refresh["last_attempted_at"] > START for refresh in told[1:]), told
    # The subscription holds: a day brings its refresh.
    account.advance(DAY)
    assert len(account.refreshes()) == len(told) + 1


def a_refresh_on_demand_leaves_the_daily_ones_alone(bench):
    account = bench.account()
    account.ended("subscribe")
    account.advance(2 * DAY)
    available = account.refreshes()[-1]["next_refresh_available_at"]
    if account.now < available:
        account.advance(available - account.now)
    asked = account.ended("refresh")
    assert asked["last_attempted_at"] == account.now, asked
    account.advance(2 * DAY)
    told = account.refreshes()
    assert asked in told, told
    # One a day at the same time of day, beside the first, which subscribing started.
    daily = [refresh["last_attempted_at"] for refresh in told[1:] if refresh != asked]
    assert START < daily[0] <= START + DAY, daily
    assert daily == list(range(daily[0], account.now + 1, DAY)), daily


def after_unsubscribing_days_bring_nothing(bench):
    account = bench.account()
    account.ended("subscribe")
    account.advance(DAY)
    before = account.refreshes()
    assert len(before) == 2, before
    refresh = account.retrieve()["transaction_refresh"]
    answer = account.call("unsubscribe").ok()
    assert answer["subscriptions"] == [], answer
    assert answer["transaction_refresh"] == refresh, answer
    account.advance(3 * DAY)
    assert account.refreshes() == before
    assert account.retrieve()["transaction_refresh"] == refresh


def subscribing_again_starts_a_new_refresh(bench):
    account = bench.account()
    first = account.ended("subscribe")["id"]
    account.call("unsubscribe").ok()
    account.advance(3 * DAY)
    answer = account.call("subscribe").ok()
    assert answer["subscriptions"] == ["transactions"], answer
    again = answer["transaction_refresh"]
    assert again["id"] != first and again["status"] == "pending", again
    account.told(again["id"])
    account.advance(2 * DAY)
    told = [refresh["id"] for refresh in account.refreshes()]
    assert told[:2] == [first, again["id"]] and len(told) == 4, told


def the_event_comes_for_a_failed_refresh_too(bench):
    account = bench.account()
    account.call("fail the next refresh").ok()
    refresh = account.call("refresh").ok()["transaction_refresh"]
    told = account.told(refresh["id"])
    assert told["status"] == "failed", told
    assert account.retrieve()["transaction_refresh"] == told


def every_call_of_the_guide_was_sent(bench):
    kept = {name for guide in GUIDES for name in read_calls(guide)}
    assert kept <= bench.curl.sent, kept - bench.curl.sent


CHECKS = [
    create_a_customer,
    create_a_session_with_permissions,
    create_a_session_with_prefetch,
    transaction_refresh_is_null_before_any_refresh,
    subscribe_starts_a_refresh,
    a_refresh_asked_while_one_is_pending_does_nothing,
    a_refresh_asked_before_it_is_available_does_nothing,
    an_inactive_account_refuses_a_refresh,
    an_inactive_account_refuses_a_subscription,
    an_inactive_account_has_no_next_refresh,
    nothing_is_listed_before_a_refresh_succeeded,
    transactions_are_listed_after_a_refresh,
    only_what_came_later_is_listed_after_a_refresh,
    a_subscription_while_a_prefetch_is_pending_starts_no_second_refresh,
    a_refresh_on_demand_leaves_the_daily_ones_alone,
    after_unsubscribing_days_bring_nothing,
    subscribing_again_starts_a_new_refresh,
    the_event_comes_for_a_failed_refresh_too,
    *CARRIER_CHECKS,
    *FAULT_CHECKS,
    every_call_of_the_guide_was_sent,
]


def run(checks):
    """Runs the checks; answers how many passed and failed. One that fails stops no other."""
    bench = Bench()
    passed = failed = 0
    try:
        for check in checks:
            name = check.__name__.replace("_", " ")
            try:
                bench.begin(check.__name__)
                check(bench)
                passed += 1
                print(f"curl: {name}", flush=True)
            except Exception:
                failed += 1
                traceback.print_exc(file=sys.stdout)
                print(f"FAILED curl: {name}\n{bench.server.logged()[-1_000:]}", flush=True)
    finally:
        bench.server.kill()
    return passed, failed


if __name__ == "__main__":
    words = sys.argv[1:]
    chosen = [check for check in CHECKS if not words or any(w in check.__name__ for w in words)]
    passed, failed = run(chosen)
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if passed and not failed else 1)
