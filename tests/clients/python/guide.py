"""The webhook of Stripe's guide against the real binary, through a first refresh that fails, and what the judge says of
it; then the same sample without its errors. Prints a line a step, and at the end `N passed, N failed`."""

import logging
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import stripe
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import guide_webhook  # noqa: E402
import guide_webhook_fixed  # noqa: E402
from server import BINARY, Server  # noqa: E402

HELPERS = "/v1/test_helpers/financial_connections"
REPORT = "/v1/test_helpers/consumer_report"
REFRESHED = "financial_connections.account.refreshed_transactions"
WAIT_S_MAX = 30


class Served:
    """A Flask application on a free port, and what it answered."""

    def __init__(self, app):
        self.app = app
        self.statuses = []
        self.changed = threading.Condition()
        self.http = make_server("127.0.0.1", 0, self.answer, threaded=False)
        self.url = f"http://127.0.0.1:{self.http.port}/stripe_webhooks"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, environ, start_response):
        def begin(status, headers, *rest):
            with self.changed:
                self.statuses.append(int(status.split()[0]))
                self.changed.notify_all()
            return start_response(status, headers, *rest)

        return self.app(environ, begin)

    def wait(self, what, found):
        with self.changed:
            came = self.changed.wait_for(lambda: found(self.statuses), WAIT_S_MAX)
        assert came, f"waited {WAIT_S_MAX} s for {what}; it answered {self.statuses}"


class Guide:
    """One application, with a key and an account of its own."""

    def __init__(self, server, key, app):
        self.server = server
        self.served = Served(app)
        stripe.api_key = self.key = key
        guide_webhook.transactions.clear()
        guide_webhook.refreshes.clear()
        endpoint = stripe.WebhookEndpoint.create(
            url=self.served.url, enabled_events=[REFRESHED], api_version=stripe.api_version
        )
        guide_webhook_fixed.endpoint_secret = endpoint.secret
        customer = stripe.Customer.create(email="jenny.rosen@example.com")
        session = stripe.financial_connections.Session.create(
            account_holder={"type": "customer", "customer": customer.id},
            permissions=["transactions"],
        )
        linked = self.raw("post", f"{HELPERS}/link", carrier=session.id)
        self.account = linked["accounts"]["data"][0]["id"]

    def raw(self, method, path, **params):
        client = stripe.StripeClient(self.key, base_addresses={"api": self.server.url})
        return client.raw_request(method, path, **params).data

    def refresh(self):
        stripe.financial_connections.Account.refresh_account(self.account, features=["transactions"])

    def fail_once(self):
        path = f"{HELPERS}/accounts/{self.account}/next_refresh"
        self.raw("post", path, feature="transactions", cause="institution_timeout")

    def sign_wrongly(self):
        """The next webhook that is sent to this key's endpoint."""
        self.raw("post", "/v1/test_helpers/faults", kind="webhook_wrongly_signed", first=1)

    def listed(self):
        page = stripe.financial_connections.Transaction.list(account=self.account, limit=100)
        return {row.id for row in page.auto_paging_iter()}

    def found(self):
        report = self.raw("get", REPORT, finished=True)
        return {finding["code"]: finding for finding in report["findings"]}

    def judge(self):
        """What the command says, and how it ends."""
        command = [BINARY, "judge", "--api-base", self.server.url, "--api-key", self.key]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S_MAX)
        return ended.returncode, ended.stdout


def the_guides_own(server):
    """Works through a failed first refresh, loses every row behind the first ten, and the judge reports it."""
    guide = Guide(server, "sk_test_guide", guide_webhook.app)
    guide.fail_once()
    guide.refresh()
    # There is nothing to list: the handler raises, and the event is delivered again.
    guide.served.wait("the failure", lambda statuses: 500 in statuses)
    yield "a failed first refresh is answered with 500"
    assert "failed_refresh_ignored" in guide.found(), guide.found()
    yield "the judge names the failed refresh that is taken for a success"
    guide.refresh()
    guide.served.wait("both events", lambda statuses: statuses.count(200) == 2)
    failed = stripe.Event.list(type=REFRESHED).data[-1]
    assert failed.data.object.transaction_refresh.status == "failed"
    yield "the delivery is made again, and taken once a refresh has succeeded"
    held = set(guide_webhook.transactions)
    code, told = guide.judge()
    assert code == 1 and "paging_stopped" in told and "auto_paging_iter" in told, told
    assert guide.account in told and "cursor_moved_early" in told, told
    yield "the judge names the missing auto-paging, and the command ends with 1"
    listed = guide.listed()
    assert 0 < len(held) < len(listed), (len(held), len(listed))
    yield f"and rightly so: {len(held)} of {len(listed)} rows were saved"
    guide.sign_wrongly()
    guide.refresh()
    guide.served.wait("a wrongly signed event", lambda statuses: statuses.count(200) == 3)
    _, told = guide.judge()
    assert "webhook_not_verified" in told, told
    yield "a wrongly signed event is taken, which the judge names too"


def fixed(server):
    """The same with every page read, the failure looked at, and the event verified."""
    guide = Guide(server, "sk_test_fixed", guide_webhook_fixed.app)
    guide.fail_once()
    guide.refresh()
    guide.served.wait("the failed refresh", lambda statuses: statuses == [200])
    for count in (2, 3):
        guide.refresh()
        guide.served.wait("the next", lambda statuses, count=count: statuses == [200] * count)
    guide.sign_wrongly()
    guide.refresh()
    # Refused at first, it comes again with the right signature.
    guide.served.wait("the event with a new signature", lambda statuses: statuses[3:] == [400, 200])
    yield "fixed, it rejects an event with a wrong signature, and accepts it with the right one"
    code, told = guide.judge()
    assert code == 0 and "nothing found" in told, told
    yield "fixed, the judge finds nothing, and the command ends with 0"
    assert set(guide_webhook.transactions) == guide.listed()
    yield "and every row was saved"


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for app in (guide_webhook.app, guide_webhook_fixed.app):
        # The guide's handler raises on purpose, which is no news here.
        app.logger.setLevel(logging.CRITICAL)
    server = Server(cool_down_test=0)
    server.start()
    stripe.api_base = server.url
    passed = failed = 0
    try:
        for run in (the_guides_own, fixed):
            try:
                for told in run(server):
                    passed += 1
                    print(f"python stripe {stripe.VERSION}, the guide's webhook: {told}", flush=True)
            except Exception:
                traceback.print_exc(file=sys.stdout)
                failed += 1
                print(f"FAILED: {run.__name__}\n{server.logged()[-3_000:]}")
    finally:
        server.stop()
    print(f"{passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
