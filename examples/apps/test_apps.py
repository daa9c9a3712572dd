"""Tests of the three applications with the test kit for pytest."""

import pytest

from budget import Budget
from fraud import FraudCheck, is_same_person
from lender import Lender
from pytest_bankfeed import BEGIN_S

DAY_S = 86_400
QUIET = """
name = "Quiet Bank"
[[accounts]]
name = "Checking"
"""


def quiet(bankfeed, handle):
    """An account without rows of its own, and with a ledger of 180 days."""
    bankfeed.scenario(QUIET)
    return bankfeed.link(institution="Quiet Bank", webhook=handle)


def add_days_ago(feed, days, amount, description):
    """Adds a posted transaction so many days before the start of the account's time."""
    return feed.add(amount, description, transacted_at=BEGIN_S - days * DAY_S)


def worker(feed):
    """A salary every two weeks and a monthly rent, for 170 days."""
    for days in range(2, 170, 14):
        add_days_ago(feed, days, 210_000, f"ACME PAYROLL {days:04}")
    for days in range(5, 170, 30):
        add_days_ago(feed, days, -120_000, "ELM STREET APARTMENTS RENT")
    feed.set_balance(2_000_000)


@pytest.fixture
def lender(bankfeed):
    return Lender(bankfeed.client)


def test_a_worker_gets_a_loan(bankfeed, lender):
    feed = quiet(bankfeed, lender.handle)
    worker(feed)
    feed.refresh("transactions", "balance")
    decision = lender.decision(feed.account, 60_000)
    assert decision.reasons == []
    assert decision.income == 455_000  # 2,100.00 every two weeks, 26 times a year
    assert decision.fixed_costs == 120_000
    assert decision.approved
    too_much = lender.decision(feed.account, 200_000)
    assert too_much.reasons == ["the instalment is too high for income and fixed costs"]


def test_an_income_that_ended_is_no_income(bankfeed, lender):
    feed = quiet(bankfeed, lender.handle)
    for days in range(80, 170, 14):
        add_days_ago(feed, days, 210_000, "ACME PAYROLL")
    feed.refresh("transactions", "balance")
    assert lender.decision(feed.account, 10_000).reasons == ["no repeated income"]


def test_the_lowest_balance_is_found_in_the_past(bankfeed, lender):
    feed = quiet(bankfeed, lender.handle)
    worker(feed)
    add_days_ago(feed, 101, -3_000_000, "USED CARS OF FAIRVIEW")
    add_days_ago(feed, 96, 3_000_000, "TRANSFER FROM MOTHER")
    feed.set_balance(2_000_000)
    feed.refresh("transactions", "balance")
    decision = lender.decision(feed.account, 60_000)
    assert decision.reasons == ["the account was deeply overdrawn"]
    assert decision.lowest_balance < -800_000


def test_a_failed_refresh_gives_no_loan_and_loses_no_row(bankfeed, lender):
    feed = quiet(bankfeed, lender.handle)
    worker(feed)
    feed.refresh("transactions", "balance")
    feed.fail_next("institution_timeout")
    feed.refresh()
    assert lender.decision(feed.account, 60_000).reasons == [
        "the last refresh failed, so the data may be old"
    ]
    feed.refresh()
    assert lender.decision(feed.account, 60_000).approved


def test_the_copy_is_the_ledger_of_a_natural_account(bankfeed, lender):
    feed = bankfeed.link(webhook=lender.handle)
    feed.advance(days=3)
    found = [(one.transacted_at, one.amount, one.description) for one in lender.copy.payments(feed.account)]
    assert sorted(found) == [(row.transacted_at, row.amount, row.description) for row in feed.ledger()]


def test_a_budget_of_two_months(bankfeed):
    budget = Budget(bankfeed.client)
    feed = quiet(bankfeed, budget.handle)
    # The time begins on 2026-09-21.
    add_days_ago(feed, 40, 300_000, "ACME PAYROLL")
    add_days_ago(feed, 38, -110_000, "ELM STREET APARTMENTS RENT")
    add_days_ago(feed, 36, -50_000, "TRANSFER TO SAVINGS")
    add_days_ago(feed, 3, -1_250, "BLUE DOOR COFFEE")
    feed.refresh()
    august, september = budget.months(feed.account)
    assert (august.name, august.income, august.expenses) == ("2026-08", 300_000, -110_000)
    assert (september.name, september.by_category) == ("2026-09", {"eating out": -1_250})
    feed.fail_next("institution_unavailable")
    feed.refresh()
    assert "last known figures" in budget.report(feed.account)
    assert budget.months(feed.account) == [august, september]


def test_a_tip_changes_the_budget(bankfeed):
    budget = Budget(bankfeed.client)
    feed = quiet(bankfeed, budget.handle)
    coffee = feed.add(-1_200, "BLUE DOOR COFFEE", pending=True)
    feed.refresh()
    assert budget.months(feed.account)[0].expenses == -1_200
    coffee.post(-1_440)
    feed.refresh()
    assert budget.months(feed.account)[0].expenses == -1_440
    other = feed.add(-900, "BLUE DOOR COFFEE", pending=True)
    feed.refresh()
    other.void()
    feed.refresh()
    assert budget.months(feed.account)[0].expenses == -1_440


def test_money_that_passes_through_is_a_signal(bankfeed):
    check = FraudCheck(bankfeed.client)
    feed = quiet(bankfeed, check.handle)
    feed.set_owners("Jenny Rosen")
    worker(feed)
    feed.refresh("transactions", "ownership")
    assert check.signals(feed.account, "Jenny Rosen") == []
    add_days_ago(feed, 1, 500_000, "WIRE FROM UNKNOWN")
    feed.add(-480_000, "WIRE TO EXCHANGE")
    feed.refresh()
    (signal,) = check.signals(feed.account, "Jenny Rosen")
    assert (signal.code, len(signal.transactions)) == ("pass_through", 2)


def test_another_owner_is_a_signal(bankfeed):
    check = FraudCheck(bankfeed.client)
    feed = quiet(bankfeed, check.handle)
    feed.set_owners("Sam Reyes", "Ada Reyes")
    feed.refresh("transactions", "ownership")
    codes = [signal.code for signal in check.signals(feed.account, "Jenny Rosen")]
    assert codes == ["owner_mismatch", "new_account"]
    assert [signal.code for signal in check.signals(feed.account, "REYES, ADA")] == ["new_account"]


def test_a_failed_refresh_is_a_signal(bankfeed):
    check = FraudCheck(bankfeed.client)
    feed = bankfeed.link(webhook=check.handle)
    feed.fail_next("institution_error")
    feed.refresh()
    assert "stale" in [signal.code for signal in check.signals(feed.account, "Jenny Rosen")]


@pytest.mark.parametrize(
    ("name", "owner", "same"),
    [
        ("Jenny Rosen", "JENNY ROSEN", True),
        ("Jenny Rosen", "Rosen, Jenny M.", True),
        ("Jenny Rosen", "Jenny Smith", False),
        ("Rosen Bakery LLC", "Rosen Bakery", True),
        ("Jenny", "Jenny Rosen", True),
    ],
)
def test_names_are_compared_by_their_words(name, owner, same):
    assert is_same_person(name, owner) is same
