"""Creates a customer with each HTTP client of Stripe's Python SDK, and prints the number of customers."""

import asyncio
import os
import warnings

import stripe

KEY = os.environ["STRIPE_API_KEY"]
warnings.simplefilter("ignore")


async def main():
    for make in [
        stripe.RequestsClient,
        stripe.UrllibClient,
        stripe.HTTPXClient,
        stripe.AIOHTTPClient,
    ]:
        http = make()
        client = stripe.StripeClient(KEY, http_client=http)
        if make in [stripe.HTTPXClient, stripe.AIOHTTPClient]:
            await client.v1.customers.create_async({"email": "a@example.com"})
            rows = (await client.v1.customers.list_async()).data
            await http.close_async()
        else:
            client.v1.customers.create({"email": "a@example.com"})
            rows = client.v1.customers.list().data
        print(make.__name__, len(rows))


asyncio.run(main())
