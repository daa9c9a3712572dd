"""A webhook endpoint that keeps what it is sent."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAIT_S_MAX = 30


class Deliveries:
    """Webhooks as they came: the bytes that were signed, and the signature."""

    def __init__(self):
        self.came = []
        self.changed = threading.Condition()
        deliveries = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with deliveries.changed:
                    deliveries.came.append((body, self.headers["Stripe-Signature"]))
                    deliveries.changed.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Nobody reads it."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/webhook"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()

    def wait(self, what, find):
        """What `find` makes of the first delivery of which it makes anything; waits for it."""
        seen = 0

        def look():
            nonlocal seen
            while seen < len(self.came):
                seen += 1
                found = find(*self.came[seen - 1])
                if found is not None:
                    return found
            return None

        with self.changed:
            found = self.changed.wait_for(look, WAIT_S_MAX)
        assert found is not None, f"waited {WAIT_S_MAX} s for {what}; {seen} webhooks came"
        return found
