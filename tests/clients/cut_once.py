"""A way to the server that fails."""

import socket
import threading


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
