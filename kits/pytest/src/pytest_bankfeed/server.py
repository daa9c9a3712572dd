"""The server of a test run: a process of its own, or one that runs already."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Optional, Sequence

READY_S_MAX = 30
STOP_S_MAX = 10


class ServerError(Exception):
    """The server could not be started."""


class Server:
    """A running server. `url` is its address."""

    def __init__(self, url: str, process: Optional["subprocess.Popen[bytes]"] = None) -> None:
        self.url = url
        self._process = process

    @classmethod
    def start(cls, arguments: Sequence[str] = ()) -> "Server":
        """Starts a server on a free port with its data in memory.

        With the variable `BANKFEED_URL` it uses the server at this address instead. The program is that
        of the variable `BANKFEED_BINARY`, or else the first `bankfeed` on the `PATH`.
        """
        url = os.environ.get("BANKFEED_URL")
        if url:
            return cls(url.rstrip("/"))
        program = os.environ.get("BANKFEED_BINARY") or shutil.which("bankfeed")
        if not program:
            raise ServerError(
                "no program bankfeed on the PATH. Install it, or set BANKFEED_BINARY to the program, "
                "or BANKFEED_URL to a running server"
            )
        with tempfile.TemporaryDirectory(prefix="pytest-bankfeed-") as folder:
            ready = Path(folder) / "ready"
            log = Path(folder) / "log"
            serve = [program, "serve", "--memory", "--listen", "127.0.0.1:0"]
            # The system closes the pipe however this process ends, so no server is left behind.
            serve += ["--stop-with-stdin", "--ready-file", str(ready), "--log-level", "warn"]
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [*serve, *arguments], stdin=subprocess.PIPE, stdout=output, stderr=output
                )
            return cls(_wait_for(ready, process, log), process)

    def stop(self) -> None:
        """Stops the server, if this run has started it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _wait_for(ready: Path, process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + READY_S_MAX
    while time.monotonic() < deadline:
        if ready.exists():
            url = ready.read_text().strip()
            if url:
                return url.rstrip("/")
        if process.poll() is not None:
            raise ServerError(f"bankfeed ended with {process.returncode}:\n{log.read_text()}")
        time.sleep(0.01)
    process.kill()
    process.wait()
    raise ServerError(f"bankfeed was not ready after {READY_S_MAX} seconds:\n{log.read_text()}")
