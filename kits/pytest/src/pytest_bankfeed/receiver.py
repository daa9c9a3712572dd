"""A receiver of webhooks in the test's own process."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, List, Optional

import stripe


class Receiver:
    """Calls a function for each webhook, one at a time, after it has verified the signature.

    The response is 200 after a normal return and 500 after an error. Errors are stored for the test.
    """

    def __init__(self, handle: Callable[[Any], Any]) -> None:
        self.errors: List[BaseException] = []
        self.secret: Optional[str] = None
        self._handle = handle
        self._one_at_a_time = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.receive(body, self.headers.get("Stripe-Signature", ""))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Writes no line, because the test shows the errors."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def receive(self, body: bytes, signature: str) -> int:
        """Verifies a webhook and passes its event to the function. Returns the status."""
        with self._one_at_a_time:
            try:
                event = stripe.Webhook.construct_event(body, signature, self.secret)
            except ValueError:
                return 400
            except stripe.SignatureVerificationError:
                return 400
            try:
                self._handle(event)
            except BaseException as error:  # The test raises it again, whatever it is.
                self.errors.append(error)
                return 500
            return 200

    def stop(self) -> None:
        """Stops to receive."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
