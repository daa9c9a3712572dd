"""Airbyte's source for Stripe copies a whole account, and later the rows that are new since its state.

It ignores errors 400 and 404 in silence, so the numbers of its records are compared with the server's.
"""

import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from judging import KEY, Judge, every, get, post, trigger  # noqa: E402

# The version that the source sends.
VERSION = "2022-11-15"
# The streams with rows, with the lists of the server that they must equal.
STREAMS = {
    "charges": "/v1/charges",
    "checkout_sessions": "/v1/checkout/sessions",
    "customers": "/v1/customers",
    "disputes": "/v1/disputes",
    "events": "/v1/events",
    "invoice_items": "/v1/invoiceitems",
    "invoices": "/v1/invoices",
    "payment_intents": "/v1/payment_intents",
    "plans": "/v1/plans",
    "prices": "/v1/prices",
    "products": "/v1/products",
    "setup_intents": "/v1/setup_intents",
    "subscriptions": "/v1/subscriptions",
}
# Streams of collections that have no object at the server.
EMPTY = [
    "balance_transactions",
    "coupons",
    "credit_notes",
    "payouts",
    "promotion_codes",
    "transfers",
]
EVENTS = [
    "payment_intent.succeeded",
    "setup_intent.succeeded",
    "checkout.session.completed",
    "invoice.payment_succeeded",
    "customer.subscription.updated",
    "charge.dispute.closed",
]


def main():
    judge = Judge("airbyte-source-stripe 5.14.1")
    trigger(*EVENTS)
    with tempfile.TemporaryDirectory() as folder:
        airbyte = Airbyte(Path(folder), get("/v1/account")["id"])
        checked = [
            row["connectionStatus"]["status"] for row in airbyte.run("check", "CONNECTION_STATUS")
        ]
        judge.equal("the connection is checked", checked, ["SUCCEEDED"])
        seen, state = airbyte.read([*STREAMS, *EMPTY], "full_refresh")
        for stream, path in STREAMS.items():
            rows = every(path, version=VERSION)
            judge.true(f"{stream} has rows", len(rows) >= 1)
            judge.equal(
                f"{stream}: as many records as the server's rows", len(seen[stream]), len(rows)
            )
        judge.equal(
            "empty collections have no record",
            [len(seen[name]) for name in EMPTY],
            [0] * len(EMPTY),
        )

        seen, state = airbyte.read(["customers", "events"], "incremental")
        judge.equal(
            "the first incremental read is complete",
            len(seen["customers"]),
            len(every("/v1/customers")),
        )
        new = {post("/v1/customers", name=name)["id"] for name in ["Ada", "Grace"]}
        seen, _ = airbyte.read(["customers"], "incremental", state)
        # The source reads the second of its state again, so it may return earlier rows too.
        judge.equal("the next one has the new customers", new - set(seen["customers"]), set())
    judge.end()


class Airbyte:
    """The source as its own program, with its messages as lines of JSON."""

    def __init__(self, folder, account):
        self.folder = folder
        config = {"client_secret": KEY, "account_id": account, "start_date": "2020-01-01T00:00:00Z"}
        self.write("config.json", config)
        (catalog,) = self.run("discover", "CATALOG")
        self.streams = {stream["name"]: stream for stream in catalog["catalog"]["streams"]}

    def write(self, name, value):
        (self.folder / name).write_text(json.dumps(value))
        return self.folder / name

    def run(self, command, kind, *words):
        program = Path(sys.executable).with_name("source-stripe")
        words = [program, command, "--config", self.folder / "config.json", *words]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300)
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr[-2_000:]} {done.stdout[-2_000:]}")
        return [message for message in messages if message["type"] in kind]

    def read(self, streams, mode, state=None):
        """The ids of the records by stream, and the state at the end."""
        chosen = [
            {"stream": self.streams[name], "sync_mode": mode, "destination_sync_mode": "append"}
            for name in streams
        ]
        words = ["--catalog", self.write("catalog.json", {"streams": chosen})]
        if state is not None:
            words += ["--state", self.write("state.json", state)]
        messages = self.run("read", ["RECORD", "STATE"], *words)
        seen = collections.defaultdict(list)
        for row in messages:
            if row["type"] == "RECORD":
                seen[row["record"]["stream"]].append(row["record"]["data"]["id"])
        last = {}
        for row in messages:
            if row["type"] == "STATE":
                last[row["state"]["stream"]["stream_descriptor"]["name"]] = row["state"]
        return seen, list(last.values())


main()
