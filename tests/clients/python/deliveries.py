"""A webhook endpoint that keeps what it is sent, and a way to the server that fails."""

import socket
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


class CutOnce:
    """The first connection is cut after the server has done the work; later ones go through."""

    def __init__(self, server):
        self.server = server
        self.front = socket.create_server(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        # Wakes the thread that waits for connections.
        self.front.shutdown(socket.SHUT_RDWR)
        self.front.close()

    def _accept(self):
        first = True
        while True:
            try:
                client, _ = self.front.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client, first), daemon=True).start()
            first = False

    def _forward(self, client, cut):
        with client, socket.create_connection(("127.0.0.1", self.server)) as upstream:
            up = threading.Thread(target=_copy, args=(client, upstream), daemon=True)
            up.start()
            if cut:
                upstream.recv(1)
            else:
                _copy(upstream, client)
            for end in (client, upstream):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # The other side has gone already.
                    continue


def _copy(source, target):
    try:
        while data := source.recv(65_536):
            target.sendall(data)
    except OSError:
        # One of the two sides has gone, which is what this module is for.
        return
