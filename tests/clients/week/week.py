"""Follows a bank account for seven steps of a test clock, as a test suite does, without a sleep or a retry.

Each flow has a key, a test clock and a receiver of webhooks of its own. After each step it compares its
copy with the list of the server, and the webhooks that came with the events of the server.

    week.py URL FLOWS NAME
"""

import base64
import hashlib
import hmac
import http.client
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode, urlsplit

START = 1790000000
DAY = 86400
STEPS = 7
FC = "/v1/financial_connections"
HELPERS = "/v1/test_helpers"
REFRESHED = "financial_connections.account.refreshed_transactions"


class Receiver:
    """A webhook endpoint that verifies and stores each event."""

    def __init__(self):
        self.events = []
        self.secret = ""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(body, self.headers["Stripe-Signature"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Prints nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/webhook"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def take(self, body, signature):
        parts = dict(part.split("=", 1) for part in signature.split(","))
        signed = f"{parts['t']}.".encode() + body
        expected = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(parts["v1"], expected), "a webhook has a wrong signature"
        self.events.append(json.loads(body))

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Flow:
    def __init__(self, url, key):
        self.address = urlsplit(url).netloc
        self.key = key
        self.connection = http.client.HTTPConnection(self.address, timeout=90)
        self.receiver = Receiver()

    def call(self, method, path, **form):
        form = urlencode(form, doseq=True)
        authorization = base64.b64encode(f"{self.key}:".encode()).decode()
        headers = {
            "Authorization": f"Basic {authorization}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if method == "GET" and form:
            path, form = f"{path}?{form}", ""
        self.connection.request(method, path, body=form or None, headers=headers)
        response = self.connection.getresponse()
        body = json.loads(response.read())
        assert response.status == 200, (method, path, response.status, body)
        return body

    def all(self, path, **form):
        """All objects of a list, page by page."""
        rows, page = [], {"has_more": True}
        while page["has_more"]:
            after = {"starting_after": rows[-1]["id"]} if rows else {}
            page = self.call("GET", path, limit=100, **form, **after)
            rows += page["data"]
        return rows

    def run(self, step_s):
        account = self.link()
        self.call("GET", f"{HELPERS}/settled", customer=self.customer, timeout=60)
        copy, seen = {}, self.next_refresh(account)
        self.follow(account, copy, seen, {})
        refreshes = 1
        for step in range(1, STEPS + 1):
            form = {"frozen_time": START + step * step_s, "wait": "true", "timeout": 60}
            clock = self.call("POST", f"{HELPERS}/test_clocks/{self.clock}/advance", **form)
            assert clock["status"] == "ready", clock
            for _ in range(step_s // DAY):
                last = seen
                seen = self.next_refresh(account, after=last["id"])
                refreshes += 1
                before = last["data"]["object"]["transaction_refresh"]["id"]
                self.follow(account, copy, seen, {"transaction_refresh[after]": before})
            self.compare(account, copy, refreshes)
        self.receiver.close()
        self.connection.close()

    def link(self):
        endpoint = {"url": self.receiver.url, "enabled_events[]": "*"}
        self.receiver.secret = self.call("POST", "/v1/webhook_endpoints", **endpoint)["secret"]
        self.clock = self.call("POST", f"{HELPERS}/test_clocks", frozen_time=START)["id"]
        self.customer = self.call("POST", "/v1/customers", test_clock=self.clock)["id"]
        session = {
            "account_holder[type]": "customer",
            "account_holder[customer]": self.customer,
            "permissions[]": "transactions",
            "prefetch[]": "transactions",
        }
        session = self.call("POST", f"{FC}/sessions", **session)
        linked = self.call("POST", f"{HELPERS}/financial_connections/link", carrier=session["id"])
        account = linked["accounts"]["data"][0]["id"]
        features = {"features[]": "transactions"}
        self.call("POST", f"{FC}/accounts/{account}/subscribe", **features)
        return account

    def next_refresh(self, account, **after):
        form = {"type": REFRESHED, "account": account, "timeout": 60, **after}
        return self.call("GET", f"{HELPERS}/events/wait", **form)

    def follow(self, account, copy, event, after):
        """Brings the copy up to date after one refresh."""
        refresh = event["data"]["object"]["transaction_refresh"]
        assert refresh["status"] == "succeeded", refresh
        for row in self.all(f"{FC}/transactions", account=account, **after):
            copy[row["id"]] = row

    def compare(self, account, copy, refreshes):
        listed = self.all(f"{FC}/transactions", account=account)
        assert copy == {row["id"]: row for row in listed}, "the copy differs from the list"
        events = self.all("/v1/events")
        received = sorted(event["id"] for event in self.receiver.events)
        assert received == sorted(event["id"] for event in events), (len(received), len(events))
        told = [event for event in events if event["type"] == REFRESHED]
        assert len(told) == refreshes, (len(told), refreshes)


def main():
    url, flows, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    failures = []

    def run(number):
        try:
            step_s = DAY if number % 2 else 7 * DAY
            Flow(url, f"sk_test_week{name}{number}").run(step_s)
        except Exception as failure:
            failures.append(f"{name} {number}: {failure!r}")

    threads = [threading.Thread(target=run, args=[number]) for number in range(flows)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for failure in failures:
        print(failure, flush=True)
    print(f"{flows - len(failures)} passed, {len(failures)} failed", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
