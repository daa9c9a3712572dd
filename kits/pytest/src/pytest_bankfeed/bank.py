"""The words of a test: link, add, post, refresh, advance, ledger."""

import secrets
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

import stripe

from .receiver import Receiver
from .rows import Row, rows_of

#: The time at which the clock of each link begins: 2026-09-21 14:13:20 UTC.
BEGIN_S = 1_790_000_000
DAY_S, HOUR_S = 86_400, 3_600
WAIT_S_MAX = 60
HELPERS = "/v1/test_helpers"
BANK = f"{HELPERS}/financial_connections"
Handler = Union[str, Callable[[Any], Any]]


class JudgeError(AssertionError):
    """The client would lose data in production. The text names how."""


class Endpoint:
    """A webhook endpoint of the key. `secret` verifies its webhooks."""

    def __init__(self, created: Any, receiver: Optional[Receiver]) -> None:
        self.id: str = created["id"]
        self.url: str = created["url"]
        self.secret: str = created["secret"]
        self._receiver = receiver


class Bankfeed:
    """One empty merchant on the server, with a key of its own.

    `client` is the official SDK's client for it, `key` its secret key, and `url` the server's address.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = f"sk_test_{secrets.token_hex(12)}"
        self.client = stripe.StripeClient(self.key, base_addresses={"api": url})
        self._receivers: List[Receiver] = []

    def link(
        self,
        *,
        permissions: Sequence[str] = ("balances", "ownership", "transactions"),
        prefetch: Sequence[str] = (),
        institution: Optional[str] = None,
        account: Optional[str] = None,
        webhook: Optional[Handler] = None,
        subscribe: bool = True,
        seed: Optional[int] = None,
    ) -> "Feed":
        """Links one bank account of a new customer, whose time a test clock moves.

        `institution` and `account` are names of the documents' test banks. `webhook` is a function that
        gets each verified event, or the URL of a receiver. `subscribe` refreshes the transactions every
        day of the clock. Returns after the prefetches have ended and their webhooks were answered.
        """
        endpoint = self.endpoint(webhook) if webhook is not None else None
        clock = self.client.v1.test_helpers.test_clocks.create({"frozen_time": BEGIN_S})
        customer = self.client.v1.customers.create({"test_clock": clock.id})
        session = self.client.v1.financial_connections.sessions.create(
            {
                "account_holder": {"type": "customer", "customer": customer.id},
                "permissions": list(permissions),
                **({"prefetch": list(prefetch)} if prefetch else {}),
            }
        )
        names = {"institution": institution, "accounts": [account] if account else None, "seed": seed}
        chosen = {name: value for name, value in names.items() if value is not None}
        linked = self.call("post", f"{BANK}/link", carrier=session.id, **chosen)
        account_id = linked["accounts"]["data"][0]["id"]
        feed = Feed(self, account_id, customer.id, clock.id, session.id, endpoint)
        if subscribe and "transactions" in permissions:
            features: Any = {"features": ["transactions"]}
            self.client.v1.financial_connections.accounts.subscribe(account_id, features)
        self.settle()
        return feed

    def endpoint(self, receiver: Handler, events: Sequence[str] = ("*",)) -> Endpoint:
        """Registers a receiver of webhooks: a function that gets each verified event, or a URL."""
        mine = None if isinstance(receiver, str) else Receiver(receiver)
        if mine is not None:
            self._receivers.append(mine)
        url = receiver if isinstance(receiver, str) else mine.url
        wanted: Any = {"url": url, "enabled_events": list(events)}
        created = self.client.v1.webhook_endpoints.create(wanted)
        if mine is not None:
            mine.secret = created.secret
        return Endpoint(created, mine)

    def settle(self) -> None:
        """Waits until all due work is done and every webhook was attempted once.

        Raises the first error of a function that received a webhook.
        """
        self.call("get", f"{HELPERS}/settled", timeout=WAIT_S_MAX)
        errors = self.take_errors()
        if errors:
            raise errors[0]

    def take_errors(self) -> List[BaseException]:
        """Removes and returns the errors of functions that received webhooks."""
        errors: List[BaseException] = []
        for receiver in self._receivers:
            errors += receiver.errors
            receiver.errors.clear()
        return errors

    def scenario(self, text: str) -> None:
        """Adds the test banks of a scenario, a file in TOML or JSON, to this merchant."""
        self.call("post", f"{BANK}/scenarios", scenario=text)

    def fault(self, kind: str, **params: Any) -> Dict[str, Any]:
        """Creates a fault, such as `fault("webhook_lost", every=3)`. Returns it."""
        return self.call("post", f"{HELPERS}/faults", kind=kind, **params)

    def judge(self) -> Dict[str, Any]:
        """The report on the client's behaviour, as if the client had done all its work."""
        return self.call("get", f"{HELPERS}/consumer_report", finished=True)

    def call(self, method: str, path: str, **params: Any) -> Dict[str, Any]:
        """Makes any call by its path, and returns the response as a dictionary."""
        return self.client.raw_request(method, path, **params).data

    def close(self) -> None:
        """Stops the receivers."""
        for receiver in self._receivers:
            receiver.stop()
        self._receivers.clear()


class Feed:
    """One linked bank account, with the bank's side of it.

    `account`, `customer`, `clock` and `session` are ids. `endpoint` is the webhook endpoint, if `link`
    made one.
    """

    def __init__(
        self,
        bankfeed: Bankfeed,
        account: str,
        customer: str,
        clock: str,
        session: str,
        endpoint: Optional[Endpoint],
    ) -> None:
        self.account, self.customer, self.clock, self.session = account, customer, clock, session
        self.endpoint = endpoint
        self._bankfeed = bankfeed
        self._path = f"{BANK}/accounts/{account}"

    def add(self, amount: int, description: str = "Test transaction", *, pending: bool = False,
            **params: Any) -> "Transaction":
        """Adds a transaction at the bank. Clients see it after the next refresh.

        `amount` is in minor units, and negative for money out.
        """
        status = "pending" if pending else "posted"
        params = {"amount": amount, "description": description, "status": status, **params}
        added = self._bank("post", "/transactions", **params)
        return Transaction(self, added)

    def refresh(self, *features: str) -> Any:
        """Refreshes the account, by default its transactions, and waits until webhooks were answered.

        Returns the account.
        """
        chosen: Any = {"features": list(features or ("transactions",))}
        self._accounts.refresh(self.account, chosen)
        self._bankfeed.settle()
        return self.retrieve()

    def advance(
        self, *, days: int = 0, hours: int = 0, seconds: int = 0, refresh: bool = True
    ) -> None:
        """Moves the time of the account. Returns when every webhook was answered once.

        A last refresh brings a subscribed account to the new time, so that its copy and the ledger can
        be compared. `refresh=False` leaves it out.
        """
        clock = self._bankfeed.client.v1.test_helpers.test_clocks.retrieve(self.clock)
        to = clock.frozen_time + days * DAY_S + hours * HOUR_S + seconds
        path = f"{HELPERS}/test_clocks/{self.clock}/advance"
        self._bankfeed.call("post", path, frozen_time=to, wait=True, timeout=WAIT_S_MAX)
        self._bankfeed.settle()
        account = self.retrieve()
        if refresh and account.status == "active" and account.subscriptions:
            self.refresh(*account.subscriptions)

    def fail_next(self, cause: str = "institution_unavailable", *, times: int = 1) -> None:
        """Lets the next refreshes fail with a cause."""
        self._bank("post", "/next_refresh", outcome="failed", cause=cause, times=times)

    def delay_next(self, seconds: int) -> None:
        """Lets the next refresh take a time on the test clock."""
        self._bank("post", "/next_refresh", delay_seconds=seconds)

    def set_balance(self, current: int, available: Optional[int] = None) -> None:
        """Sets the bank's balance, in minor units."""
        params = {"current": current} if available is None else {"current": current, "available": available}
        self._bank("post", "/balance", **params)

    def set_owners(self, *names: str) -> None:
        """Sets the owners that the bank shows."""
        self._bank("post", "/owners", owners=[{"name": name} for name in names])

    def deactivate(self, cause: str = "access_expired") -> None:
        """Makes the account inactive, and waits until webhooks were answered."""
        self._bank("post", "/deactivate", cause=cause)
        self._bankfeed.settle()

    def reactivate(self) -> None:
        """Makes the account active again, and waits until webhooks were answered."""
        self._bank("post", "/reactivate")
        self._bankfeed.settle()

    def ledger(self) -> List[Row]:
        """The rows that a correct copy of this account has now, by the bank's own ledger."""
        return rows_of(self._bank("get", "/ledger")["transactions"])

    def retrieve(self) -> Any:
        """The account, as the API shows it."""
        return self._accounts.retrieve(self.account)

    @property
    def _accounts(self) -> Any:
        return self._bankfeed.client.v1.financial_connections.accounts

    def _bank(self, method: str, path: str, **params: Any) -> Dict[str, Any]:
        return self._bankfeed.call(method, self._path + path, **params)


class Transaction:
    """A transaction at the bank. A change is visible to clients after the next refresh."""

    def __init__(self, feed: Feed, added: Dict[str, Any]) -> None:
        self.id: str = added["id"]
        self._feed = feed

    def post(self, amount: Optional[int] = None) -> None:
        """Posts it, with another amount if one is named."""
        self.edit(status="posted", **({} if amount is None else {"amount": amount}))

    def void(self) -> None:
        """Voids it."""
        self.edit(status="void")

    def edit(self, **params: Any) -> None:
        """Changes `amount`, `description`, `transacted_at` or `status`."""
        self._feed._bank("post", f"/transactions/{self.id}", **params)
