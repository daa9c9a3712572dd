"""`stripe listen` as a process of its own, whose lines are waited for."""

import os
import re
import signal
import subprocess
import threading

WAIT_S_MAX = 60
READY = "Ready!"
SECRET = re.compile(r"whsec_\w+")


class Listening:
    """Listens while it is open."""

    @classmethod
    def of(cls, cli, flags, inbox):
        command = f"stripe listen --skip-update --no-wss {flags} --forward-to {inbox.url}"
        return cls(f"{command} --api-base {cli.server.url}", cli.environment())

    def __init__(self, command, environment):
        self.lines = []
        self.changed = threading.Condition()
        # npm's wrapper starts the binary; a group of their own ends together.
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip())
                self.changed.notify_all()

    def wait(self, what, pattern, times=1):
        """The last of so many lines that hold the pattern; waits for it, and for so long at most."""

        def found():
            lines = [line for line in self.lines if re.search(pattern, line)]
            return lines[times - 1] if len(lines) >= times else None

        with self.changed:
            line = self.changed.wait_for(found, WAIT_S_MAX)
            assert line, f"waited {WAIT_S_MAX} s for {what}; printed: {self.lines[-20:]}"
            return line

    def __enter__(self):
        try:
            self.secret = SECRET.search(self.wait("the connection", READY)).group()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)
