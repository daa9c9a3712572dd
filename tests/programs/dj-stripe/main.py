"""dj-stripe stores webhooks and syncs objects into a Django database.

Its `Event`, its connected accounts and `AccountV2` are left out, because they fail with the release of
the SDK that it requires.
"""

import contextlib
import io
import re
import sys
import tempfile
import threading
import uuid
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django  # noqa: E402
from django.conf import settings  # noqa: E402
from judging import HELPERS, KEY, Judge, every, get, trigger  # noqa: E402

# The models to sync, with the lists of the server that they must equal.
SYNCED = {
    "Customer": "/v1/customers",
    "PaymentIntent": "/v1/payment_intents",
    "SetupIntent": "/v1/setup_intents",
    "Product": "/v1/products",
    "Price": "/v1/prices",
    "Subscription": "/v1/subscriptions",
    "Invoice": "/v1/invoices",
    "Charge": "/v1/charges",
    "Dispute": "/v1/disputes",
    "PaymentMethod": None,
}
EVENTS = [
    "customer.updated",
    "payment_method.attached",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "setup_intent.succeeded",
    "price.created",
    "customer.subscription.updated",
    "invoice.payment_succeeded",
    "invoice.voided",
    "charge.dispute.closed",
    "checkout.session.completed",
    "financial_connections.account.refreshed_transactions",
]


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class QuietServer(WSGIServer):
    request_queue_size = 128


def configure(folder):
    settings.configure(
        SECRET_KEY="secret",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{folder}/db",
                "OPTIONS": {"timeout": 60},
            }
        },
        # The tables are made from the models, because the migrations take a minute.
        MIGRATION_MODULES={"djstripe": None},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        STRIPE_TEST_SECRET_KEY=KEY,
        STRIPE_LIVE_MODE=False,
        DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
        USE_TZ=True,
        LOGGING_CONFIG=None,
    )
    django.setup()


def main():
    judge = Judge("dj-stripe 2.11.0")
    with tempfile.TemporaryDirectory() as folder:
        configure(folder)
        from django.core.management import call_command
        from django.core.wsgi import get_wsgi_application
        from django.urls import include, path

        globals()["urlpatterns"] = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]
        call_command("migrate", run_syncdb=True, verbosity=0)
        server = make_server("127.0.0.1", 0, get_wsgi_application(), QuietServer, QuietHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        receive(judge, f"http://127.0.0.1:{server.server_port}")
        sync(judge, call_command)
        server.shutdown()
    judge.end()


def receive(judge, url):
    """Creates the webhook endpoint as dj-stripe's form does, and makes events happen."""
    from djstripe.models import WebhookEndpoint, WebhookEventTrigger

    place = uuid.uuid4()
    endpoint = WebhookEndpoint._api_create(
        url=f"{url}/stripe/webhook/{place}/",
        enabled_events=["*"],
        api_key=KEY,
        metadata={"djstripe_uuid": str(place)},
    )
    WebhookEndpoint.sync_from_stripe_data(endpoint, api_key=KEY)
    judge.equal("the endpoint is stored", WebhookEndpoint.objects.get().id, endpoint["id"])
    trigger(*EVENTS)

    deliveries = every(f"{HELPERS}/deliveries")
    attempts = [attempt for delivery in deliveries for attempt in delivery["attempts"]]
    judge.true("there are many webhooks", len(deliveries) >= 80, len(deliveries))
    statuses = {attempt["status"] for attempt in attempts}
    judge.equal("each is answered with 200", statuses, {200})
    judge.equal("none is retried", len(attempts), len(deliveries))
    stored = WebhookEventTrigger.objects.filter(valid=True, exception="")
    judge.equal("each is verified and stored", stored.count(), len(deliveries))
    for failed in WebhookEventTrigger.objects.exclude(exception="")[:5]:
        print(failed.exception, failed.traceback[-2_000:])


def sync(judge, call_command):
    """Syncs each model, and compares the number and the ids with the server's."""
    from djstripe import models

    for name, path in SYNCED.items():
        model = getattr(models, name)
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output):
            call_command("djstripe_sync_models", name, api_keys=[KEY], stdout=output, stderr=errors)
        judge.equal(f"{name} syncs without an error", errors.getvalue(), "")
        if path:
            ids = {row["id"] for row in every(path)}
        else:
            customers = [row["id"] for row in every("/v1/customers")]
            lists = [
                get(f"/v1/customers/{id}/payment_methods", limit=100)["data"] for id in customers
            ]
            ids = {row["id"] for rows in lists for row in rows}
        stored = set(model.objects.values_list("id", flat=True))
        synced = re.findall(rf"Synced (\d+) {name} ", output.getvalue())
        judge.true(f"{name} has rows", len(ids) >= 1, len(ids))
        judge.equal(f"{name}: as many are synced as the server has", synced, [str(len(ids))])
        judge.equal(f"{name}: each row of the server is stored", ids - stored, set())


main()
