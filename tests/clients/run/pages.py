"""Reads the first page of a list at the base URL of its setting, and later pages at Stripe's address.

Creates customers first, and prints the number that it has read.
"""

import json
import os
import sys
import urllib.parse
import urllib.request

STRIPE = "https://api.stripe.com"
# The setting of this client is the server's own address.
BASE = os.environ["BANKFEED_API_BASE"]


def call(base, data=None, **query):
    url = f"{base}/v1/customers?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, data)
    request.add_header("Authorization", f"Bearer {os.environ['STRIPE_API_KEY']}")
    with urllib.request.urlopen(request) as response:
        return json.load(response)


for number in range(int(sys.argv[1])):
    call(BASE, f"email=a{number}@example.com".encode())
page = call(BASE, limit=1)
rows = page["data"]
while page["has_more"]:
    page = call(STRIPE, limit=1, starting_after=rows[-1]["id"])
    rows += page["data"]
print(len({row["id"] for row in rows}))
