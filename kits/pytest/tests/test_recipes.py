"""The recipe for Django in docs/recipes.md, exactly as it is printed there."""

import re
from pathlib import Path

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[3] / "docs/recipes.md"
SETTINGS = """
SECRET_KEY, ROOT_URLCONF, STATIC_URL, ALLOWED_HOSTS = "test", "urls", "/static/", ["*"]
INSTALLED_APPS, DEFAULT_AUTO_FIELD = ["shop"], "django.db.models.AutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db", "TEST": {"NAME": "test.db"}}}
STRIPE_SECRET_KEY = STRIPE_API_BASE = STRIPE_WEBHOOK_SECRET = ""
"""
URLS = """
from django.urls import path
import views

urlpatterns = [path("stripe/webhook/", views.webhook)]
"""
MODELS = """
from django.db import models

class Row(models.Model):
    key = models.CharField(max_length=100, primary_key=True)
    amount = models.IntegerField()
    description = models.CharField(max_length=200)
"""
HANDLE = """

def handle(event):
    from shop.models import Row

    if event.type.endswith("refreshed_transactions"):
        transactions = bank().v1.financial_connections.transactions
        for row in transactions.list({"account": event.data.object.id}).auto_paging_iter():
            shown = {"amount": row.amount, "description": row.description}
            Row.objects.update_or_create(key=row.id, defaults=shown)
"""
TEST = """
import pytest

@pytest.mark.django_db(transaction=True)
def test_feed(bank):
    from shop.models import Row

    feed = bank.link()
    feed.add(-1200, "Blue Door Coffee")
    feed.refresh()
    assert Row.objects.get(description="Blue Door Coffee").amount == -1200
    assert Row.objects.count() == len(feed.ledger())
"""


def test_django(pytester):
    code = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL))
    pytester.makeconftest(code["conftest.py"])
    files = {"settings": SETTINGS, "urls": URLS, "views": code["views.py"] + HANDLE}
    pytester.makepyfile(**files, test_feed=TEST)
    pytester.mkpydir("shop").joinpath("models.py").write_text(MODELS)
    pytester.makeini("[pytest]\nDJANGO_SETTINGS_MODULE = settings\npythonpath = .\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
