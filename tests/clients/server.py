"""The real binary as a child process: started, killed and started again on the same database."""

import os
import re
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / os.environ.get("BANKFEED_BINARY", "target/debug/bankfeed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server on a file database. The port stays the same from start to start. Settings are
    named as on the command line, with underscores."""

    def __init__(self, **settings):
        self.settings = {f"BANKFEED_{name.upper()}": str(value) for name, value in settings.items()}
        self.folder = tempfile.TemporaryDirectory(prefix="bankfeed-client-")
        self.port = free_port()
        self.process = None
        self.starts = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        folder = Path(self.folder.name)
        self.log = (folder / "log").open("ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}", "--db", folder / "bank.db"],
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={
                **os.environ,
                # Leases are short, so that what a killed server held is soon taken up again.
                "BANKFEED_LEASE_MS": "4000",
                "BANKFEED_POLL_MS": "50",
                "BANKFEED_RETRY_TEST": "100ms,200ms,500ms,1s,2s",
                # So long that no run outlasts it.
                "BANKFEED_COOL_DOWN_TEST": "3600",
                **self.settings,
            },
        )
        self.starts += 1
        # The address is printed once the server takes requests.
        for line in self.process.stdout:
            if re.search(rb"http://127\.0\.0\.1:\d+", line):
                return
        raise RuntimeError(f"the server did not start: {self.logged()}")

    def kill(self):
        """As a crash: nothing is flushed, nothing is closed."""
        self.process.kill()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def stop(self):
        """As an operator does. Answers the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code

    def logged(self):
        self.log.flush()
        return (Path(self.folder.name) / "log").read_text(errors="replace")
