"""Curl commands, kept as they are printed, and sent by bash."""

import json
import re
import subprocess
import tempfile
from copy import copy
from dataclasses import dataclass
from pathlib import Path

HOST = "https://api.stripe.com"
KEY = "<<YOUR_SECRET_KEY>>"
# What may stand in for a placeholder: nothing that bash or curl would read as more than text.
PLAIN = re.compile(r"[\w.@:/-]+")

# Said in curl's own file of settings, so that the commands stay as they are.
SETTINGS = """\
silent
show-error
noproxy = "*"
max-time = 20
write-out = "\\n%{http_code}"
"""


@dataclass
class Answer:
    status: int
    body: dict

    def ok(self):
        assert self.status == 200, f"{self.status}: {self.body}"
        return self.body

    def refused(self, status, code):
        assert self.status == status, f"{self.status}: {self.body}"
        assert self.body["error"].get("code") == code, self.body
        assert self.body["error"]["type"] == "invalid_request_error", self.body


def read_calls(path):
    """The commands of a file by their names."""
    calls = {}
    for block in path.read_text().split("\n\n"):
        name, _, command = block.partition("\n")
        if command.startswith("curl "):
            name = name.removeprefix("# ")
            assert name not in calls, f"{path.name} has two calls named {name}"
            calls[name] = command
    assert calls, f"{path.name} has no calls"
    return calls


class Curl:
    """Sends calls to one server, and remembers which were sent."""

    def __init__(self, url, files):
        self.url = url
        self.key = None
        self.calls = {}
        for file in files:
            calls = read_calls(file)
            assert not self.calls.keys() & calls.keys(), self.calls.keys() & calls.keys()
            self.calls |= calls
        self.sent = set()
        self.folder = tempfile.TemporaryDirectory(prefix="bankfeed-curl-")
        (Path(self.folder.name) / ".curlrc").write_text(SETTINGS)

    def __call__(self, name, **values):
        """Sends a call; values are named as its placeholders, in lower case, or are replaced texts."""
        command = self.fill(self.calls[name], values)
        done = subprocess.run(
            ["bash", "-c", command],
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "CURL_HOME": self.folder.name},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, f"{name}: {done.stderr}\n{command}"
        self.sent.add(name)
        body, _, status = done.stdout.rpartition("\n")
        return Answer(int(status), json.loads(body))

    def through(self, port):
        """The same calls with the same key, by another way."""
        other = copy(self)
        other.url = f"http://127.0.0.1:{port}"
        return other

    def fill(self, command, values):
        """Puts in host, key and values; every value has to have a place, and every place a value."""
        command = command.replace(HOST, self.url).replace(KEY, self.key)
        for name, value in values.items():
            value = str(value)
            assert PLAIN.fullmatch(value), f"{name}: {value}"
            # An example id of the guide is replaced as it stands there.
            place = EXAMPLES.get(name, "{{" + name.upper() + "}}")
            assert place in command, f"{place} is not in: {command}"
            command = command.replace(place, value)
        left = re.search(r"\{\{\w+\}\}|<<\w+>>|api\.stripe\.com", command)
        assert left is None, f"{left.group()} is left in: {command}"
        return command


# Ids that the guide prints in full where others stand as placeholders.
EXAMPLES = {"after": "fctxnref_1LXp8WGxLVUXRs6Hkc5PNUXf"}
