"""faststripe does the main job: link an account, follow its refreshes, verify webhooks."""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faststripe.core import (
    StripeApi,
    StripeError,
    StripeSignatureError,
    pages,
    verify_webhook,
)  # noqa: E402
from judging import HELPERS, KEY, Judge, Receiver, every, post, settled  # noqa: E402


async def main():
    judge = Judge("faststripe 2026.5.27.3")
    receiver = Receiver()
    api = StripeApi(KEY).v1
    endpoint = await api.webhook_endpoints.post(url=receiver.url, enabled_events=["*"])
    customer = await api.customers.post(email="jenny@example.com", metadata={"plan": "gold"})
    judge.equal("the customer has its metadata", customer.metadata.plan, "gold")
    session = await api.financial_connections.sessions.post(
        account_holder={"type": "customer", "customer": customer.id}, permissions=["transactions"]
    )
    post(f"{HELPERS}/financial_connections/link", carrier=session.id)
    session = await api.financial_connections.sessions.session.get(session=session.id)
    account = session.accounts.data[0].id
    subscribe = api.financial_connections.accounts.account.subscribe
    await subscribe.post(account=account, features=["transactions"])
    settled()
    rows = await pages(api.financial_connections.transactions.get, account=account, limit=100)
    server = every("/v1/financial_connections/transactions", account=account)
    judge.true("there are several pages", len(rows) > 100, len(rows))
    judge.equal(
        "every transaction is read once", [row.id for row in rows], [row["id"] for row in server]
    )

    events = [json.loads(body) for _, body in receiver.posts]
    judge.equal("each event is delivered", len(events), len(every("/v1/events")))
    verified = [
        verify_webhook(body, signature, endpoint.secret) for signature, body in receiver.posts
    ]
    judge.equal("each webhook is verified", verified, [True] * len(events))
    signature, body = receiver.posts[0]
    try:
        verify_webhook(body + b" ", signature, endpoint.secret)
        judge.true("a changed webhook is rejected", False, "no error")
    except StripeSignatureError:
        judge.true("a changed webhook is rejected", True)

    intent = await api.payment_intents.post(
        amount=2_000, currency="usd", customer=customer.id, payment_method_types=["us_bank_account"]
    )
    judge.equal("a payment intent waits for an account", intent.status, "requires_payment_method")
    try:
        await api.customers.customer.get(customer="cus_unknown")
        judge.true("an unknown id is an error", False, "no error")
    except StripeError as error:
        judge.equal("an unknown id is an error", (error.status_code, error.param), (404, "id"))
    judge.end()


asyncio.run(main())
