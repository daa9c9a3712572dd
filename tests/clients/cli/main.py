"""Stripe's own CLI against the real binary: the guide's calls as they are printed for it, a fixture file,
and its plain `get` and `post`. Prints a line a step, and at the end `N passed, M failed`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "curl")]

from cut_once import CutOnce  # noqa: E402
from inbox import Inbox  # noqa: E402
from listening import Listening  # noqa: E402
from server import Server  # noqa: E402

BINARIES = HERE / "node_modules/.bin"
# Shorter keys are refused by the CLI itself.
KEY = "sk_test_cli_program"
HELPERS = "/v1/test_helpers/financial_connections"
REFRESHED = "financial_connections.account.refreshed_transactions"
EMAIL = "jenny.rosen@example.com"
PLAIN = re.compile(r"[\w.@:/-]+")


def read_calls():
    calls = {}
    for block in (HERE / "calls.sh").read_text().split("\n\n"):
        name, _, command = block.partition("\n")
        if command.startswith("stripe "):
            calls[name.removeprefix("# ")] = command.strip()
    return calls


class Cli:
    def __init__(self):
        self.server = Server(cool_down_test=0)
        self.server.start()
        self.inbox = Inbox()
        self.home = tempfile.TemporaryDirectory(prefix="bankfeed-cli-")
        self.calls = read_calls()
        self.sent = set()

    # What the steps share.

    def run(self, command, key=KEY, base=None):
        done = subprocess.run(
            ["bash", "-c", f"{command} --api-base {base or self.server.url}"],
            env=self.environment(key),
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done

    def environment(self, key=KEY):
        return {
            "PATH": f"{BINARIES}:{os.environ['PATH']}",
            "HOME": self.home.name,
            "STRIPE_API_KEY": key,
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        }

    def asked(self, command):
        """The JSON of an answer; errors of the API are printed likewise, and end with status 0."""
        done = self.run(command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return json.loads(done.stdout)

    def call(self, call_name, **values):
        command = self.calls[call_name]
        for name, value in values.items():
            assert PLAIN.fullmatch(value), value
            place = "{{" + name.upper() + "}}"
            assert place in command, f"{place} is not in: {command}"
            command = command.replace(place, value)
        assert "{{" not in command, command
        self.sent.add(call_name)
        return self.asked(command)

    def link(self, carrier):
        return self.asked(f"stripe post {HELPERS}/link -d carrier={carrier}")

    def told(self, refresh):
        def is_told(event):
            shown = event["data"]["object"]
            return event["type"] == REFRESHED and shown["transaction_refresh"]["id"] == refresh

        event = self.inbox.wait(f"the end of {refresh}", is_told)
        assert event["data"]["object"]["transaction_refresh"]["status"] == "succeeded", event

    def collected(self, method):
        account = method["us_bank_account"]["financial_connections_account"]
        linked = self.asked(f"stripe financial_connections accounts retrieve {account}")
        self.told(linked["transaction_refresh"]["id"])
        assert self.call("list transactions", account_id=account)["data"]

    def refused(self, answer, code):
        assert answer["error"]["code"] == code, answer
        assert answer["error"]["type"] == "invalid_request_error", answer

    # Steps, in order.

    def an_endpoint_and_a_customer_are_made(self):
        endpoint = self.asked(
            f"stripe webhook_endpoints create --url={self.inbox.url} -d 'enabled_events[0]=*'"
        )
        assert endpoint["secret"].startswith("whsec_"), endpoint
        made = self.call("create customer", customer_email=EMAIL, customer_phone="2025550100")
        assert (made["email"], made["phone"]) == (EMAIL, "2025550100"), made
        self.customer = made["id"]

    def the_guide_from_session_to_unsubscribe(self):
        session = self.call("create session", customer_id=self.customer)
        account = self.link(session["id"])["accounts"]["data"][0]["id"]
        refusal = "financial_connections_no_successful_transaction_refresh"
        self.refused(self.call("list transactions", account_id=account), refusal)
        first = self.call("subscribe", account_id=account)["transaction_refresh"]["id"]
        self.told(first)
        page = self.call("list transactions", account_id=account)
        assert page["has_more"] and len(page["data"]) == 10, page
        second = self.call("refresh", account_id=account)["transaction_refresh"]["id"]
        self.told(second)
        later = self.call("list transactions after a refresh", account_id=account, after=first)
        assert all(row["transaction_refresh"] == second for row in later["data"]), later
        assert self.call("unsubscribe", account_id=account)["subscriptions"] == []

    def a_prefetch_starts_with_the_link(self):
        session = self.call("create session with prefetch", customer_id=self.customer)
        self.link(session["id"])
        listed = self.asked(
            f"stripe financial_connections accounts list --session={session['id']}"
            " -e data.account_holder.customer"
        )
        account = listed["data"][0]
        assert account["account_holder"]["customer"]["email"] == EMAIL, account
        self.told(account["transaction_refresh"]["id"])

    def every_other_carrier_collects_an_account(self):
        for call, path in [
            ("payment intent", ["payment_method"]),
            ("setup intent", ["payment_method"]),
            ("checkout session", ["setup_intent", "payment_method"]),
            ("subscription", ["pending_setup_intent", "payment_method"]),
        ]:
            made = self.call(call, customer_id=self.customer)
            self.link(made["id"])
            resource = {"checkout.session": "checkout sessions"}.get(
                made["object"], f"{made['object']}s"
            )
            shown = self.asked(f"stripe {resource} retrieve {made['id']} -e {'.'.join(path)}")
            for name in path:
                shown = shown[name]
            self.collected(shown)

    def an_invoice_collects_an_account(self):
        draft = self.call("invoice", customer_id=self.customer)["id"]
        self.asked(
            f"stripe invoiceitems create --customer={self.customer} --invoice={draft}"
            " --amount=1000 --currency=usd"
        )
        self.asked(f"stripe invoices finalize_invoice {draft}")
        self.link(draft)
        shown = self.asked(f"stripe invoices retrieve {draft} -e payments")
        intent = shown["payments"]["data"][0]["payment"]["payment_intent"]
        linked = self.asked(f"stripe payment_intents retrieve {intent} -e payment_method")
        self.collected(linked["payment_method"])

    def endive_is_asked_for_by_a_flag(self):
        command = "stripe setup_intents create -d 'payment_method_types[0]=us_bank_account'"
        assert self.asked(command)["payment_method_types"] == ["us_bank_account"]
        refused = self.asked(f"{command} --stripe-version=2026-10-28.endive")
        self.refused(refused, "payment_method_types_no_longer_supported")

    def mistakes_are_told(self):
        answer = self.asked("stripe financial_connections accounts retrieve fca_none")
        self.refused(answer, "resource_missing")
        done = self.run("stripe customers list", key="sk_wrong_for_the_program")
        assert done.returncode == 1 and "status=401" in done.stderr, done
        once = "stripe customers create -i cli-once -d name="
        assert self.asked(f"{once}Once")["id"] == self.asked(f"{once}Once")["id"]
        assert self.asked(f"{once}Twice")["error"]["type"] == "idempotency_error"

    def limits_and_failures_are_told(self):
        fault = "stripe post /v1/test_helpers/faults -d path=/v1/customers -d times=1"
        self.asked(f"{fault} -d kind=api_rate_limited")
        self.refused(self.asked("stripe customers list"), "rate_limit")
        self.asked(f"{fault} -d kind=api_error_before")
        assert self.asked("stripe customers list")["error"]["type"] == "api_error"

    def pages_are_followed_to_their_end(self):
        path = "stripe get /v1/financial_connections/transactions"
        session = self.call("create session with prefetch", customer_id=self.customer)
        account = self.link(session["id"])["accounts"]["data"][0]
        self.told(account["transaction_refresh"]["id"])
        rows, more = [], ""
        for _ in range(100):
            page = self.asked(f"{path} -d account={account['id']} --limit 50 {more}")
            rows += [row["id"] for row in page["data"]]
            more = f"--starting-after {rows[-1]}"
            if not page["has_more"]:
                break
        assert not page["has_more"] and len(set(rows)) == len(rows) > 100, len(rows)

    def a_cut_connection_is_tried_again(self):
        """By hand, with the same key: the CLI tries once. The work is done once."""
        front = CutOnce(self.server.port)
        command = "stripe customers create -i cli-cut -d email=cut@example.com"
        base = f"http://127.0.0.1:{front.port}"
        assert self.run(command, base=base).returncode != 0
        made = json.loads(self.run(command, base=base).stdout)["id"]
        front.close()
        listed = self.asked("stripe customers list --email cut@example.com")["data"]
        assert [customer["id"] for customer in listed] == [made], listed

    def a_fixture_file_is_run(self):
        before = self.asked("stripe get /v1/financial_connections/accounts -d limit=100")
        done = self.run("stripe fixtures fixture.json")
        assert done.returncode == 0, done
        after = self.asked("stripe get /v1/financial_connections/accounts -d limit=100")
        assert len(after["data"]) == len(before["data"]) + 1, (before, after, done)

    def listen_forwards_what_happens(self):
        """Every event, in the account's own version, signed with the secret that was printed."""
        asked_before = self.run("stripe listen --skip-update --no-wss --print-secret").stdout.strip()
        inbox = Inbox()
        with Listening.of(self, "--all-snapshot", inbox) as listening:
            assert listening.secret == asked_before, (listening.secret, asked_before)
            made = self.asked("stripe customers create -d name=Heard")["id"]
            event = inbox.wait("the customer", lambda event: event["data"]["object"]["id"] == made)
            assert event["api_version"] == "2026-08-26.dahlia", event
            assert inbox.verify(event, listening.secret), inbox.posts
            assert not inbox.verify(event, "whsec_other")
            listening.wait("what the target answered", rf"<--\s+\[200\] POST .*{event['id']}")

    def listen_takes_types_and_the_newest_version(self):
        inbox = Inbox()
        with Listening.of(self, f"--latest --events {REFRESHED}", inbox) as listening:
            session = self.call("create session with prefetch", customer_id=self.customer)
            self.link(session["id"])
            event = inbox.wait("the refresh", lambda event: event["type"] == REFRESHED)
            assert event["api_version"] == "2026-11-18.endive", event
            assert inbox.verify(event, listening.secret), inbox.posts
            # The account was made too, which was not asked for.
            assert {event["type"] for event in inbox.events} == {REFRESHED}, inbox.events

    def an_event_is_sent_again(self):
        """To the endpoint that is named, with the bytes of the first time; or to whoever listens."""
        made = self.asked("stripe customers create -d name=Twice")["id"]
        event = self.inbox.wait(
            "the customer", lambda event: event["data"]["object"]["id"] == made
        )
        body, _ = self.inbox.posts[event["id"]]
        endpoint = self.asked("stripe webhook_endpoints list")["data"][0]["id"]
        refused = self.asked(f"stripe events resend {event['id']}")
        assert refused["error"]["param"] == "for_stripecli", refused
        sent = self.asked(f"stripe events resend {event['id']} --webhook-endpoint={endpoint}")
        assert sent["id"] == event["id"], sent
        self.inbox.wait("it again", lambda _: self.inbox.events.count(event) == 2)
        assert self.inbox.posts[event["id"]][0] == body
        inbox = Inbox()
        with Listening.of(self, "--all-snapshot", inbox):
            self.asked(f"stripe events resend {event['id']}")
            inbox.wait("it by listen", lambda heard: heard["id"] == event["id"])

    def listen_goes_on_after_the_server_was_killed(self):
        """The CLI opens a new session without help, and receives later events."""
        inbox = Inbox()
        with Listening.of(self, "--all-snapshot --log-level debug", inbox) as listening:
            secret = listening.secret
            self.server.kill()
            self.server.start()
            listening.wait("a new session", "Ready!", 2)
            made = self.asked("stripe customers create -d name=Later")["id"]
            event = inbox.wait("the customer", lambda event: event["data"]["object"]["id"] == made)
            assert inbox.verify(event, secret), "the secret outlasts the server"

    def every_call_of_the_guide_was_sent(self):
        assert self.calls.keys() == self.sent, self.calls.keys() ^ self.sent


STEPS = [
    Cli.an_endpoint_and_a_customer_are_made,
    Cli.the_guide_from_session_to_unsubscribe,
    Cli.a_prefetch_starts_with_the_link,
    Cli.every_other_carrier_collects_an_account,
    Cli.an_invoice_collects_an_account,
    Cli.endive_is_asked_for_by_a_flag,
    Cli.mistakes_are_told,
    Cli.pages_are_followed_to_their_end,
    Cli.a_cut_connection_is_tried_again,
    Cli.a_fixture_file_is_run,
    # Before anybody listens: a stream is kept for a while after its reader left.
    Cli.an_event_is_sent_again,
    Cli.listen_forwards_what_happens,
    Cli.listen_takes_types_and_the_newest_version,
    Cli.listen_goes_on_after_the_server_was_killed,
    # After the server was killed, because the counts of a fault begin again at 0.
    Cli.limits_and_failures_are_told,
    Cli.every_call_of_the_guide_was_sent,
]


def run():
    """Runs the steps; the first failure ends it, since later ones stand on it."""
    cli = Cli()
    passed = 0
    try:
        version = json.loads((BINARIES.parent / "@stripe/cli/package.json").read_text())["version"]
        for step in STEPS:
            step(cli)
            passed += 1
            print(f"cli stripe {version}: {step.__name__.replace('_', ' ')}", flush=True)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print(f"FAILED cli: {step.__name__}\n{cli.server.logged()[-2_000:]}")
        return passed, 1
    finally:
        cli.server.kill()
    return passed, 0


if __name__ == "__main__":
    passed, failed = run()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
