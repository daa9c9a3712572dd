"""Stripe's CLI runs a file of fixtures, its own triggers and single calls at Stripe's address."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from judging import KEY, Judge, every, get, settled  # noqa: E402

PROGRAM = HERE.parents[1] / "clients/cli/node_modules/.bin/stripe"
# A line for each event that the CLI can trigger: `works`, or the reason for its failure.
TABLE = HERE / "triggers.txt"


def main():
    judge = Judge("Stripe CLI 1.52.0")
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "HOME": home,
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "STRIPE_API_KEY": KEY,
        }

        def stripe(*words):
            return subprocess.run(
                [PROGRAM, *words], env=environment, capture_output=True, text=True, timeout=120
            )

        customer = json.loads(stripe("customers", "create", "--email=jenny@example.com").stdout)
        judge.equal(
            "a customer is created",
            get(f"/v1/customers/{customer['id']}")["email"],
            "jenny@example.com",
        )
        fixtures(judge, stripe)
        triggers(judge, stripe)
    judge.end()


def fixtures(judge, stripe):
    done = stripe("fixtures", str(HERE / "fixtures.json"))
    judge.equal("the fixtures end", (done.returncode, done.stderr.strip()), (0, ""))
    (account,) = every("/v1/financial_connections/accounts")
    judge.equal("they link and subscribe an account", account["subscriptions"], ["transactions"])


def triggers(judge, stripe):
    table = dict(
        line.split(": ", 1) for line in TABLE.read_text().splitlines() if not line.startswith("#")
    )
    known = [line.strip() for line in stripe("trigger", "--help").stdout.splitlines()]
    known = {line for line in known if re.fullmatch(r"\w+(\.\w+)+", line)}
    judge.equal("the table has each event", set(table) ^ known, set())
    for event_type, expected in table.items():
        if expected.startswith("works"):
            before = events(event_type)
            done = stripe("trigger", event_type)
            came = events(event_type) > before
            judge.equal(
                f"trigger {event_type}", (done.returncode, came), (0, "without" not in expected)
            )


def events(event_type):
    """The number of events of a type, once all work is done."""
    settled()
    return len(every("/v1/events", type=event_type))


main()
