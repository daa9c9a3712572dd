"""The parts that the drivers of programs share.

They are calls of the API, test data, a receiver of webhooks, and comparisons. A driver runs below
`bankfeed run`, so Stripe's own address is the server. It prints a line for each comparison, and at the
end `N passed, M failed`.
"""

import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

BASE = "https://api.stripe.com"
KEY = os.environ["STRIPE_API_KEY"]
BANKFEED = os.environ["BANKFEED_BINARY"]
HELPERS = "/v1/test_helpers"
# A call waits for a minute at most, and a busy machine needs longer for many webhooks.
SETTLED_CALLS_MAX = 5


class Judge:
    """Compares values, prints each comparison and counts them."""

    def __init__(self, program):
        self.program = program
        self.passed = 0
        self.failed = 0

    def equal(self, subject, seen, expected):
        self.true(subject, seen == expected, f"{seen!r} is not {expected!r}")

    def true(self, subject, condition, detail=""):
        if condition:
            self.passed += 1
            print(f"{self.program}: {subject}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED {self.program}: {subject}: {detail}", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


class CallError(Exception):
    """An error that the server returned."""


def call(method, path, *pairs, version=None, **form):
    """Makes a call and returns its body. A form value may be a list. `pairs` have names that are no
    words of Python."""
    fields = list(pairs)
    for name, value in form.items():
        values = value if isinstance(value, list) else [value]
        fields += [(f"{name}[]" if isinstance(value, list) else name, each) for each in values]
    encoded = urllib.parse.urlencode(fields)
    url = f"{BASE}{path}"
    data = None
    if method == "POST":
        data = encoded.encode()
    elif encoded:
        url += f"?{encoded}"
    request = urllib.request.Request(url, data, method=method)
    request.add_header("Authorization", f"Bearer {KEY}")
    if version:
        request.add_header("Stripe-Version", version)
    try:
        with urllib.request.urlopen(request, timeout=90) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return {**json.load(error), "status_code": error.code}


def get(path, *pairs, **form):
    return call("GET", path, *pairs, **form)


def post(path, *pairs, **form):
    made = call("POST", path, *pairs, **form)
    if "error" in made:
        raise CallError(f"POST {path}: {made['error']['message']}")
    return made


def every(path, *pairs, **form):
    """The objects of a list from all of its pages."""
    rows = []
    while True:
        after = {"starting_after": rows[-1]["id"]} if rows else {}
        page = get(path, *pairs, limit=100, **form, **after)
        rows += page["data"]
        if not page["has_more"]:
            return rows


def trigger(*types):
    """Makes events happen, by the calls that lead to them, and waits until all work is done."""
    for event_type in types:
        words = [BANKFEED, "trigger", event_type, "--api-key", KEY]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"trigger {event_type}: {done.stderr}")
    settled()


def settled():
    """Returns once all work is done and each webhook was attempted."""
    for _ in range(SETTLED_CALLS_MAX):
        state = get(f"{HELPERS}/settled", timeout=60)
        if "error" not in state:
            return
    raise CallError(state["error"]["message"])


class Receiver:
    """Receives webhooks on a port of its own, and returns 200 for each."""

    def __init__(self):
        self.posts = []
        posts = self.posts

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posts.append((self.headers["Stripe-Signature"], body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
