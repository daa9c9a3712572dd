"""stripe-traveller moves a test clock by a month in its steps, and deletes it at the end."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import stripe  # noqa: E402
from judging import KEY, Judge, get  # noqa: E402
from stripe_traveller.traveller import Traveller  # noqa: E402


async def main():
    judge = Judge("stripe-traveller 2.0.0")
    stripe.api_key = KEY
    with Traveller() as traveller:
        start = traveller.timestamp
        judge.equal("the clock begins now", traveller.clock.frozen_time, start)
        customer = stripe.Customer.create(test_clock=traveller.clock.id, email="jenny@example.com")
        price = stripe.Price.create(
            currency="usd",
            unit_amount=2_000,
            recurring={"interval": "month"},
            product_data={"name": "Gold"},
        )
        subscription = stripe.Subscription.create(
            customer=customer.id, items=[{"price": price.id}], payment_behavior="default_incomplete"
        )
        await traveller.advance(days=1)
        judge.equal(
            "a day passed", get(f"{CLOCKS}/{traveller.clock.id}")["frozen_time"], start + DAY
        )
        expired = await traveller.wait_for_status(subscription, "incomplete_expired", timeout=20)
        judge.equal("the unpaid subscription expired", expired.status, "incomplete_expired")
        await traveller.advance(months=1)
        judge.equal("31 days passed", traveller.clock.frozen_time, start + 31 * DAY)
        judge.equal("the clock is ready", traveller.clock.status, "ready")
        clock = traveller.clock.id
    judge.equal("the clock is deleted", get(f"{CLOCKS}/{clock}")["status_code"], 404)
    gone = get(f"/v1/customers/{customer.id}")
    judge.true(
        "its customer is deleted", gone.get("deleted") or gone.get("status_code") == 404, gone
    )
    judge.end()


CLOCKS = "/v1/test_helpers/test_clocks"
DAY = 86_400
asyncio.run(main())
