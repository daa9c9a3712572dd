"""A webhook endpoint that keeps what it is sent."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAIT_S_MAX = 30


class Inbox:
    def __init__(self):
        self.events = []
        self.changed = threading.Condition()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with inbox.changed:
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
