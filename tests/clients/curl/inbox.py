"""A webhook endpoint that keeps what it is sent."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAIT_S_MAX = 30


class Inbox:
    def __init__(self):
        self.events = []
        # Bodies as they came, with their signatures, by the id of the event.
        self.posts = {}
        self.changed = threading.Condition()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = json.loads(body)
                with inbox.changed:
                    inbox.posts[event["id"]] = (body, self.headers["Stripe-Signature"])
                    inbox.events.append(event)
                    inbox.changed.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Nobody reads it."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/webhook"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def wait(self, what, condition):
        """The first event for which the condition holds; waits for it, and for so long at most."""
        with self.changed:
            found = self.changed.wait_for(
                lambda: next(filter(condition, self.events), None), WAIT_S_MAX
            )
            assert found, f"waited {WAIT_S_MAX} s for {what}; {len(self.events)} events came"
            return found

    def verify(self, event, secret):
        """Whether an event was signed with this secret, as the guide to webhooks says to find out."""
        body, signature = self.posts[event["id"]]
        parts = dict(part.split("=") for part in signature.split(","))
        signed = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256)
        return hmac.compare_digest(signed.hexdigest(), parts["v1"])
