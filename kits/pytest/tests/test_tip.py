"""The example of the kit's page, and the words of the kit."""

import re
from pathlib import Path

import pytest

from pytest_bankfeed import rows_of

pytest_plugins = ["pytester"]


class App:
    """An application that follows an account, as the documents describe."""

    def __init__(self, bankfeed):
        self.feed = bankfeed.client.v1.financial_connections
        self.copy, self.handled = {}, None

    def handle(self, event):
        if event.type != "financial_connections.account.refreshed_transactions":
            return
        account = event.data.object
        if account.transaction_refresh.status == "succeeded":
            params = {"account": account.id, "limit": 100}
            if self.handled:
                params["transaction_refresh"] = {"after": self.handled}
            for row in self.feed.transactions.list(params).auto_paging_iter():
                self.copy[row.id] = row
            self.handled = account.transaction_refresh.id
        else:
            self.feed.accounts.retrieve(account.id)

    @property
    def rows(self):
        return rows_of(self.copy.values())


@pytest.fixture
def app(bankfeed):
    return App(bankfeed)


def test_tip(bankfeed, app):
    feed = bankfeed.link(prefetch=["transactions"], webhook=app.handle)
    coffee = feed.add(-1200, "Blue Door Coffee", pending=True)
    feed.refresh()
    assert [row.amount for row in app.rows if row.description == "Blue Door Coffee"] == [-1200]
    coffee.post(-1440)
    feed.refresh()
    assert [row.amount for row in app.rows if row.description == "Blue Door Coffee"] == [-1440]
    feed.advance(days=7)
    assert app.rows == feed.ledger()


def test_each_day_brings_rows(bankfeed, app):
    feed = bankfeed.link(webhook=app.handle)
    before = app.rows
    feed.advance(days=7, refresh=False)
    assert len(app.rows) > len(before) > 0


def test_without_a_subscription_no_day_brings_rows(bankfeed, app):
    feed = bankfeed.link(webhook=app.handle, subscribe=False)
    feed.advance(days=7)
    assert app.rows == []


def test_a_failed_refresh_changes_no_row(bankfeed, app):
    feed = bankfeed.link(prefetch=["transactions"], webhook=app.handle)
    before = app.rows
    feed.add(-500, "Parking")
    feed.fail_next("institution_timeout")
    assert feed.refresh().transaction_refresh.status == "failed"
    assert app.rows == before
    assert feed.refresh().transaction_refresh.status == "succeeded"
    assert app.rows == feed.ledger() != before


def test_a_void_transaction_leaves_the_ledger(bankfeed, app):
    feed = bankfeed.link(prefetch=["transactions"], webhook=app.handle, institution="Test (OAuth)")
    parking = feed.add(-500, "Parking", pending=True)
    feed.refresh()
    assert "Parking" in [row.description for row in app.rows]
    parking.void()
    feed.refresh()
    assert "Parking" not in [row.description for row in app.rows]
    assert app.rows == feed.ledger()


def test_a_scenario_adds_a_bank(bankfeed, app):
    bankfeed.scenario('name = "Quiet Bank"\n[[accounts]]\nname = "Checking"\nbalance = "12.00"')
    feed = bankfeed.link(institution="Quiet Bank", webhook=app.handle)
    assert app.rows == feed.ledger() == []
    assert feed.refresh("balance").balance.current["usd"] == 1200


def test_balance_and_owners(bankfeed):
    feed = bankfeed.link()
    feed.set_balance(12345)
    feed.set_owners("Jenny Rosen")
    account = feed.refresh("balance", "ownership")
    assert account.balance.current["usd"] == 12345
    assert account.ownership is not None


def test_an_inactive_account(bankfeed, app):
    feed = bankfeed.link(prefetch=["transactions"], webhook=app.handle)
    feed.deactivate()
    assert feed.retrieve().status == "inactive"
    feed.reactivate()
    assert feed.retrieve().status == "active"


def test_keys_share_no_data(bankfeed, bankfeed_server):
    from pytest_bankfeed import Bankfeed

    other = Bankfeed(bankfeed_server.url)
    other.link()
    assert bankfeed.client.v1.customers.list().data == []


def test_the_example_of_the_page(pytester):
    page = Path(__file__).parents[1] / "README.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    pytester.makepyfile(code)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


SLOPPY = """
import pytest

def test_sloppy(bankfeed):
    listing = bankfeed.client.v1.financial_connections.transactions

    def handle(event):
        if event.type.endswith("refreshed_transactions"):
            listing.list({"account": event.data.object.id})

    bankfeed.link(prefetch=["transactions"], webhook=handle)
"""


def test_the_judge_fails_a_client_that_stops_paging(pytester):
    pytester.makepyfile(SLOPPY)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*paging_stopped*", "*Fix: Read every page*", "key sk_test_*"])


def test_a_server_that_stays_is_named_with_the_command(pytester, monkeypatch, bankfeed_server):
    monkeypatch.setenv("BANKFEED_URL", bankfeed_server.url)
    pytester.makepyfile("def test_red(bankfeed): assert False")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"bankfeed judge --api-key sk_test_* --api-base {bankfeed_server.url}"])


def test_a_marker_switches_the_judge_off(pytester):
    pytester.makepyfile(SLOPPY.replace("def test_sloppy", "@pytest.mark.bankfeed(judge=False)\ndef test_sloppy"))
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_an_error_of_the_handler_fails_the_test(pytester):
    pytester.makepyfile("""
        def test_broken(bankfeed):
            def handle(event):
                raise KeyError("no such column")
            bankfeed.link(webhook=handle)
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*KeyError: 'no such column'*"])


def test_a_missing_program_is_named(pytester, monkeypatch):
    monkeypatch.delenv("BANKFEED_BINARY", raising=False)
    monkeypatch.delenv("BANKFEED_URL", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    pytester.makepyfile("def test_none(bankfeed): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no program bankfeed on the PATH*"])
