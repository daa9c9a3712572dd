"""The carriers of the guide: from the call that creates one, as printed, to its account's transactions.

Each collects an account by a carrier's own call, completes the carrier, and finds the account where
Stripe documents it. Then either the prefetch has fetched the transactions, or subscribing does.
"""

REFRESHED = "financial_connections.account.refreshed_transactions"
PREFETCH = " with prefetch"


def create(bench, call, prefetch, **values):
    """The carrier that a call of the guide makes, with prefetch or as it is printed."""
    name = call + PREFETCH if prefetch else call
    return bench.curl(name, **values).ok()


def link(bench, carrier):
    """What a link flow answers that somebody went through for this carrier."""
    return bench.curl("link", carrier_id=carrier).ok()


def told(bench, event_type, id):
    """The object of an event; waits for it."""
    event = bench.inbox.wait(
        f"{event_type} of {id}",
        lambda event: event["type"] == event_type and event["data"]["object"]["id"] == id,
    )
    return event["data"]["object"]


def account_of(method):
    account = method["us_bank_account"]["financial_connections_account"]
    assert account.startswith("fca_"), method
    return account


def confirmed(bench, kind, id):
    """Confirms an intent that was linked; answers its account."""
    bench.curl("confirm", kind=kind, intent_id=id).ok()
    told(bench, f"{kind[:-1]}.succeeded", id)
    intent = bench.curl("retrieve intent", kind=kind, intent_id=id).ok()
    assert intent["status"] == "succeeded", intent
    return account_of(intent["payment_method"])


def session(bench, prefetch):
    made = create(bench, "create session", prefetch, customer_id=bench.customer()["id"])
    link(bench, made["id"])
    accounts = bench.curl("retrieve session", session_id=made["id"]).ok()["accounts"]["data"]
    assert len(accounts) == 1, accounts
    return accounts[0]["id"]


def payment_intent(bench, prefetch):
    # With prefetch the guide prints no customer: the account belongs to nobody.
    values = {} if prefetch else {"customer_id": bench.customer()["id"]}
    intent = create(bench, "create payment intent", prefetch, **values)
    linked = link(bench, intent["id"])
    assert linked["status"] == "requires_confirmation", linked
    return confirmed(bench, "payment_intents", intent["id"])


def setup_intent(bench, prefetch):
    intent = create(bench, "create setup intent", prefetch, customer_id=bench.customer()["id"])
    link(bench, intent["id"])
    return confirmed(bench, "setup_intents", intent["id"])


def checkout_session(bench, prefetch):
    made = create(bench, "create checkout session", prefetch, customer_id=bench.customer()["id"])
    assert (made["mode"], made["status"]) == ("setup", "open"), made
    link(bench, made["id"])
    assert told(bench, "checkout.session.completed", made["id"])["status"] == "complete"
    found = bench.curl("retrieve checkout session", session_id=made["id"]).ok()
    return account_of(found["setup_intent"]["payment_method"])


def invoice(bench, prefetch):
    customer = bench.customer()["id"]
    made = create(bench, "create invoice", prefetch, customer_id=customer)
    assert (made["status"], made["total"]) == ("draft", 0), made
    id = made["id"]
    bench.curl("add an invoice item", customer_id=customer, invoice_id=id).ok()
    assert bench.curl("finalize invoice", invoice_id=id).ok()["status"] == "open"
    link(bench, id)
    path = "payments.data.payment.payment_intent"
    found = bench.curl("retrieve invoice", invoice_id=id, path=path).ok()
    [payment] = found["payments"]["data"]
    intent = payment["payment"]["payment_intent"]
    # The payment method is a fifth level, so it is read from the intent.
    bench.curl("retrieve invoice", invoice_id=id, path=path + ".payment_method").refused(400, None)
    account = confirmed(bench, "payment_intents", intent["id"])
    assert told(bench, "invoice.paid", id)["status"] == "paid"
    return account


def subscription(bench, prefetch):
    """As printed it has nothing to pay for, and collects by a Setup Intent."""
    customer = bench.customer()["id"]
    made = create(bench, "create subscription", prefetch, customer_id=customer)
    assert (made["status"], made["latest_invoice"]) == ("active", None), made
    id = made["id"]
    link(bench, id)
    found = expanded(bench, id, "pending_setup_intent.payment_method")["pending_setup_intent"]
    account = confirmed(bench, "setup_intents", found["id"])
    assert account == account_of(found["payment_method"])
    done = expanded(bench, id, "default_payment_method")
    assert done["pending_setup_intent"] is None, done
    assert account_of(done["default_payment_method"]) == account
    return account


def subscription_with_items(bench, prefetch):
    """It collects by its first invoice, and is incomplete until that is paid."""
    customer = bench.customer()["id"]
    price = bench.curl("create monthly price").ok()["id"]
    made = create(
        bench, "create subscription with items", prefetch, customer_id=customer, price_id=price
    )
    assert made["status"] == "incomplete", made
    assert made["latest_invoice"]["confirmation_secret"]["client_secret"], made
    id = made["id"]
    link(bench, id)
    [payment] = expanded(bench, id, "latest_invoice.payments")["latest_invoice"]["payments"]["data"]
    account = confirmed(bench, "payment_intents", payment["payment"]["payment_intent"])
    bench.inbox.wait(
        f"{id} to be active",
        lambda event: event["type"] == "customer.subscription.updated"
        and event["data"]["object"]["id"] == id
        and event["data"]["object"]["status"] == "active",
    )
    kept = expanded(bench, id, "default_payment_method")["default_payment_method"]
    assert account_of(kept) == account
    return account


def expanded(bench, id, path):
    return bench.curl("retrieve subscription", subscription_id=id, path=path).ok()


def with_prefetch(bench, collect):
    """The transactions were asked for the moment the account was linked."""
    account = collect(bench, True)
    refresh = retrieve(bench, account)["transaction_refresh"]
    assert refresh, "nothing was prefetched"
    listed(bench, account, refresh["id"])


def with_subscription(bench, collect):
    """Nothing is fetched before somebody subscribes."""
    account = collect(bench, False)
    assert retrieve(bench, account)["transaction_refresh"] is None
    subscribed = bench.curl("subscribe", financialconnectionsaccount_id=account).ok()
    assert subscribed["subscriptions"] == ["transactions"], subscribed
    listed(bench, account, subscribed["transaction_refresh"]["id"])


def retrieve(bench, account):
    return bench.curl("retrieve account", financialconnectionsaccount_id=account).ok()


def listed(bench, account, refresh):
    """Waits for the webhook of the refresh, and lists what it brought."""
    shown = told(bench, REFRESHED, account)["transaction_refresh"]
    assert (shown["id"], shown["status"]) == (refresh, "succeeded"), shown
    rows = bench.curl("list transactions", financialconnectionsaccount_id=account).ok()["data"]
    assert rows and all(row["account"] == account for row in rows), rows


COLLECTED_BY = [
    session,
    payment_intent,
    setup_intent,
    checkout_session,
    invoice,
    subscription,
    subscription_with_items,
]


def check(collect, fetch):
    def run(bench):
        fetch(bench, collect)

    run.__name__ = f"{collect.__name__}_{fetch.__name__}"
    return run


CHECKS = [
    check(collect, fetch)
    for collect in COLLECTED_BY
    for fetch in (with_prefetch, with_subscription)
]
